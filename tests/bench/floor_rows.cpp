#include "tests/bench/floor_rows.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace agentd::bench {
namespace {

[[noreturn]] void die(sqlite3* db, const char* what) {
  std::fprintf(stderr, "sqlite: %s: %s\n", what, sqlite3_errmsg(db));
  std::exit(1);
}

int average(sqlite3* db, const char* sql, int fallback) {
  sqlite3_stmt* find = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &find, nullptr) != SQLITE_OK) die(db, sql);
  int value = fallback;
  if (sqlite3_step(find) == SQLITE_ROW && sqlite3_column_type(find, 0) != SQLITE_NULL) value = sqlite3_column_int(find, 0);
  sqlite3_finalize(find);
  return value;
}

}  // namespace

RowSizes sizes_in(const std::string& file) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) die(db, file.c_str());
  RowSizes sizes = kUsualRows;
  sizes[0] = average(db, "SELECT avg(length(payload)) FROM runs", sizes[0]);
  sizes[1] = average(db, "SELECT avg(length(payload)) FROM records WHERE kind=1", sizes[1]);
  sizes[2] = average(db, "SELECT avg(length(payload)) FROM records WHERE kind=2", sizes[2]);
  sizes[3] = average(db, "SELECT avg(length(payload)) FROM records WHERE kind=3", sizes[3]);
  sizes[4] = average(db, "SELECT avg(length(payload)) FROM records WHERE kind>3", sizes[4]);
  sqlite3_close(db);
  return sizes;
}

FloorRows::FloorRows(const std::string& file, RowSizes sizes, int group) : sizes_(sizes), payload_(static_cast<std::size_t>(*std::ranges::max_element(sizes)), 'x'), group_(group) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::remove((file + suffix).c_str());
  if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) die(db_, file.c_str());
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cache_size=-8192", "PRAGMA temp_store=MEMORY"}) run(pragma);
  run("CREATE TABLE runs(id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, nonce INTEGER NOT NULL, prev INTEGER NOT NULL, key TEXT, status INTEGER NOT NULL, revision INTEGER NOT NULL,"
      " due INTEGER NOT NULL, entered INTEGER NOT NULL, last INTEGER NOT NULL, deaths INTEGER NOT NULL, checksum INTEGER NOT NULL, payload TEXT NOT NULL)");
  run("CREATE UNIQUE INDEX runs_by_agent ON runs(agent, key)");
  run("CREATE TABLE records(position INTEGER PRIMARY KEY, run INTEGER NOT NULL, prev INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL,"
      " checksum INTEGER NOT NULL, payload TEXT NOT NULL)");
  run_ = prepare("INSERT INTO runs VALUES(?1,1,123456,?1,?2,0,1,1767225600000,1767225600000,?1,0,123456789,?3)");
  record_ = prepare("INSERT INTO records VALUES(?1,?1,?1,?2,1767225600000,123456789,?3)");
  begin_ = prepare("BEGIN IMMEDIATE");
  commit_ = prepare("COMMIT");
}

FloorRows::~FloorRows() {
  commit();
  for (auto* statement : {run_, record_, begin_, commit_}) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void FloorRows::run(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) die(db_, sql);
}

sqlite3_stmt* FloorRows::prepare(const char* sql) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(db_, sql, -1, &made, nullptr) != SQLITE_OK) die(db_, sql);
  return made;
}

void FloorRows::write(int row) {
  if (open_ == 0) {
    sqlite3_step(begin_);
    sqlite3_reset(begin_);
  }
  auto* statement = row == 0 ? run_ : record_;
  char key[32];
  const int key_size = std::snprintf(key, sizeof key, "agent@%lld", static_cast<long long>(rows_));
  sqlite3_bind_int64(statement, 1, ++rows_);
  if (row == 0) sqlite3_bind_text(statement, 2, key, key_size, SQLITE_STATIC);
  else sqlite3_bind_int(statement, 2, row);
  sqlite3_bind_text(statement, 3, payload_.data(), sizes_[static_cast<std::size_t>(row)], SQLITE_STATIC);
  if (sqlite3_step(statement) != SQLITE_DONE) die(db_, "insert");
  sqlite3_reset(statement);
  if (++open_ >= group_) commit();
}

void FloorRows::commit() {
  if (open_ == 0) return;
  if (sqlite3_step(commit_) != SQLITE_DONE) die(db_, "commit");
  sqlite3_reset(commit_);
  open_ = 0;
  ++commits_;
}

}  // namespace agentd::bench
