#include "file_place.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace agentd::sqlite {

FilePlace::FilePlace(std::filesystem::path file) : path_(std::move(file)) {
  struct stat now{};
  if (::stat(path_.c_str(), &now) == 0) device_ = now.st_dev, inode_ = now.st_ino;
}

bool FilePlace::lost() const {
  struct stat now{};
  if (::stat(path_.c_str(), &now) != 0) return errno == ENOENT || errno == ENOTDIR;
  return now.st_dev != device_ || now.st_ino != inode_;
}

}  // namespace agentd::sqlite
