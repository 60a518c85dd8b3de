// six_months [--agents N] [--seed S] [--retention DAYS]
//     half a year of N agents (100): every slot is accounted for, and nothing grows once what is older than DAYS (30) is removed
#include <stdlib.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <ranges>
#include <span>

#include "tests/sim/months/half_year.hpp"

namespace agentd::sim::months {
namespace {

constexpr std::size_t kMostTold = 20;

HalfYear::Plan read(std::span<char*> words) {
  HalfYear::Plan plan;
  for (std::size_t i = 1; i + 1 < words.size(); i += 2) {
    const auto value = std::strtoull(words[i + 1], nullptr, 10);
    if (words[i] == std::string_view("--agents")) plan.agents = value;
    if (words[i] == std::string_view("--seed")) plan.seed = value;
    if (words[i] == std::string_view("--retention")) plan.retention = std::chrono::days(value);
  }
  return plan;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

void print(const std::vector<Sample>& samples) {
  std::printf("%6s %8s %9s %8s %8s %8s %8s\n", "day", "RSS MB", "ledger MB", "WAL MB", "other KB", "runs", "records");
  const auto mb = [](std::size_t bytes) { return static_cast<double>(bytes) / 1e6; };
  for (const auto& s : samples)
    if (s.runs)
      std::printf("%6.1f %8.1f %9.1f %8.1f %8.1f %8zu %8zu\n", static_cast<double>(s.at.count()) / 86.4e6, mb(s.resident_bytes),
                  mb(s.ledger_bytes), mb(s.wal_bytes), static_cast<double>(s.other_bytes) / 1e3, *s.runs, *s.records);
}

int run(const HalfYear::Plan& plan) {
  const auto start = std::chrono::steady_clock::now();
  const conformance::Folder folder(std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                                             : std::filesystem::temp_directory_path());
  std::ofstream(folder.path() / "ledger.db").flush();  // its name alone: what is in it is on the disk of the simulation
  Disk disk;
  const host::Redactor redactor;
  const host::Log log({.level = "off"}, redactor);
  HalfYear half_year(plan, disk, folder.path(), log);
  half_year.run();
  print(half_year.samples());
  const auto sums = half_year.calendar().sums();
  std::uint64_t slots = 0;
  for (const auto sum : sums | std::views::drop(1)) slots += sum;
  std::printf("%zu agents, %lld days, %zu stops, %zu kills, %zu power losses, away for %lld hours; %llu slots:", plan.agents,
              static_cast<long long>(plan.days.count()), half_year.stops, half_year.kills, half_year.power_losses,
              static_cast<long long>(std::chrono::duration_cast<std::chrono::hours>(half_year.away).count()),
              static_cast<unsigned long long>(slots));
  for (std::size_t i = 1; i < sums.size(); ++i)
    std::printf(" %llu %s", static_cast<unsigned long long>(sums[i]), name(static_cast<Disposition>(i)));
  std::printf("; %.1f s, %.1f s of CPU\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
              cpu_seconds());
  std::fflush(stdout);
  const auto objections = half_year.objections();
  for (const auto& objection : objections | std::views::take(kMostTold)) std::cout << objection << '\n';
  if (objections.size() > kMostTold) std::cout << "and " << objections.size() - kMostTold << " more\n";
  return objections.empty() ? 0 : 1;
}

}  // namespace
}  // namespace agentd::sim::months

int main(int count, char** words) {
  return agentd::sim::months::run(agentd::sim::months::read({words, static_cast<std::size_t>(count)}));
}
