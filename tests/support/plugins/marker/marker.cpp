// A toolset whose effects can be counted: every call leaves a line with its id in a file.
#include <fcntl.h>
#include <unistd.h>

#include <agentd/sdk/toolset.hpp>
#include <chrono>
#include <fstream>
#include <thread>

using namespace agentd::sdk;

namespace {

struct Marker final : Toolset {
  static constexpr bool concurrent = true;

  struct Config {
    std::string file;
    int delay_ms = 0;  // between the effect and the answer
    AGENTD_FIELDS(file, delay_ms)
  };

  explicit Marker(const Config& config) : config_(config) {
    add("once", "Leaves a mark that must not be left twice", {{"text", "what to write", "mark"}}, Effect::once, [this](Call& call, const std::string& text) { return mark(call, text); });
    add("idempotent", "Leaves a mark", {{"text", "what to write", "mark"}}, Effect::idempotent, [this](Call& call, const std::string& text) { return mark(call, text); });
    add("pure", "Leaves a mark only so that the test can count", {{"text", "what to write", "mark"}}, Effect::pure, [this](Call& call, const std::string& text) { return mark(call, text); });
    add("reconciled", "Leaves a mark, and knows afterwards whether it did", {{"text", "what to write", "mark"}}, Effect::once, [this](Call& call, const std::string& text) {
      return mark(call, text);
    }).reconcile([this](Call& call, const std::string& text) -> std::optional<std::string> {
      std::ifstream marks(config_.file);
      for (std::string line; std::getline(marks, line);)
        if (line == call.id() + " " + text) return "marked " + text;
      return std::nullopt;
    });
    add("fail", "Always fails", Effect::pure, []() -> int { throw Error("as asked"); });
  }

 private:
  std::string mark(const Call& call, const std::string& text) const {
    const std::string line = call.id() + " " + text + "\n";
    const int fd = open(config_.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) throw Error(config_.file + ": cannot be written");
    close(fd);
    std::this_thread::sleep_for(std::chrono::milliseconds(config_.delay_ms));
    return "marked " + text;
  }
  Config config_;
};

}  // namespace

AGENTD_PLUGIN("marker", "1.0.0", provides<Marker>("marker", "Leaves marks that tests count"))
