// Whether a name still leads to the file that it led to.
#pragma once
#include <sys/types.h>

#include <filesystem>

namespace agentd::sqlite {

// Remembers the file that is at a place when it is made. A value; any thread.
class FilePlace {
 public:
  explicit FilePlace(std::filesystem::path file);
  // Whether that file was removed, moved away or replaced. What cannot be looked at counts as unchanged.
  bool lost() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace agentd::sqlite
