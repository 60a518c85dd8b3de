#include "events.hpp"

namespace agentd::ram {
namespace {

// In commit order: a position's 16 digits, then the number of the event within its record, which has no leading zeros.
bool is_before(std::string_view id, std::string_view other) {
  const auto position = id.substr(0, 16), other_position = other.substr(0, 16);
  if (position != other_position) return position < other_position;
  return id.size() != other.size() ? id.size() < other.size() : id < other;
}

}  // namespace

Events::Events(const Config& config) : most_(static_cast<std::size_t>(config.max_events)) {
  if (config.max_events < 1) throw sdk::Error("max_events: at least 1");
}

void Events::append(const sdk::EventBatch& batch) {
  for (const auto& e : batch) {
    if (!events_.empty() && !is_before(events_.back().id, e.id)) continue;  // it came already
    events_.push_back({std::string(e.id), std::string(e.type), std::string(e.agent_id), std::string(e.run_id), std::string(e.session_id), std::string(e.payload),
                       e.timestamp_ms});
    if (events_.size() > most_) events_.pop_front();
  }
}

}  // namespace agentd::ram
