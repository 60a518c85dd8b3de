#include "stores/lock/file_lock.hpp"

#include <agentd/sdk/error.hpp>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace agentd::stores {
namespace {

std::string holder(int fd) {
  std::array<char, 16> text{};
  const auto size = ::pread(fd, text.data(), text.size() - 1, 0);
  const std::string pid = size > 0 ? std::string(text.data(), std::strspn(text.data(), "0123456789")) : "";
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& file) {
  const std::string path = path_for(file);
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) throw sdk::Error(path + ": " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const std::string who = errno == EWOULDBLOCK ? "is in use by " + holder(fd_) + "; one process at a time may have it" : std::string(std::strerror(errno));
    ::close(fd_);
    throw sdk::Error(file.string() + " " + who);
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) {
    // The number is for people; the lock holds without it, also on a full disk.
  }
}

FileLock::~FileLock() { ::close(fd_); }

}  // namespace agentd::stores
