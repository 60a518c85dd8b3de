#include "line_file.hpp"

#include <agentd/sdk/error.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace agentd::jsonl {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& file, const char* what) {
  const int code = errno;
  const auto failure = code == ENOSPC || code == EDQUOT ? sdk::Failure::retryable : sdk::Failure::terminal;
  throw sdk::Error(file.string() + ": " + what + ": " + std::strerror(code), failure);
}

std::string read_range(int fd, std::uint64_t from, std::uint64_t to, const fs::path& file) {
  std::string text(static_cast<std::size_t>(to - from), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const auto got = ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(from + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(file, "cannot be read");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

// The line that ends at `end` (behind its newline), or what stands there without one. Where it begins.
std::uint64_t line_before(int fd, std::uint64_t end, std::string& line, const fs::path& file) {
  for (std::uint64_t reach = 64 << 10;; reach *= 4) {
    const auto from = end > reach ? end - reach : 0;
    const auto text = read_range(fd, from, end, file);
    const auto newline = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
    if (newline == std::string::npos && from > 0) continue;
    const auto begin = newline == std::string::npos ? 0 : newline + 1;
    line = text.substr(begin);
    return from + begin;
  }
}

}  // namespace

LineFile::LineFile(fs::path file, Bounds bounds, const std::function<bool(std::string_view)>& is_whole) : file_(std::move(file)), bounds_(bounds) {
  open();
  try {
    repair(is_whole);
    if (size_ == 0 && fs::exists(aside(1))) {
      const int fd = ::open(aside(1).c_str(), O_RDONLY | O_CLOEXEC);
      if (fd >= 0) {
        if (const auto size = fs::file_size(aside(1))) line_before(fd, size, last_line_, aside(1));
        ::close(fd);
      }
    }
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

LineFile::~LineFile() { ::close(fd_); }

fs::path LineFile::aside(int n) const { return file_.string() + "." + std::to_string(n); }

void LineFile::open() {
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) fail(file_, "cannot be opened");
  struct stat status {};
  if (::fstat(fd_, &status) != 0) fail(file_, "cannot be looked at");
  size_ = static_cast<std::uint64_t>(status.st_size);
  sync_folder();
}

void LineFile::repair(const std::function<bool(std::string_view)>& is_whole) {
  const auto found = size_;
  while (size_ > 0) {
    const auto begin = line_before(fd_, size_, last_line_, file_);
    if (last_line_.back() == '\n' && is_whole(last_line_)) break;
    last_line_.clear();
    size_ = begin;
  }
  if (size_ != found) cut(size_);
}

void LineFile::cut(std::uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) fail(file_, "cannot be cut");
  size_ = size;
}

void LineFile::sync_folder() const {
  const auto folder = file_.has_parent_path() ? file_.parent_path() : fs::path(".");
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

void LineFile::rotate() {
  std::error_code none;
  fs::remove(aside(bounds_.max_files - 1), none);
  for (int n = bounds_.max_files - 2; n >= 1; --n) fs::rename(aside(n), aside(n + 1), none);
  if (bounds_.max_files > 1) {
    if (::rename(file_.c_str(), aside(1).c_str()) != 0) fail(file_, "cannot be set aside");
    ::close(fd_);
    open();
  } else {
    cut(0);
  }
}

void LineFile::append(std::string_view lines) {
  if (size_ > 0 && size_ + lines.size() > bounds_.max_bytes) rotate();
  const auto before = size_;
  try {
    while (!lines.empty()) {
      const auto wrote = ::pwrite(fd_, lines.data(), lines.size(), static_cast<off_t>(size_));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) fail(file_, "cannot be written");
      size_ += static_cast<std::uint64_t>(wrote);
      lines.remove_prefix(static_cast<std::size_t>(wrote));
    }
    // After a failed sync the kernel may call pages clean that are not on the disk: they are cut off and written anew.
    if (::fdatasync(fd_) != 0) fail(file_, "cannot be synced");
  } catch (...) {
    cut(before);
    throw;
  }
}

}  // namespace agentd::jsonl
