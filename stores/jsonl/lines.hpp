// Events as lines of JSON, for tail, jq and log shippers.
#pragma once
#include <agentd/sdk/events.hpp>

#include "line_file.hpp"

namespace agentd::jsonl {

// One batch at a time, on the disk when append returns.
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
  LineFile file_;
  std::string last_id_;  // ids sort in commit order: what is not larger came already
};

}  // namespace agentd::jsonl
