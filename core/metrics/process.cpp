#include "core/metrics/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace agentd::metrics {
namespace {

void gauge(std::string& out, const char* name, const char* help, const char* type, const std::string& value) {
  out += std::string("# HELP ") + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n' + name + ' ' + value + '\n';
}

// Seconds since 1970 when the machine started.
double boot_time() {
  std::ifstream stat("/proc/stat");
  for (std::string word; stat >> word;)
    if (word == "btime") {
      double seconds = 0;
      stat >> seconds;
      return seconds;
    }
  return 0;
}

}  // namespace

std::string process_metrics() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  std::istringstream fields(line.substr(line.rfind(')') + 2));  // the name before may hold spaces
  std::string skipped;
  std::uint64_t user = 0, system = 0, started = 0, virtual_bytes = 0, resident_pages = 0;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  fields >> user >> system;
  for (int i = 16; i < 22; ++i) fields >> skipped;
  fields >> started >> virtual_bytes >> resident_pages;

  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::size_t open_fds = 0;
  std::error_code ignored;  // the folder may vanish only with the process
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", ignored); entry != std::filesystem::directory_iterator(); entry.increment(ignored)) ++open_fds;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);

  std::string out;
  gauge(out, "process_cpu_seconds_total", "User and system CPU time.", "counter", std::to_string(static_cast<double>(user + system) / ticks));
  gauge(out, "process_resident_memory_bytes", "Resident memory.", "gauge", std::to_string(resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))));
  gauge(out, "process_virtual_memory_bytes", "Virtual memory.", "gauge", std::to_string(virtual_bytes));
  gauge(out, "process_start_time_seconds", "Start of the process since the epoch.", "gauge", std::to_string(boot_time() + static_cast<double>(started) / ticks));
  gauge(out, "process_open_fds", "Open file descriptors.", "gauge", std::to_string(open_fds));
  gauge(out, "process_max_fds", "Limit of open file descriptors.", "gauge", std::to_string(limit.rlim_cur));
  return out;
}

}  // namespace agentd::metrics
