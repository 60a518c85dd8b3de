#include "tests/bench/measure.hpp"

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

namespace agentd::bench {
namespace {

double cpu_now_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

}  // namespace

Cost::Cost() : cpu_begin_us_(cpu_now_us()), begin_(std::chrono::steady_clock::now()) {}
double Cost::cpu_us() const { return cpu_now_us() - cpu_begin_us_; }
double Cost::wall_s() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

double peak_rss_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

Line::Line(std::string_view bench) : text_("{\"bench\":\"" + std::string(bench) + "\"") {}

Line& Line::add(std::string_view key, double value) {
  char number[32];
  std::snprintf(number, sizeof number, "%.6g", value);
  ((text_ += ",\"") += key) += "\":";
  text_ += number;
  return *this;
}

Line& Line::add(std::string_view key, std::string_view value) {
  ((((text_ += ",\"") += key) += "\":\"") += value) += '"';
  return *this;
}

void Line::print() {
  std::printf("%s}\n", text_.c_str());
  std::fflush(stdout);
}

std::string Options::text(std::string_view name, std::string fallback) const {
  for (int i = 1; i + 1 < argc_; ++i)
    if (argv_[i] == name) return argv_[i + 1];
  return fallback;
}

int Options::number(std::string_view name, int fallback) const {
  const auto value = text(name, "");
  if (value.empty()) return fallback;
  char* end = nullptr;
  const long number = std::strtol(value.c_str(), &end, 10);
  if (*end != 0) {
    std::fprintf(stderr, "%s takes a number\n", std::string(name).c_str());
    std::exit(2);
  }
  return static_cast<int>(number);
}

void allow_many_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace agentd::bench
