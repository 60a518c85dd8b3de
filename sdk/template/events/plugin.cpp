// An event store gets a copy of every event: here they become lines of a file. Replace what is here by your own.
#include <agentd/sdk/events.hpp>

#include <cstdint>
#include <filesystem>
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
    Required<Path> path;  // the host makes it absolute
    AGENTD_FIELDS(path)
  };
  explicit Lines(const Config& config) : path_(*config.path) {
    if (!std::ofstream(path_, std::ios::app)) throw Error("cannot write to " + path_);
    find_end();
  }

  // The host sends a batch again when it does not know that it was kept, so what came already is left out; and a failure leaves nothing
  // behind, neither half a batch nor a stream that fails for ever.
  void append(const EventBatch& batch) override {
    std::string lines, last = last_id_;
    for (const Event& event : batch) {
      if (event.id <= last) continue;
      lines += line_of(event);
      last = event.id;
    }
    if (lines.empty()) return;
    write(lines);
    size_ += lines.size();
    last_id_ = last;
  }

 private:
  // flush gives the lines to the operating system: they survive the host. To survive a power failure as well, sync the file here.
  void write(const std::string& lines) {
    std::ofstream file(path_, std::ios::binary | std::ios::app);
    if ((file << lines).flush()) return;
    file.close();
    cut();
    throw Error(path_ + " cannot be written", Failure::retryable);
  }
  // What an earlier life of this store kept. A last line without its end was cut off by a crash: its event comes again.
  void find_end() {
    std::ifstream file(path_, std::ios::binary);
    for (std::string line; std::getline(file, line) && !file.eof();) {
      last_id_ = Json(line)["id"].string();
      size_ += line.size() + 1;
    }
    cut();
  }
  void cut() {
    std::error_code ignored;
    if (std::filesystem::file_size(path_, ignored) > size_) std::filesystem::resize_file(path_, size_, ignored);
  }

  std::string path_, last_id_;
  std::uintmax_t size_ = 0;  // of the whole lines
};

}  // namespace

AGENTD_PLUGIN("my_events", "0.1.0", provides<Lines>("my_events", "Events as lines of a file"), license{"MIT"})
