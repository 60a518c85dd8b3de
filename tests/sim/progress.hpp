// How far a long row of seeds has come, in a file, so that it can be run over several sittings.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace agentd::sim {

// Of one row of seeds and one build of what is simulated: what passed with another one has shown nothing of this one.
class Progress {
 public:
  // An empty name: nothing is kept.
  Progress(std::filesystem::path file, std::uint64_t first, std::uint64_t last, std::string build);

  // Why the file cannot be gone on with; nothing: it can.
  std::optional<std::string> refusal() const { return refusal_; }
  std::uint64_t next() const { return passed_ + 1; }
  void passed(std::uint64_t seed);  // kept at times
  void keep();                      // now
  double seconds() const;           // that all sittings took together

 private:
  void read();
  std::string head() const;

  const std::filesystem::path file_;
  const std::uint64_t first_, last_;
  const std::string build_;
  std::uint64_t passed_;
  double seconds_before_ = 0;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point kept_ = begun_;
  std::optional<std::string> refusal_;
};

// Names what is in a program's files.
std::string build_of(std::initializer_list<std::filesystem::path> files);

}  // namespace agentd::sim
