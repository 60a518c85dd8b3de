#include "core/base/file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "core/base/time.hpp"

namespace agentd {
namespace {

// Whatever name or link led there.
bool is_of_the_kernel(int fd) {
  struct statfs s{};
  return fstatfs(fd, &s) == 0 && (s.f_type == PROC_SUPER_MAGIC || s.f_type == SYSFS_MAGIC);
}

}  // namespace

Result<std::string> read_regular_file(const std::string& path, std::size_t max_bytes) {
  const auto refuse = [&path](const std::string& why) { return fail("cannot read " + path + ": " + why); };
  const auto reason = [] { return std::generic_category().message(errno); };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return refuse(reason());
  const auto close_it = [](const int* open) { ::close(*open); };
  const std::unique_ptr<const int, decltype(close_it)> closing(&fd, close_it);
  struct stat s{};
  if (fstat(fd, &s) != 0) return refuse(reason());
  if (!S_ISREG(s.st_mode)) return refuse("not a regular file");
  if (is_of_the_kernel(fd)) return refuse("files of /proc and /sys are not read");
  std::string text;
  for (char block[16384];;) {
    const ssize_t n = ::read(fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refuse(reason());
    if (n == 0) return text;
    text.append(block, static_cast<std::size_t>(n));
    if (text.size() > max_bytes) return fail(path + " is larger than " + format_size(max_bytes));
  }
}

}  // namespace agentd
