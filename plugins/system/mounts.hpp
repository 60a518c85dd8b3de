// Disks as people mean them: mounted file systems that have a size of their own.
#pragma once
#include <agentd/sdk/types.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace system_plugin {

struct Disk {
  std::string path;    // where it is mounted
  std::string type;    // ext4, xfs, ...
  std::string device;
  int64_t size_bytes = 0, used_bytes = 0, available_bytes = 0;  // available: to users without privileges
  double used_percent = 0;                                      // used of what users can use, as df says it
  AGENTD_FIELDS(path, type, device, size_bytes, used_bytes, available_bytes, used_percent)
};

// From /proc/self/mounts; pseudo file systems and further mounts of the same device are left out.
std::vector<Disk> mounted_disks();

// The file system that holds a path. Throws sdk::Error.
Disk disk_of(const std::string& path);

}  // namespace system_plugin
