#include "mounts.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <system_error>

namespace system_plugin {
namespace {

constexpr const char* kMountInfo = "/proc/self/mountinfo";

constexpr std::array kNetwork = {"9p",     "afs",   "beegfs", "ceph", "cifs",  "coda",     "davfs", "gfs",  "glusterfs", "gpfs",
                                 "lustre", "ncpfs", "nfs",    "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs"};
constexpr std::array kPseudo = {"autofs",    "binder", "binfmt_misc", "bpf",      "cgroup",  "cgroup2",    "configfs",
                                "debugfs",   "devpts", "devtmpfs",    "efivarfs", "fusectl", "hugetlbfs",  "mqueue",
                                "nsfs",      "proc",   "pstore",      "ramfs",    "resctrl", "rpc_pipefs", "securityfs",
                                "selinuxfs", "sysfs",  "tmpfs",       "tracefs"};

template <class List>
bool has(const List& list, const std::string& type) {
  return std::find(list.begin(), list.end(), type) != list.end();
}

bool is_local(const std::string& type) {
  const bool user_space = type == "fuse" || type.rfind("fuse.", 0) == 0;  // fuseblk is a disk
  return !user_space && !has(kNetwork, type) && !has(kPseudo, type);
}

// Spaces and the like stand as \ooo.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && text.find_first_not_of("01234567", i + 1) > i + 3;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
    i += 3;
  }
  return out;
}

uint64_t device_of(const std::string& text) {  // "8:1"
  char* rest = nullptr;
  const auto major = std::strtoull(text.c_str(), &rest, 10);
  return major << 32 | std::strtoull(*rest == ':' ? rest + 1 : rest, nullptr, 10);
}

std::vector<Mount> mounts() {
  std::ifstream in(kMountInfo);
  if (!in) throw agentd::sdk::Error(std::string(kMountInfo) + ": cannot be read");
  return parse_mountinfo({std::istreambuf_iterator<char>(in), {}});
}

bool fill(Disk& disk) {
  struct statvfs s{};
  if (statvfs(disk.path.c_str(), &s) != 0) return false;
  const auto unit = static_cast<int64_t>(s.f_frsize);
  disk.size_bytes = static_cast<int64_t>(s.f_blocks) * unit;
  disk.used_bytes = static_cast<int64_t>(s.f_blocks - s.f_bfree) * unit;
  disk.available_bytes = static_cast<int64_t>(s.f_bavail) * unit;
  const auto usable = static_cast<double>(disk.used_bytes + disk.available_bytes);
  disk.used_percent = usable > 0 ? std::round(static_cast<double>(disk.used_bytes) / usable * 1000) / 10 : 0;
  return true;
}

Disk disk(const Mount& mount) {
  Disk out;
  out.path = mount.path, out.type = mount.type, out.device = mount.source;
  return out;
}

bool holds(const std::string& mount, const std::string& path) {
  return mount == "/" ||
         (path.compare(0, mount.size(), mount) == 0 && (path.size() == mount.size() || path[mount.size()] == '/'));
}

}  // namespace

// 36 35 98:0 /root /mnt rw,noatime master:1 shared:2 - ext4 /dev/vda rw
std::vector<Mount> parse_mountinfo(const std::string& text) {
  std::vector<Mount> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto dash = line.find(" - ");
    if (dash == line.npos) continue;
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string skipped, device, path, type, source;
    before >> skipped >> skipped >> device >> skipped >> path;
    after >> type >> source;
    if (!path.empty() && !type.empty()) all.push_back({device_of(device), unescaped(path), type, unescaped(source)});
  }
  return all;
}

std::vector<Mount> local_mounts(std::vector<Mount> all) {
  std::map<std::string, const Mount*> top;  // what is mounted over cannot be reached: asking for it would ask what lies above
  for (const auto& mount : all) top[mount.path] = &mount;
  std::vector<Mount> out;
  std::set<uint64_t> seen;
  for (const auto& mount : all)
    if (top[mount.path] == &mount && is_local(mount.type) && seen.insert(mount.device).second) out.push_back(mount);
  return out;
}

std::vector<Disk> mounted_disks() {
  std::vector<Disk> disks;
  for (const auto& mount : local_mounts(mounts())) {
    auto found = disk(mount);
    if (fill(found) && found.size_bytes > 0) disks.push_back(std::move(found));
  }
  if (disks.empty()) disks.push_back(disk_of("/"));  // as in a chroot, whose own mount is not to be seen
  return disks;
}

Disk disk_of(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error).string();
  if (error) throw agentd::sdk::Error(path + ": " + error.message());
  Disk found;
  for (const auto& mount : mounts())
    if (holds(mount.path, real) && mount.path.size() >= found.path.size()) found = disk(mount);
  if (found.path.empty()) found.path = path;  // a mount that this process cannot see
  if (!fill(found)) throw agentd::sdk::Error(path + ": " + std::generic_category().message(errno));
  return found;
}

}  // namespace system_plugin
