#include "host/doctor/state_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <system_error>

#include "core/base/time.hpp"

namespace agentd::doctor {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFolder = "state folder";
constexpr const char* kAnother = "Give it to the user that runs agentd, or name another with --state or [host] state_dir.";
constexpr std::uint64_t kLittle = 1ULL << 30, kNothing = 64ULL << 20;  // bytes: a ledger is compacted in a file beside it

std::string words(int error) { return std::generic_category().message(error); }

bool may(const fs::path& folder, int what) { return faccessat(AT_FDCWD, folder.c_str(), what, AT_EACCESS) == 0; }

// The folder itself, or the nearest one above it that is there.
fs::path nearest_there(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

// /proc/locks has a line "1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF" for each lock that is held. A file system may give files
// another device than that of its locks; then the number in the file counts, which whoever has the lock has written there.
pid_t holder_of(const fs::path& lock_file) {
  struct stat file {};
  if (stat(lock_file.c_str(), &file) != 0) return 0;
  pid_t written = 0;
  std::ifstream(lock_file) >> written;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream in(line);
    std::string number, kind, advisory, mode, place;
    pid_t process = 0;
    if (!(in >> number >> kind >> advisory >> mode >> process >> place) || kind != "FLOCK") continue;
    unsigned int major_number = 0, minor_number = 0;
    ino_t inode = 0;
    if (std::sscanf(place.c_str(), "%x:%x:%lu", &major_number, &minor_number, &inode) != 3 || inode != file.st_ino) continue;
    const bool same_device = major_number == major(file.st_dev) && minor_number == minor(file.st_dev);
    if (same_device || process == written) return process > 0 ? process : written;  // of another namespace: the number it has there
  }
  return 0;
}

pid_t holder_in(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".lock")
      if (const auto process = holder_of(entry.path()); process != 0) return process;
  return 0;
}

std::string called(pid_t process) {
  std::string name;
  std::ifstream("/proc/" + std::to_string(process) + "/comm") >> name;
  return "process " + std::to_string(process) + (name.empty() ? "" : " (" + name + ")");
}

Finding disk_space(const fs::path& folder) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0) return warning("disk space", "not known: " + words(errno), "Look at df " + folder.string() + ".");
  const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto shown = std::to_string(free >> 20) + " MiB are free for " + folder.string();
  if (free < kNothing || (disk.f_files > 0 && disk.f_favail == 0)) return failed("disk space", shown, "Make room: a host whose disk is full takes no runs.");
  if (free < kLittle) return warning("disk space", shown, "Make room, or shorten [ledger] retention.");
  return ok("disk space", shown);
}

}  // namespace

// A ledger that another user left there, in a folder that is this one's, is as useless.
Findings unusable_state(const fs::path& folder) {
  std::error_code error;
  const auto there = nearest_there(folder);
  if (!fs::is_directory(there, error)) return {failed(kFolder, there.string() + " is no folder", kAnother)};
  if (!may(there, R_OK | W_OK | X_OK)) return {failed(kFolder, there.string() + (there == folder ? " cannot be written: " : " lets this user not make " + folder.string() + ": ") + words(errno), kAnother)};
  for (const auto* name : {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"})
    if (const auto file = folder / name; !may(file, R_OK | W_OK) && errno == EACCES) return {failed(kFolder, file.string() + " cannot be read and written: " + words(EACCES), kAnother)};
  return {};
}

StateFolder look_at_state(const fs::path& folder) {
  StateFolder seen{.findings = unusable_state(folder)};
  seen.is_usable = seen.findings.empty();
  if (!seen.is_usable) return seen;
  struct stat mode {};
  if (stat(folder.c_str(), &mode) != 0) {
    seen.findings = {ok(kFolder, folder.string() + " is not there yet: the first start makes it"), disk_space(nearest_there(folder))};
    return seen;
  }
  seen.holder = holder_in(folder);
  const auto who = seen.holder != 0 ? "; " + called(seen.holder) + " has it" : "; no process has it";
  if (mode.st_uid != geteuid() && (mode.st_mode & 02) != 0) seen.findings.push_back(failed(kFolder, folder.string() + " can be written by everybody and belongs to somebody else" + who, kAnother));
  else if ((mode.st_mode & 077) != 0) seen.findings.push_back(warning(kFolder, folder.string() + " is open to others" + who, "chmod 700 it, as the next start does."));
  else seen.findings.push_back(ok(kFolder, folder.string() + who));
  seen.findings.push_back(disk_space(folder));
  return seen;
}

}  // namespace agentd::doctor
