// A file of lines that is appended to, kept whole and rotated.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/lock/file_lock.hpp"

namespace agentd::jsonl {

// One thread at a time, and one process: FILE.lock is held. Throws sdk::Error: retryable when the disk is full.
class LineFile {
 public:
  struct Bounds {
    std::uint64_t max_bytes;  // a file that has reached it is set aside
    int max_files;            // with those set aside: file, file.1, file.2 ...; older ones are deleted
  };
  // Cuts off the last line when it was not written to its end: the end of a process or of the power came in between. A file whose last
  // whole line is none of ours is refused and left as it is, and so is one that stands where a file of ours would be set aside.
  LineFile(std::filesystem::path file, Bounds bounds);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  // Lines with their ends. On the disk when it returns; when it throws, nothing of them is in the file. A file that was moved away or
  // deleted meanwhile is begun anew.
  void append(std::string_view lines);
  const std::string& last_line() const { return last_line_; }  // as found by the constructor, in the file or in the one set aside last
  std::vector<std::filesystem::path> files() const;            // those that exist, the newest first
  const std::filesystem::path& file() const { return file_; }

 private:
  void open();
  std::string take();
  std::string last_line_set_aside() const;
  bool is_in_place() const;
  void rotate();
  void sync_folder() const;
  std::filesystem::path aside(int n) const;
  void cut(std::uint64_t size);

  const std::filesystem::path file_;
  const Bounds bounds_;
  std::optional<stores::FileLock> lock_;  // once the file could be opened
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string last_line_;
};

}  // namespace agentd::jsonl
