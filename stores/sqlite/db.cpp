#include "db.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace agentd::sqlite {
namespace {

constexpr std::uint64_t kCheckpointAt = 16u << 20;  // bytes of WAL that are copied into the file
constexpr std::uint64_t kTruncateAt = 64u << 20;    // bytes of WAL at which the writer waits for readers

}  // namespace

bool DbError::damaged() const {
  switch (primary()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
    case SQLITE_PERM: return false;
    default: return true;
  }
}

Db::Db(const std::filesystem::path& file, Mode mode, Space space) : name_(file.string()) {
  const int code = sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  try {
    if (code != SQLITE_OK) fail(code);
    wait_for_locks(std::chrono::seconds(5));
    if (space == Space::given_back) run("PRAGMA auto_vacuum=INCREMENTAL");  // before anything else is in it; nothing changes afterwards
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("PRAGMA wal_autocheckpoint=0");
    run("PRAGMA journal_size_limit=67108864");
    run("PRAGMA cache_size=-8192");
    run("PRAGMA temp_store=MEMORY");
    if (mode == Mode::read) run("PRAGMA query_only=1");
    Statement size(*this, "PRAGMA page_size");
    if (size.step()) page_size_ = size.integer(0);
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
  const auto remember_size = [](void* self, sqlite3*, const char*, int pages) {
    auto& db = *static_cast<Db*>(self);
    db.wal_bytes_ = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(db.page_size_);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db_, remember_size, this);
}

Db::~Db() { sqlite3_close_v2(db_); }

void Db::wait_for_locks(std::chrono::milliseconds longest) { sqlite3_busy_timeout(db_, static_cast<int>(longest.count())); }

void Db::run(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Db::checkpoint(bool truncate) {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) fail(code);
  if (truncate && code == SQLITE_OK) wal_bytes_ = 0;
}

void Db::bound_wal() {
  if (wal_bytes_ >= kCheckpointAt) checkpoint(wal_bytes_ >= kTruncateAt);
}

void Db::fail(int code) const {
  int extended = db_ && sqlite3_extended_errcode(db_) != SQLITE_OK ? sqlite3_extended_errcode(db_) : code;
  const int system = db_ && (extended & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db_) : 0;
  if (system == ENOSPC || system == EDQUOT) extended = SQLITE_FULL;  // where SQLITE_FULL is not what SQLite makes of it
  if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC) {
    std::fprintf(stderr, "agentd: %s: fsync failed, so nobody can say what is on the disk; the process ends. The next start takes what the disk has\n", name_.c_str());
    std::abort();
  }
  throw DbError(extended, name_ + ": " + (db_ ? sqlite3_errmsg(db_) : sqlite3_errstr(code)));
}

void Statement::prepare() {
  if (!statement_) check(sqlite3_prepare_v3(db_.raw(), sql_.c_str(), static_cast<int>(sql_.size() + 1), SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
}

bool Statement::step() {
  prepare();
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  try {
    db_.fail(code);
  } catch (...) {
    reset();
    throw;
  }
}

void Statement::bind_one(int index, std::string_view text) {
  const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
  check(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return data ? std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string_view();
}

Db::Db(const std::filesystem::path& file, Mode mode, std::initializer_list<const char*> steps) : Db(file, mode) {
  Transaction transaction(*this);
  Statement version(*this, "PRAGMA user_version");
  const auto found = version.step() ? version.integer(0) : 0;
  version.reset();
  if (found > static_cast<std::int64_t>(steps.size())) throw DbError(SQLITE_ERROR, name_ + " was written by a newer agentd (version " + std::to_string(found) + "); use that one");
  for (auto step = steps.begin() + found; step != steps.end(); ++step) run(*step);
  if (found < static_cast<std::int64_t>(steps.size())) run(("PRAGMA user_version=" + std::to_string(steps.size())).c_str());
  transaction.commit();
}

void Transaction::commit() {
  db_->run("COMMIT");
  db_ = nullptr;
}

Transaction::~Transaction() {
  if (!db_ || sqlite3_get_autocommit(db_->raw())) return;
  if (sqlite3_exec(db_->raw(), "ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK || sqlite3_get_autocommit(db_->raw())) return;
  std::fprintf(stderr, "agentd: sqlite cannot roll back: %s\n", sqlite3_errmsg(db_->raw()));
  std::abort();
}

}  // namespace agentd::sqlite
