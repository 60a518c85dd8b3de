// Events as lines of JSON, for tail, jq and log shippers.
#pragma once
#include <agentd/sdk/events.hpp>

#include <optional>
#include <string>

#include "earlier.hpp"
#include "line_file.hpp"

namespace agentd::jsonl {

// One batch at a time, on the disk when append returns. A file that another ledger's events are in is refused: their ids are the same.
class Lines : public sdk::EventStore {
 public:
  struct Config {
    sdk::Required<sdk::Path> path;
    int64_t max_bytes = 64 << 20;
    int64_t max_files = 5;
    AGENTD_FIELDS(path, max_bytes, max_files)
  };
  explicit Lines(const Config& config);
  void append(const sdk::EventBatch& batch) override;

 private:
  void check_came_before(const sdk::Event& event);

  LineFile file_;
  const std::string found_, found_at_;  // id and instant of the last line that was there at the beginning
  std::string last_id_;                 // what does not come after it came already
  std::string checked_;                 // up to here, what came again was the same
  std::optional<Earlier> earlier_;      // while events come again
};

}  // namespace agentd::jsonl
