#include "disk_report.hpp"

#include <cmath>

namespace system_plugin {

Report make_report(std::vector<Disk> disks, const Thresholds& thresholds, const std::optional<Seen>& before) {
  Report report;
  for (const auto& disk : disks) {
    if (disk.used_percent >= thresholds.disk_usage) report.full.push_back(disk.path);
    if (!before) continue;
    const auto was = before->find(disk.path);
    if (was != before->end()) report.change_percent[disk.path] = std::round((disk.used_percent - was->second) * 10) / 10;
  }
  report.summary = std::to_string(disks.size()) + (disks.size() == 1 ? " disk, " : " disks, ") +
                   (report.full.empty() ? "none" : std::to_string(report.full.size())) + " at or above " + agentd::sdk::to_json(thresholds.disk_usage) + "%";
  report.disks = std::move(disks);
  return report;
}

agentd::sdk::Outcome DiskReport::run(const Params& params, agentd::sdk::Run& run) {
  std::vector<Disk> disks;
  for (const auto& path : params.paths) disks.push_back(disk_of(path));
  if (params.paths.empty()) disks = mounted_disks();
  Seen seen;
  for (const auto& disk : disks) seen[disk.path] = disk.used_percent;
  return agentd::sdk::Outcome::result(make_report(std::move(disks), params.thresholds, run.state_as<Seen>())).state(seen);
}

}  // namespace system_plugin
