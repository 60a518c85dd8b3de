// The native task `disk_report`: how full the disks are, without a model.
#pragma once
#include <agentd/sdk/task.hpp>
#include <map>
#include <optional>

#include "mounts.hpp"

namespace system_plugin {

struct Thresholds {
  double disk_usage = 90;  // percent
  AGENTD_FIELDS(disk_usage)
};

struct Report {
  std::string summary;            // one sentence
  std::vector<Disk> disks;
  std::vector<std::string> full;  // paths at or above the threshold
  std::map<std::string, double> change_percent;  // since the last run, where there was one
  AGENTD_FIELDS(summary, disks, full, change_percent)
};

// Used percent by path: what the next run compares with.
using Seen = std::map<std::string, double>;

Report make_report(std::vector<Disk> disks, const Thresholds& thresholds, const std::optional<Seen>& before);

struct DiskReport : agentd::sdk::Task {
  struct Params {
    std::vector<std::string> paths;  // empty: every mounted local disk
    Thresholds thresholds;
    AGENTD_FIELDS(paths, thresholds)
  };
  agentd::sdk::Outcome run(const Params& params, agentd::sdk::Run& run);
};

}  // namespace system_plugin
