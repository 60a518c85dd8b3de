// Disks as people mean them: mounted file systems that have a size of their own. Which there are is told from
// /proc/self/mountinfo alone.
#pragma once
#include <agentd/sdk/types.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace system_plugin {

struct Disk {
  std::string path;  // where it is mounted
  std::string type;  // ext4, xfs, ...
  std::string device;
  int64_t size_bytes = 0, used_bytes = 0, available_bytes = 0;  // available: to users without privileges
  double used_percent = 0;                                      // used of what users can use, as df says it
  AGENTD_FIELDS(path, type, device, size_bytes, used_bytes, available_bytes, used_percent)
};

// A line of /proc/self/mountinfo.
struct Mount {
  uint64_t device = 0;  // major << 32 | minor
  std::string path, type, source;
};
std::vector<Mount> parse_mountinfo(const std::string& text);

// Of all mounts those whose size is worth knowing and can be asked for without waiting: not file systems of the network and of
// user space, whose server may be gone, so that asking hangs for ever; not pseudo ones and those in memory; and each device once.
std::vector<Mount> local_mounts(std::vector<Mount> all);

// The local disks. Asks nothing of any other mount.
std::vector<Disk> mounted_disks();

// The file system that holds a path, of whatever kind. Throws sdk::Error.
Disk disk_of(const std::string& path);

}  // namespace system_plugin
