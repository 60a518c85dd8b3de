// The latest events, until the process ends: for debuggers and core dumps, and for a configuration that wants no files.
#pragma once
#include <agentd/sdk/events.hpp>

#include <deque>
#include <string>

namespace agentd::ram {

// One batch at a time. At most max_events are kept, the oldest go first.
class Events : public sdk::EventStore {
 public:
  struct Config {
    int64_t max_events = 10'000;
    AGENTD_FIELDS(max_events)
  };
  explicit Events(const Config& config);
  void append(const sdk::EventBatch& batch) override;

 private:
  struct Kept {
    std::string id, type, agent_id, run_id, session_id, payload;
    int64_t timestamp_ms;
  };
  const std::size_t most_;
  std::deque<Kept> events_;
};

}  // namespace agentd::ram
