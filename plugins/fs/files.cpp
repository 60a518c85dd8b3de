#include "files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agentd/sdk/utf8.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <system_error>

namespace fs_plugin {
namespace {

using agentd::sdk::Error;

constexpr int64_t kSearchFileBytes = 4 << 20;
constexpr int64_t kSearchTotalBytes = 256 << 20;
constexpr std::size_t kLineBytes = 400;
constexpr int kSearchDepth = 16;

[[noreturn]] void fail(const std::string& path, int error) { throw Error(path + ": " + std::generic_category().message(error)); }

std::string utc(time_t seconds) {
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

FileInfo info(std::string path, const struct stat& s) {
  std::array<char, 16> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(s.st_mode & 07777));
  const char* type = S_ISREG(s.st_mode) ? "file" : S_ISDIR(s.st_mode) ? "folder" : S_ISLNK(s.st_mode) ? "link" : "other";
  return {std::move(path), type, static_cast<int64_t>(s.st_size), utc(s.st_mtime), mode.data()};
}

Fd open_regular(const Sandbox& box, const std::string& path, struct stat& s) {
  Fd file = box.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);  // a FIFO or a device must not hold us up
  if (fstat(file.get(), &s) != 0) fail(path, errno);
  if (S_ISDIR(s.st_mode)) fail(path, EISDIR);
  if (!S_ISREG(s.st_mode)) throw Error(path + ": is not a regular file");
  return file;
}

// Nothing, with errno, where it cannot be read.
std::optional<std::string> try_read_at(int fd, int64_t offset, int64_t count) {
  std::string bytes(static_cast<std::size_t>(count), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = pread(fd, bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

std::string read_at(const std::string& path, int fd, int64_t offset, int64_t count) {
  auto bytes = try_read_at(fd, offset, count);
  if (!bytes) fail(path, errno);
  return std::move(*bytes);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto n = agentd::sdk::utf8_sequence(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// A cut may have split the characters at its ends: takes the pieces off, then refuses what is not text.
void keep_text(const std::string& path, std::string& bytes, bool cut_front, bool cut_back) {
  if (cut_front) {
    std::size_t n = 0;
    while (n < 3 && n < bytes.size() && continues(bytes[n])) ++n;
    bytes.erase(0, n);
  }
  if (cut_back) {
    for (int n = 0; n < 3 && !bytes.empty() && !is_utf8(bytes); ++n) bytes.pop_back();
  }
  if (bytes.find('\0') != bytes.npos || !is_utf8(bytes)) throw Error(path + ": is not text in UTF-8");
}

using Folder = std::unique_ptr<DIR, decltype([](DIR* d) { closedir(d); })>;

// Walks a folder, names in order, without following links; visit(path, folder descriptor, name, stat) returns false to end. Counts
// the folders it did not look into.
class Walk {
 public:
  Walk(int depth, const Cancelled& cancelled) : depth_(depth), cancelled_(cancelled) {}

  template <class Visit>
  bool run(Fd folder, const std::string& path, Visit&& visit, int level = 1) {
    Folder open(fdopendir(folder.get()));
    if (!open) fail(path, errno);
    folder.release();
    std::vector<std::string> names;
    while (const dirent* entry = readdir(open.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      if (cancelled_()) throw Error("the call was cancelled", agentd::sdk::Failure::cancelled);
      struct stat s {};
      if (fstatat(dirfd(open.get()), name.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT) ++unreadable_;  // else gone meanwhile
        continue;
      }
      const std::string full = path == "/" ? "/" + name : path + "/" + name;
      if (!visit(full, dirfd(open.get()), name, s)) return false;
      if (!S_ISDIR(s.st_mode)) continue;
      if (level >= depth_) {
        ++too_deep_;
        continue;
      }
      Fd inner(openat(dirfd(open.get()), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (inner.get() < 0) {
        if (errno != ENOENT) ++unreadable_;  // not ours to read, or swapped for something else
        continue;
      }
      if (!run(std::move(inner), full, visit, level + 1)) return false;
    }
    return true;
  }
  int64_t unreadable() const { return unreadable_; }
  int64_t too_deep() const { return too_deep_; }

 private:
  int depth_;
  const Cancelled& cancelled_;
  int64_t unreadable_ = 0, too_deep_ = 0;
};

bool named_like(const std::string& name, const std::string& glob) { return fnmatch(glob.c_str(), name.c_str(), FNM_PERIOD) == 0; }

// Adds the lines of one file that hold `text`; false when the limit is reached.
bool match_lines(Matches& out, const std::string& path, std::string_view content, const std::string& text, std::size_t limit) {
  int64_t line = 1;
  std::size_t counted = 0;
  for (std::size_t at = content.find(text); at != content.npos;) {
    line += std::count(content.begin() + static_cast<std::ptrdiff_t>(counted), content.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const auto before = at == 0 ? content.npos : content.rfind('\n', at - 1);
    const std::size_t begin = before == content.npos ? 0 : before + 1;
    const std::size_t end = std::min(content.find('\n', at), content.size());
    if (out.matches.size() == limit) return false;
    std::string shown(content.substr(begin, std::min(end - begin, kLineBytes)));
    while (!shown.empty() && !is_utf8(shown)) shown.pop_back();
    out.matches.push_back({path, line, std::move(shown)});
    counted = at;
    at = content.find(text, end);
  }
  return true;
}

void write_all(const std::string& path, int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (fsync(fd) != 0) fail(path, errno);
}

// Without a name where the file system can do that, so that a writer who is killed leaves nothing behind.
Fd open_draft(int folder, const std::string& draft, mode_t mode) {
  if (::access("/proc/self/fd", X_OK) == 0) {  // give_name needs it
    Fd nameless(openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));
    if (nameless.get() >= 0) return nameless;
  }
  ::unlinkat(folder, draft.c_str(), 0);  // left by a process that died
  return Fd(openat(folder, draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
}

void give_name(const std::string& path, int fd, int folder, const std::string& draft) {
  struct stat s {};
  if (fstat(fd, &s) != 0) fail(path, errno);
  if (s.st_nlink > 0) return;
  ::unlinkat(folder, draft.c_str(), 0);
  const auto open_file = "/proc/self/fd/" + std::to_string(fd);
  if (linkat(AT_FDCWD, open_file.c_str(), folder, draft.c_str(), AT_SYMLINK_FOLLOW) != 0) fail(path, errno);
}

// The new content stays in the hands of the old one's owner and group, with their permissions; it never runs with their rights, nor ours.
void take_over(const std::string& path, int fd, const struct stat& old) {
  struct stat made {};
  if (fstat(fd, &made) != 0 || fchmod(fd, old.st_mode & 0777) != 0) fail(path, errno);  // the mode first: it may be changed by the owner alone
  if (made.st_uid == old.st_uid && made.st_gid == old.st_gid) return;
  if (fchown(fd, old.st_uid, old.st_gid) == 0) return;
  throw Error(path + ": belongs to another user or group, and could not be left to them: " + std::generic_category().message(errno));
}

}  // namespace

FileInfo stat_file(const Sandbox& box, const std::string& path) {
  const Fd file = box.open(path, O_PATH);
  struct stat s {};
  if (fstat(file.get(), &s) != 0) fail(path, errno);
  return info(box.absolute(path), s);
}

Listing list_folder(const Sandbox& box, const std::string& path, int depth, int limit, const std::string& glob, const Cancelled& cancelled) {
  Listing out;
  Walk walk(depth, cancelled);
  out.complete = walk.run(box.open(path, O_RDONLY | O_DIRECTORY), box.absolute(path), [&](const std::string& full, int, const std::string& name, const struct stat& s) {
    if (!glob.empty() && !named_like(name, glob)) return true;
    if (out.entries.size() == static_cast<std::size_t>(limit)) return false;
    out.entries.push_back(info(full, s));
    return true;
  });
  return out;
}

Text read_file(const Sandbox& box, const std::string& path, int64_t offset, int64_t max_bytes) {
  struct stat s {};
  const Fd file = open_regular(box, path, s);
  Text out;
  out.text = read_at(path, file.get(), offset, max_bytes + 1);  // one more tells whether that is all
  out.complete = static_cast<int64_t>(out.text.size()) <= max_bytes;
  if (!out.complete) out.text.resize(static_cast<std::size_t>(max_bytes));
  out.size = s.st_size;
  keep_text(path, out.text, offset > 0, !out.complete);
  return out;
}

Text tail_file(const Sandbox& box, const std::string& path, int lines, int64_t max_bytes) {
  struct stat s {};
  const Fd file = open_regular(box, path, s);
  const int64_t from = std::max<int64_t>(0, s.st_size - max_bytes);
  Text out;
  out.text = read_at(path, file.get(), from, s.st_size - from);
  out.size = s.st_size;
  keep_text(path, out.text, from > 0, false);
  std::size_t begin = out.text.size();
  if (begin > 0 && out.text[begin - 1] == '\n') --begin;
  for (int n = 0; n < lines && begin > 0; ++n) {
    const auto newline = out.text.rfind('\n', begin - 1);
    begin = newline == out.text.npos ? 0 : newline;
  }
  if (begin > 0 && begin < out.text.size() && out.text[begin] == '\n') ++begin;
  out.complete = from == 0 && begin == 0;
  out.text.erase(0, begin);
  return out;
}

Matches search_files(const Sandbox& box, const std::string& path, const std::string& text, const std::string& glob, int limit, const Cancelled& cancelled) {
  if (text.empty()) throw Error("text: nothing to search for");
  Matches out;
  int64_t read = 0;
  const auto look = [&](const std::string& full, int folder, const std::string& name, const struct stat& s) {
    if (!S_ISREG(s.st_mode) || !named_like(name, glob)) return true;
    if (s.st_size > kSearchFileBytes) {
      ++out.files_skipped.too_large;
      return true;
    }
    const Fd file(openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0 && errno == ENOENT) return true;  // gone meanwhile
    if (file.get() >= 0 && (read += s.st_size) > kSearchTotalBytes) return false;
    const auto content = file.get() >= 0 ? try_read_at(file.get(), 0, s.st_size) : std::nullopt;
    if (!content) {
      ++out.files_skipped.unreadable;
      return true;
    }
    ++out.files_searched;
    if (content->find('\0') != content->npos) return true;  // binary
    return match_lines(out, full, *content, text, static_cast<std::size_t>(limit));
  };
  Walk walk(kSearchDepth, cancelled);
  const bool whole = walk.run(box.open(path, O_RDONLY | O_DIRECTORY), box.absolute(path), look);
  auto& skipped = out.files_skipped;
  skipped.unreadable += walk.unreadable();
  skipped.too_deep = walk.too_deep();
  out.complete = whole && skipped.too_large + skipped.unreadable + skipped.too_deep == 0;
  return out;
}

Written write_file(const Sandbox& box, const std::string& path, std::string_view text, int64_t max_bytes) {
  if (static_cast<int64_t>(text.size()) > max_bytes) throw Error(path + ": " + std::to_string(text.size()) + " bytes are more than the " + std::to_string(max_bytes) + " that may be written");
  std::string name;
  const Fd folder = box.open_parent(path, name);
  struct stat old {};
  const bool exists = fstatat(folder.get(), name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (exists && !S_ISREG(old.st_mode) && !S_ISLNK(old.st_mode)) throw Error(path + ": is not a regular file");
  const bool replaces = exists && S_ISREG(old.st_mode);
  const std::string draft = ".agentd-" + name.substr(0, 200) + "." + std::to_string(getpid()) + "." + std::to_string(gettid());
  const Fd file = open_draft(folder.get(), draft, replaces ? 0600 : 0644);
  if (file.get() < 0) fail(path, errno);
  try {
    if (replaces) take_over(path, file.get(), old);
    write_all(path, file.get(), text);
    give_name(path, file.get(), folder.get(), draft);
    if (renameat(folder.get(), draft.c_str(), folder.get(), name.c_str()) != 0) fail(path, errno);
  } catch (...) {
    ::unlinkat(folder.get(), draft.c_str(), 0);
    throw;
  }
  if (fsync(folder.get()) != 0) fail(path, errno);
  return {box.absolute(path), static_cast<int64_t>(text.size())};
}

}  // namespace fs_plugin
