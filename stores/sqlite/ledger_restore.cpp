#include "ledger_restore.hpp"

#include <agentd/sdk/error.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>

#include "ledger_backup.hpp"
#include "ledger_open.hpp"
#include "ledger_schema.hpp"

namespace agentd::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPositionsOfAMillisecond = 1024;
constexpr std::chrono::milliseconds kReaderPatience{100};
constexpr std::array kBeside = {"-wal", "-shm", "-journal"};  // SQLite plays what it finds there into whatever file has the name

fs::path beside(const fs::path& file, const char* suffix) { return file.string() + suffix; }

void clear_away(const fs::path& file) {
  fs::remove(file);
  for (const char* suffix : kBeside) fs::remove(beside(file, suffix));
}

// A file of its own beside the ledger, gone unless it takes the ledger's place.
class Newcomer {
 public:
  Newcomer(const fs::path& backup, const fs::path& ledger) : file_(beside(ledger, ".restored")) {
    if (!fs::is_regular_file(backup)) throw sdk::Error(backup.string() + ": there is no such file");
    std::error_code none;
    if (fs::file_size(beside(backup, "-wal"), none) > 0 && !none) throw sdk::Error(backup.string() + " has a -wal beside it: it is in use, or no backup");
    clear_away(file_);
    fs::copy_file(backup, file_);
    fs::permissions(file_, fs::perms::owner_read | fs::perms::owner_write);
  }
  ~Newcomer() {
    std::error_code none;
    fs::remove(file_, none);
    for (const char* suffix : kBeside) fs::remove(beside(file_, suffix), none);
  }
  Newcomer(const Newcomer&) = delete;
  Newcomer& operator=(const Newcomer&) = delete;
  const fs::path& file() const { return file_; }

 private:
  const fs::path file_;
};

// What is wrong with the copy is wrong with the backup, which is the file that a person knows.
[[noreturn]] void tell_of(const fs::path& backup, const fs::path& copy, std::string message) {
  if (message.starts_with(copy.string())) message.replace(0, copy.string().size(), backup.string());
  throw sdk::Error(message);
}

void refuse_damage(const fs::path& backup, const fs::path& copy, const std::function<void(const Finding&)>& found) {
  std::int64_t findings = 0;
  check_ledger(copy, [&](const Finding& finding) { ++findings, found(finding); });
  if (findings > 0) throw sdk::Error(backup.string() + " is damaged and was not restored");
}

// What a file that is to be replaced says of itself, where it can be read.
struct Known {
  std::int64_t next = 1, session = 0;
};
std::optional<Known> known_of(const fs::path& ledger) try {
  if (!fs::exists(ledger)) return std::nullopt;
  Db db(ledger, Db::Mode::write);
  db.wait_for_locks(kReaderPatience);
  if (is_new(db)) return std::nullopt;
  const Known known{next_position(db), read_meta(db, meta::kSession)};
  db.checkpoint(true);
  return known;
} catch (const DbError& e) {
  if (e.locked()) throw;
  return std::nullopt;
}

// The log of one that can be read is empty by now, unless somebody keeps it from being played.
void refuse_reader(const fs::path& ledger) {
  std::error_code none;
  if (fs::file_size(beside(ledger, "-wal"), none) > 0 && !none) throw sdk::Error(ledger.string() + ": another process reads it; try again when that has closed it");
}

// An older backup's file keeps its free pages for itself: it is written anew, once.
void let_it_give_back_space(Db& db) {
  Statement mode(db, "PRAGMA auto_vacuum");
  const bool gives_back = mode.step() && mode.integer(0) == 2;
  mode.reset();
  if (gives_back) return;
  db.run("PRAGMA auto_vacuum=INCREMENTAL");
  db.run("VACUUM");
}

std::int64_t begin_anew(const fs::path& copy, const Known& old, std::int64_t now_ms) {
  Db db(copy, Db::Mode::write);
  prepare_schema(db);
  let_it_give_back_space(db);
  std::int64_t live = 0;
  {
    Transaction transaction(db);
    const auto next = next_position(db);
    const auto begin = std::max({next, old.next, now_ms * kPositionsOfAMillisecond});
    Statement put(db, "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value");
    put.exec(std::string_view(meta::kRemoved), read_meta(db, meta::kRemoved) + begin - next);
    put.exec(std::string_view(meta::kNext), begin);
    put.exec(std::string_view(meta::kRestored), std::int64_t{1});
    put.exec(std::string_view(meta::kSession), std::max(read_meta(db, meta::kSession), old.session) + 1);
    db.run("UPDATE meta SET value=lower(hex(randomblob(16))) WHERE key='epoch'");
    Statement count(db, "SELECT count(*) FROM runs WHERE id>=? AND status>0 AND status<10");
    count.bind(read_meta(db, meta::kLiveFrom));
    if (count.step()) live = count.integer(0);
    count.reset();
    transaction.commit();
  }
  db.checkpoint(true);
  return live;
}

bool move_if_there(const fs::path& from, const fs::path& to) {
  const bool moved = ::rename(from.c_str(), to.c_str()) == 0;
  if (!moved && errno != ENOENT) throw sdk::Error(from.string() + ": " + std::strerror(errno));
  return moved;
}

bool is_free(const fs::path& name) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".claims"})
    if (fs::exists(beside(name, suffix))) return false;
  return true;
}

// "ledger.db.replaced-20261122T173000Z", or with a number behind it.
fs::path free_name(const fs::path& ledger, std::int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, ".replaced-%Y%m%dT%H%M%SZ", &utc);
  const auto name = beside(ledger, text);
  for (int n = 1;; ++n)
    if (const auto some = n == 1 ? name : fs::path(name.string() + "-" + std::to_string(n)); is_free(some)) return some;
}

// In the ledger's place, by steps of which each is on the disk before the next begins. First goes what would be played into the new one.
// The old one gets a second name before the new one takes the first, so that there is one at any time. The marks of claims go last: until
// there is a ledger they keep a host from beginning anew, and the new one knows that they are not its own.
void take_place(const fs::path& newcomer, const fs::path& ledger, Restored& restored, std::int64_t now_ms) {
  const auto folder = ledger.parent_path();
  const auto name = free_name(ledger, now_ms);
  bool remains = false;
  for (const char* suffix : kBeside) remains |= move_if_there(beside(ledger, suffix), beside(name, suffix));
  const bool was_there = ::link(ledger.c_str(), name.c_str()) == 0;
  if (!was_there && errno != ENOENT) throw sdk::Error(name.string() + ": " + std::strerror(errno));
  sync_folder(folder);
  fs::rename(newcomer, ledger);
  sync_folder(folder);
  remains |= move_if_there(beside(ledger, ".claims"), beside(name, ".claims"));
  sync_folder(folder);
  restored.kept = was_there ? Restored::Kept::ledger : remains ? Restored::Kept::remains : Restored::Kept::nothing;
  restored.kept_as = name;
}

}  // namespace

Restored restore_ledger(const fs::path& backup, const fs::path& ledger, std::int64_t now_ms, std::function<void(const Finding&)> found) {
  std::error_code same;
  if (fs::equivalent(backup, ledger, same)) throw sdk::Error(backup.string() + " is the ledger itself");
  const Newcomer newcomer(backup, ledger);
  Restored restored;
  try {
    refuse_damage(backup, newcomer.file(), found);
    const auto old = known_of(ledger);
    if (old) refuse_reader(ledger);
    restored.live = begin_anew(newcomer.file(), old.value_or(Known()), now_ms);
  } catch (const DbError& e) {
    tell_of(backup, newcomer.file(), e.what());
  } catch (const sdk::Error& e) {
    tell_of(backup, newcomer.file(), e.what());
  }
  for (const char* suffix : kBeside) fs::remove(beside(newcomer.file(), suffix));
  sync_file(newcomer.file());
  take_place(newcomer.file(), ledger, restored, now_ms);
  return restored;
}

}  // namespace agentd::sqlite
