#include "ledger_backup.hpp"

#include <agentd/sdk/error.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace agentd::sqlite {
namespace {

constexpr int kPagesAtOnce = 256;
constexpr std::uintmax_t kRoomToLeave = 16u << 20;  // bytes: for the ledger itself, when both are on one disk

[[noreturn]] void refuse(const std::filesystem::path& file, const char* what) { throw sdk::Error(file.string() + ": " + what + std::strerror(errno)); }

void sync(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) refuse(path, "");
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  if (!synced) refuse(path, "fsync: ");
}

std::filesystem::path folder_of(const std::filesystem::path& file) { return file.has_parent_path() ? file.parent_path() : std::filesystem::path("."); }

std::int64_t size_of(Db& db) {
  Statement pages(db, "PRAGMA page_count"), size(db, "PRAGMA page_size");
  return pages.step() && size.step() ? pages.integer(0) * size.integer(0) : 0;
}

void check_room(const std::filesystem::path& folder, std::int64_t size) {
  std::error_code error;
  const auto room = std::filesystem::space(folder, error);
  if (error || room.available >= static_cast<std::uintmax_t>(size) + kRoomToLeave) return;
  throw sdk::Error(folder.string() + " has room for " + std::to_string(room.available >> 20) + " MiB; the copy takes " + std::to_string(size >> 20) + " MiB, and 16 MiB are left free");
}

}  // namespace

void refuse_own(const std::filesystem::path& ledger, const std::filesystem::path& file) {
  std::error_code none;
  const bool beside = std::filesystem::equivalent(folder_of(file), folder_of(ledger), none);
  if ((beside && file.filename().string().starts_with(ledger.filename().string())) || std::filesystem::equivalent(file, ledger, none))
    throw sdk::Error(file.string() + " is the ledger itself or belongs to it; name another file for the copy");
}

void sync_file(const std::filesystem::path& file) { sync(file, O_RDONLY); }
void sync_folder(const std::filesystem::path& folder) { sync(folder, O_RDONLY | O_DIRECTORY); }

Backup::Backup(Db& source, std::filesystem::path file) : file_(std::move(file)), part_(file_.string() + ".part") {
  refuse_own(source.name(), file_);
  check_room(folder_of(file_), size_of(source));
  ::unlink(part_.c_str());
  const int fd = ::open(part_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) refuse(part_, "");
  ::close(fd);
  const int opened = sqlite3_open_v2(part_.c_str(), &copy_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (opened == SQLITE_OK) {  // nobody needs a part of it
    sqlite3_exec(copy_, "PRAGMA journal_mode=OFF", nullptr, nullptr, nullptr);
    sqlite3_exec(copy_, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
    backup_ = sqlite3_backup_init(copy_, "main", source.raw(), "main");
  }
  if (backup_) return;
  const DbError why(opened == SQLITE_OK ? sqlite3_extended_errcode(copy_) : opened, part_.string() + ": " + sqlite3_errmsg(copy_));
  sqlite3_close_v2(copy_);
  ::unlink(part_.c_str());
  throw why;
}

Backup::~Backup() {
  if (backup_) sqlite3_backup_finish(backup_);
  if (copy_) sqlite3_close_v2(copy_);
  if (!kept_) ::unlink(part_.c_str());
}

bool Backup::step() {
  const int code = sqlite3_backup_step(backup_, kPagesAtOnce);
  if (code == SQLITE_OK) return true;
  if (code == SQLITE_DONE) return false;
  fail(code);
}

void Backup::fail(int code) const {
  const bool locked = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
  throw DbError(code, part_.string() + ": " + (locked ? "another process has locked the ledger; try again" : sqlite3_errstr(code)));
}

void Backup::let_go() {
  const int code = sqlite3_backup_finish(std::exchange(backup_, nullptr));
  if (code != SQLITE_OK) fail(code);
  sqlite3_close_v2(std::exchange(copy_, nullptr));
}

void Backup::keep() {
  sync_file(part_);
  if (::rename(part_.c_str(), file_.c_str()) != 0) refuse(file_, "");
  kept_ = true;
  sync_folder(folder_of(file_));
}

}  // namespace agentd::sqlite
