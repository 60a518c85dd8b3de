// The machine's state as /proc tells it. All throw sdk::Error where /proc does not have it.
#pragma once
#include <agentd/sdk/types.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace system_plugin {

using Cancelled = std::function<bool()>;

struct Cpu {
  double usage_percent = 0;  // of all cores together, over the sample
  int64_t cores = 0;
  std::vector<double> per_core_percent;
  AGENTD_FIELDS(usage_percent, cores, per_core_percent)
};
Cpu cpu_usage(std::chrono::milliseconds sample, const Cancelled& cancelled);

struct Memory {
  int64_t total_bytes = 0, available_bytes = 0, used_bytes = 0;  // used: what is not available
  double used_percent = 0;
  int64_t swap_total_bytes = 0, swap_used_bytes = 0;
  AGENTD_FIELDS(total_bytes, available_bytes, used_bytes, used_percent, swap_total_bytes, swap_used_bytes)
};
Memory memory_usage();

struct Load {
  double load1 = 0, load5 = 0, load15 = 0;  // runnable and uninterruptible tasks
  int64_t cores = 0, running = 0, processes = 0;
  double uptime_seconds = 0;
  AGENTD_FIELDS(load1, load5, load15, cores, running, processes, uptime_seconds)
};
Load load_average();

struct Process {
  int64_t pid = 0;
  std::string name;
  std::string state;
  int64_t memory_bytes = 0;  // resident
  double cpu_seconds = 0;    // since it started
  int64_t threads = 0;
  AGENTD_FIELDS(pid, name, state, memory_bytes, cpu_seconds, threads)
};
std::vector<Process> processes(bool by_cpu, std::size_t limit);

}  // namespace system_plugin
