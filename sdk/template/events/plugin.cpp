// An event store gets a copy of every event: here they become lines of a file. Replace what is here by your own.
#include <agentd/sdk/events.hpp>

#include <fstream>
#include <string>

using namespace agentd::sdk;

namespace {

std::string line_of(const Event& event) {
  std::string line = R"({"id":)";
  write_string(line, event.id);
  line += R"(,"type":)";
  write_string(line, event.type);
  return line + R"(,"payload":)" + std::string(event.payload) + "}\n";
}

struct Lines : EventStore {
  struct Config {
    Required<std::string> path;
    AGENTD_FIELDS(path)
  };
  explicit Lines(const Config& config) : file_(*config.path, std::ios::app) {
    if (!file_) throw Error("cannot write to " + *config.path);
  }

  // The host sends a batch again when it does not know that it was kept, so what came already is left out.
  void append(const EventBatch& batch) override {
    std::string last = last_id_;
    for (const Event& event : batch) {
      if (event.id <= last) continue;
      file_ << line_of(event);
      last = event.id;
    }
    if (!file_.flush()) throw Error("the file cannot be written", Failure::retryable);
    last_id_ = last;
  }

 private:
  std::ofstream file_;
  std::string last_id_;
};

}  // namespace

AGENTD_PLUGIN("my_events", "0.1.0", provides<Lines>("my_events", "Events as lines of a file"), license{"MIT"})
