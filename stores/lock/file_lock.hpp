// One process per file.
#pragma once
#include <filesystem>

namespace agentd::stores {

// Held from the constructor to the destructor, or to the death of the process. The lock is on FILE.lock, never on the file itself:
// closing any descriptor of a database file would drop the locks that SQLite holds on it.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& file);  // throws sdk::Error: names the file and, where known, the process that has it
  ~FileLock();
  static std::filesystem::path path_for(const std::filesystem::path& file) { return file.string() + ".lock"; }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

}  // namespace agentd::stores
