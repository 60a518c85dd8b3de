#include "core/plugin/kv_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "core/plugin/trust.hpp"

namespace agentd::plugin {
namespace {

class File {
 public:
  File(const std::filesystem::path& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  explicit operator bool() const { return fd_ >= 0; }
  bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR) return false;
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  bool read_all(std::string& into) {
    char buffer[16 << 10];
    for (;;) {
      const auto n = read(fd_, buffer, sizeof buffer);
      if (n == 0) return true;
      if (n < 0 && errno != EINTR) return false;
      if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
    }
  }
  bool sync() { return fsync(fd_) == 0; }

 private:
  int fd_;
};

std::unexpected<Error> os_error(const std::filesystem::path& path) { return fail(path.string() + ": " + std::generic_category().message(errno)); }

Result<void> check_key(std::string_view key) {
  if (key.empty() || key.size() > KvFiles::kLongestKey) return fail("a key has 1 to 1024 bytes");
  return {};
}

}  // namespace

// Letters, digits, '_' and '-' stand for themselves, other bytes as %XX; a name too long for a file becomes its digest.
std::filesystem::path KvFiles::file_of(std::string_view key) const {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string name;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-') name += c;
    else ((name += '%') += kHex[byte >> 4]) += kHex[byte & 15];
  }
  if (name.size() > 200) name = "sha256." + sha256(std::as_bytes(std::span(key)));
  return folder_ / name;
}

Result<std::optional<std::string>> KvFiles::get(std::string_view key) {
  if (auto fine = check_key(key); !fine) return std::unexpected(fine.error());
  const Lock lock(mutex_);
  const auto path = file_of(key);
  File file(path, O_RDONLY);
  if (!file && errno == ENOENT) return std::nullopt;
  std::string value;
  if (!file || !file.read_all(value)) return os_error(path);
  return value;
}

Result<void> KvFiles::put(std::string_view key, std::string_view value) {
  if (auto fine = check_key(key); !fine) return fine;
  if (value.size() > kLargestValue) return fail("a value has at most 1 MiB");
  const Lock lock(mutex_);
  const auto path = file_of(key);
  if (auto room = make_room(path); !room) return room;
  const auto fresh = folder_ / ".new";  // no key's file: they hold no dot, but for a digest's
  {
    File file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file || !file.write_all(value) || !file.sync()) return os_error(fresh);
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) return os_error(path);
  return sync_folder();
}

Result<void> KvFiles::erase(std::string_view key) {
  if (auto fine = check_key(key); !fine) return fine;
  const Lock lock(mutex_);
  const auto path = file_of(key);
  if (unlink(path.c_str()) != 0) return errno == ENOENT ? Result<void>() : os_error(path);
  return sync_folder();
}

Result<void> KvFiles::make_room(const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::create_directories(folder_.parent_path(), error);
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return os_error(folder_);
  if (std::filesystem::exists(file, error)) return {};
  std::size_t keys = 0;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) ++keys;
  if (keys >= kMostKeys) return fail("it keeps 10000 values already");
  return {};
}

Result<void> KvFiles::sync_folder() const {
  File folder(folder_, O_RDONLY | O_DIRECTORY);
  if (!folder || !folder.sync()) return os_error(folder_);
  return {};
}

}  // namespace agentd::plugin
