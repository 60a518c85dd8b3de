#include "proc.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

namespace system_plugin {
namespace {

using agentd::sdk::Error;

std::string slurp(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw Error(file + ": cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

double percent(double part, double whole) { return whole > 0 ? std::round(part / whole * 1000) / 10 : 0; }

struct Ticks {
  uint64_t busy = 0, all = 0;
};

// The first is the sum; then one per core.
std::vector<Ticks> cpu_ticks() {
  std::vector<Ticks> out;
  std::istringstream lines(slurp("/proc/stat"));
  for (std::string line; std::getline(lines, line) && line.rfind("cpu", 0) == 0;) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    std::array<uint64_t, 8> t{};  // user nice system idle iowait irq softirq steal
    for (auto& value : t) fields >> value;
    Ticks sum;
    for (const auto value : t) sum.all += value;
    sum.busy = sum.all - t[3] - t[4];
    out.push_back(sum);
  }
  if (out.empty()) throw Error("/proc/stat: has no line of a cpu");
  return out;
}

double usage(const Ticks& before, const Ticks& after) {
  return percent(static_cast<double>(after.busy - before.busy), static_cast<double>(after.all - before.all));
}

void wait(std::chrono::milliseconds time, const Cancelled& cancelled) {
  std::mutex mutex;
  std::condition_variable never;
  const auto end = std::chrono::steady_clock::now() + time;
  for (std::unique_lock lock(mutex); std::chrono::steady_clock::now() < end;) {
    never.wait_until(lock, std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds(50)));
    if (cancelled()) throw Error("the call was cancelled", agentd::sdk::Failure::cancelled);
  }
}

int64_t kibibytes(const std::string& text, const std::string& name) {
  const auto at = text.find("\n" + name + ":");
  if (at == text.npos) return 0;
  return std::strtoll(text.c_str() + at + name.size() + 2, nullptr, 10) * 1024;
}

// One process, or false when it ended meanwhile.
bool read_process(const std::filesystem::path& folder, Process& p) {
  std::ifstream in(folder / "stat");
  std::string line;
  if (!std::getline(in, line)) return false;
  const auto open = line.find('('), close = line.rfind(')');  // the name may hold both
  if (open == line.npos || close == line.npos) return false;
  p.pid = std::strtoll(line.c_str(), nullptr, 10);
  p.name = line.substr(open + 1, close - open - 1);
  std::istringstream fields(line.substr(close + 2));
  std::vector<std::string> f;
  for (std::string field; fields >> field;) f.push_back(field);
  if (f.size() < 22) return false;
  const auto number = [&](std::size_t i) { return std::strtoll(f[i].c_str(), nullptr, 10); };
  p.state = f[0];
  p.cpu_seconds = static_cast<double>(number(11) + number(12)) / static_cast<double>(sysconf(_SC_CLK_TCK));
  p.threads = number(17);
  p.memory_bytes = number(21) * sysconf(_SC_PAGESIZE);
  return true;
}

}  // namespace

Cpu cpu_usage(std::chrono::milliseconds sample, const Cancelled& cancelled) {
  const auto before = cpu_ticks();
  wait(sample, cancelled);
  const auto after = cpu_ticks();
  Cpu out;
  out.usage_percent = usage(before[0], after[0]);
  for (std::size_t i = 1; i < std::min(before.size(), after.size()); ++i) out.per_core_percent.push_back(usage(before[i], after[i]));
  out.cores = static_cast<int64_t>(out.per_core_percent.size());
  return out;
}

Memory memory_usage() {
  const std::string text = "\n" + slurp("/proc/meminfo");
  Memory m;
  m.total_bytes = kibibytes(text, "MemTotal");
  m.available_bytes = kibibytes(text, "MemAvailable");
  m.used_bytes = m.total_bytes - m.available_bytes;
  m.used_percent = percent(static_cast<double>(m.used_bytes), static_cast<double>(m.total_bytes));
  m.swap_total_bytes = kibibytes(text, "SwapTotal");
  m.swap_used_bytes = m.swap_total_bytes - kibibytes(text, "SwapFree");
  return m;
}

Load load_average() {
  Load load;
  char slash = 0;
  std::istringstream(slurp("/proc/loadavg")) >> load.load1 >> load.load5 >> load.load15 >> load.running >> slash >> load.processes;
  std::istringstream(slurp("/proc/uptime")) >> load.uptime_seconds;
  load.cores = sysconf(_SC_NPROCESSORS_ONLN);
  return load;
}

std::vector<Process> processes(bool by_cpu, std::size_t limit) {
  std::vector<Process> all;
  std::error_code ignored;  // processes come and go while we look
  for (auto entry = std::filesystem::directory_iterator("/proc", ignored); entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    const auto name = entry->path().filename().string();
    Process p;
    if (name.find_first_not_of("0123456789") == name.npos && read_process(entry->path(), p)) all.push_back(std::move(p));
  }
  std::sort(all.begin(), all.end(), [by_cpu](const Process& a, const Process& b) { return by_cpu ? a.cpu_seconds > b.cpu_seconds : a.memory_bytes > b.memory_bytes; });
  if (all.size() > limit) all.resize(limit);
  return all;
}

}  // namespace system_plugin
