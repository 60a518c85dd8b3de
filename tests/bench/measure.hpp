// What a measurement costs, and the line that tells it.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

namespace agentd::bench {

// From construction on: CPU of the whole process, wall time.
class Cost {
 public:
  Cost();
  double cpu_us() const;
  double wall_s() const;

 private:
  double cpu_begin_us_;
  std::chrono::steady_clock::time_point begin_;
};
double peak_rss_mb();

// One JSON object on a line of its own.
class Line {
 public:
  explicit Line(std::string_view bench);
  Line& add(std::string_view key, double value);
  Line& add(std::string_view key, std::string_view value);
  void print();

 private:
  std::string text_;
};

// "--name VALUE" pairs; ends the process with a sentence when something is not understood.
class Options {
 public:
  Options(int argc, char** argv) : argc_(argc), argv_(argv) {}
  std::string text(std::string_view name, std::string fallback) const;
  int number(std::string_view name, int fallback) const;

 private:
  int argc_;
  char** argv_;
};

void allow_many_files();

}  // namespace agentd::bench
