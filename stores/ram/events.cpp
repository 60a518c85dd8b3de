#include "events.hpp"

#include "stores/text/event_id.hpp"

namespace agentd::ram {

Events::Events(const Config& config) : most_(static_cast<std::size_t>(config.max_events)) {
  if (config.max_events < 1) throw sdk::Error("max_events: at least 1");
}

void Events::append(const sdk::EventBatch& batch) {
  for (const auto& e : batch) {
    if (!events_.empty() && !stores::is_before(events_.back().id, e.id)) continue;  // it came already
    events_.push_back({std::string(e.id), std::string(e.type), std::string(e.agent_id), std::string(e.run_id), std::string(e.session_id), std::string(e.payload),
                       e.timestamp_ms});
    if (events_.size() > most_) events_.pop_front();
  }
}

}  // namespace agentd::ram
