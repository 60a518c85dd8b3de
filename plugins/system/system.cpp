// The toolset `system` and the native task `disk_report`: this machine's state, nothing sent anywhere.
#include <agentd/sdk/toolset.hpp>

#include "disk_report.hpp"
#include "mounts.hpp"
#include "proc.hpp"

using namespace agentd::sdk;

enum class By { memory, cpu };
AGENTD_CHOICES(By, {"memory", By::memory}, {"cpu", By::cpu})

namespace {

struct System final : Toolset {
  static constexpr bool concurrent = true;

  explicit System(const Config&) {
    add("cpu", "CPU usage in percent, measured over a short sample", {{"sample_ms", "length of the sample", 250, between(50, 5000)}}, Effect::pure, [](const Call& call, int sample_ms) {
      return system_plugin::cpu_usage(std::chrono::milliseconds(sample_ms), [&] { return call.cancelled(); });
    });
    add("memory", "Memory and swap in use", Effect::pure, [] { return system_plugin::memory_usage(); });
    add("disk", "Size and use of the file system that holds a path, also one of the network", {{"path", "any file or folder", "/"}}, Effect::pure,
        [](const std::string& path) { return system_plugin::disk_of(path); });
    add("disks", "Size and use of every mounted local disk; file systems of the network are left out: ask for one with disk and its path", Effect::pure, [] { return system_plugin::mounted_disks(); });
    add("load", "Load averages, number of processes, uptime", Effect::pure, [] { return system_plugin::load_average(); });
    add("processes", "The processes that use most", {{"by", "what of", By::memory}, {"limit", "how many", 10, between(1, 100)}}, Effect::pure, [](By by, int limit) {
      return system_plugin::processes(by == By::cpu, static_cast<std::size_t>(limit));
    });
  }
};

}  // namespace

AGENTD_PLUGIN("system", "1.0.0", provides<System>("system", "CPU, memory, disks, load and processes of this machine"),
              provides<system_plugin::DiskReport>("disk_report", "How full the disks are, and which are above a threshold"), license{"MIT"})
