#include "mounts.hpp"

#include <mntent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <memory>
#include <set>
#include <system_error>

namespace system_plugin {
namespace {

using Mounts = std::unique_ptr<FILE, decltype([](FILE* f) { endmntent(f); })>;

bool fill(Disk& disk) {
  struct statvfs s {};
  if (statvfs(disk.path.c_str(), &s) != 0) return false;
  const auto unit = static_cast<int64_t>(s.f_frsize);
  disk.size_bytes = static_cast<int64_t>(s.f_blocks) * unit;
  disk.used_bytes = static_cast<int64_t>(s.f_blocks - s.f_bfree) * unit;
  disk.available_bytes = static_cast<int64_t>(s.f_bavail) * unit;
  const auto usable = static_cast<double>(disk.used_bytes + disk.available_bytes);
  disk.used_percent = usable > 0 ? std::round(static_cast<double>(disk.used_bytes) / usable * 1000) / 10 : 0;
  return true;
}

// Every mount with its device number.
template <class Each>
void each_mount(Each&& each) {
  const Mounts mounts(setmntent("/proc/self/mounts", "r"));
  if (!mounts) throw agentd::sdk::Error("/proc/self/mounts: " + std::generic_category().message(errno));
  mntent entry{};
  std::array<char, 8192> text{};
  while (getmntent_r(mounts.get(), &entry, text.data(), text.size())) {
    struct stat s {};
    if (stat(entry.mnt_dir, &s) == 0) each(Disk{entry.mnt_dir, entry.mnt_type, entry.mnt_fsname}, s.st_dev);
  }
}

}  // namespace

std::vector<Disk> mounted_disks() {
  std::vector<Disk> disks;
  std::set<dev_t> seen;
  each_mount([&](Disk disk, dev_t device) {
    const bool memory = disk.type == "tmpfs" || disk.type == "devtmpfs" || disk.type == "ramfs";
    if (memory || seen.count(device) || !fill(disk) || disk.size_bytes == 0) return;
    seen.insert(device);
    disks.push_back(std::move(disk));
  });
  if (disks.empty()) disks.push_back(disk_of("/"));  // as in a chroot, whose own mount is not to be seen
  return disks;
}

Disk disk_of(const std::string& path) {
  struct stat wanted {};
  if (stat(path.c_str(), &wanted) != 0) throw agentd::sdk::Error(path + ": " + std::generic_category().message(errno));
  Disk found;
  each_mount([&](Disk disk, dev_t device) {
    if (device == wanted.st_dev && (found.path.empty() || disk.path.size() <= found.path.size())) found = std::move(disk);
  });
  if (found.path.empty()) found.path = path;  // a mount that this process cannot see
  if (!fill(found)) throw agentd::sdk::Error(path + ": " + std::generic_category().message(errno));
  return found;
}

}  // namespace system_plugin
