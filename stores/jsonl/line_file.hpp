// A file of lines that is appended to, kept whole and rotated.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace agentd::jsonl {

// One thread at a time. Throws sdk::Error: retryable when the disk is full.
class LineFile {
 public:
  struct Bounds {
    std::uint64_t max_bytes;  // a file that has reached it is set aside
    int max_files;            // with those set aside: file, file.1, file.2 ...; older ones are deleted
  };
  // is_whole says whether a line is one that was written to its end. What is behind the last whole line is cut off: the end of a
  // process or of the power came in between.
  LineFile(std::filesystem::path file, Bounds bounds, const std::function<bool(std::string_view line)>& is_whole);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  // Lines with their ends. On the disk when it returns; when it throws, nothing of them is in the file.
  void append(std::string_view lines);
  const std::string& last_line() const { return last_line_; }  // as found by the constructor, in the file or in the one set aside last

 private:
  void open();
  void repair(const std::function<bool(std::string_view line)>& is_whole);
  void rotate();
  void sync_folder() const;
  std::filesystem::path aside(int n) const;
  void cut(std::uint64_t size);

  const std::filesystem::path file_;
  const Bounds bounds_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string last_line_;
};

}  // namespace agentd::jsonl
