#include "line_file.hpp"

#include <agentd/sdk/error.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "line_id.hpp"

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

// Where the last whole line ends, and that line. Throws when somebody else wrote it, or what stands there in its place.
struct End {
  std::uint64_t whole = 0;
  std::string line;
};

End end_of(int fd, std::uint64_t size, const fs::path& file) {
  End end{size, {}};
  if (size == 0) return end;
  auto begin = line_before(fd, size, end.line, file);
  bool ours = true;
  if (!end.line.ends_with('\n')) {
    end.whole = begin;
    ours = begin > 0 || may_begin(end.line);
    end.line.clear();
    if (begin > 0) line_before(fd, begin, end.line, file);
  }
  if (!ours || (end.whole > 0 && !is_whole(end.line)))
    throw sdk::Error(file.string() + ": it does not end with a line of events, so it is left as it is; move it away or name another file");
  return end;
}

bool is_same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

}  // namespace

LineFile::LineFile(fs::path file, Bounds bounds) : file_(std::move(file)), bounds_(bounds) {
  open();
  try {
    lock_.emplace(file_);
    last_line_ = take();
    const auto before = last_line_set_aside();
    if (last_line_.empty()) last_line_ = before;
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

LineFile::~LineFile() {
  if (fd_ >= 0) ::close(fd_);
}

fs::path LineFile::aside(int n) const { return file_.string() + "." + std::to_string(n); }

std::vector<fs::path> LineFile::files() const {
  std::vector<fs::path> all = {file_};
  for (int n = 1; n < bounds_.max_files && fs::exists(aside(n)); ++n) all.push_back(aside(n));
  return all;
}

void LineFile::open() {
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) fail(file_, "cannot be opened");
  sync_folder();
}

// What is there, cut to its last whole line, which is given back.
std::string LineFile::take() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) fail(file_, "cannot be looked at");
  size_ = static_cast<std::uint64_t>(status.st_size);
  auto end = end_of(fd_, size_, file_);
  if (end.whole != size_) cut(end.whole);
  return std::move(end.line);
}

// Of the newest one that was set aside; all of them are looked at, since the oldest is deleted one day.
std::string LineFile::last_line_set_aside() const {
  std::string newest;
  for (int n = bounds_.max_files - 1; n >= 1; --n) {
    const int fd = ::open(aside(n).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    try {
      newest = end_of(fd, fs::file_size(aside(n)), aside(n)).line;
    } catch (...) {
      ::close(fd);
      throw;
    }
    ::close(fd);
  }
  return newest;
}

bool LineFile::is_in_place() const {
  struct stat opened {}, named {};
  return fd_ >= 0 && ::fstat(fd_, &opened) == 0 && ::stat(file_.c_str(), &named) == 0 && is_same_file(opened, named) && static_cast<std::uint64_t>(opened.st_size) == size_;
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
    ::close(std::exchange(fd_, -1));
    open();
    size_ = 0;
  } else {
    cut(0);
  }
}

void LineFile::append(std::string_view lines) {
  if (!is_in_place()) {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    open();
    try {
      take();
    } catch (...) {
      ::close(std::exchange(fd_, -1));
      throw;
    }
  }
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
