// SQLite's C interface with owners. Failures are thrown as DbError and caught where a group, a read or a slot ends: whatever went wrong
// in between, the transaction is rolled back and nothing else has to be undone by hand.
#pragma once
#include <agentd/sdk/error.hpp>
#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace agentd::sqlite {

struct DbError : std::runtime_error {
  DbError(int extended_code, const std::string& message) : std::runtime_error(message), code(extended_code) {}
  bool disk_full() const { return primary() == SQLITE_FULL; }
  bool locked() const { return primary() == SQLITE_BUSY || primary() == SQLITE_LOCKED; }  // somebody else has the file
  bool damaged() const;  // what is there is not what was written: it will be so the next time too
  int primary() const { return code & 0xff; }
  int code;
};

// One connection, in WAL mode with synchronous=FULL. One thread at a time.
// A failed fsync ends the process: nobody can say what is durable afterwards, and asking the disk again answers wrongly.
class Db {
 public:
  enum class Mode { write, read };
  // What of a file that is new becomes free may be given back to the disk, for a little more to write.
  enum class Space { kept, given_back };
  Db(const std::filesystem::path& file, Mode mode, Space space = Space::kept);
  // Of a file whose version is the number of steps that made it: what is missing is done in one transaction, a newer one is refused.
  Db(const std::filesystem::path& file, Mode mode, std::initializer_list<const char*> steps);
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  // How long a statement waits for somebody else's lock; 5 s until this says otherwise.
  void wait_for_locks(std::chrono::milliseconds longest);
  void run(const char* sql);
  std::int64_t changes() const { return sqlite3_changes64(db_); }
  std::uint64_t wal_bytes() const { return wal_bytes_; }  // after the latest commit
  // Copies a WAL that has grown into the file, so that it is begun anew; what readers hold back is left for the next time.
  void bound_wal();
  void checkpoint(bool truncate);
  sqlite3* raw() const { return db_; }
  const std::string& name() const { return name_; }  // the file, as messages tell it
  [[noreturn]] void fail(int code) const;

 private:
  sqlite3* db_ = nullptr;
  std::string name_;
  std::uint64_t wal_bytes_ = 0;
  std::int64_t page_size_ = 4096;
};

// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

// A statement, prepared when it is first used and kept for the life of its connection: most processes need few of those there are.
// What is bound and what is read is borrowed until the next call.
class Statement {
 public:
  Statement(Db& db, std::string sql) : db_(db), sql_(std::move(sql)) {}
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... A>
  void exec(const A&... arguments) {
    bind(arguments...);
    while (step()) {}
  }
  template <class... A>
  void bind(const A&... arguments) {
    prepare();
    reset();
    int index = 0;
    (bind_one(++index, arguments), ...);
  }
  bool step();  // true: there is a row. At the end the statement is reset
  void reset() { sqlite3_reset(statement_); }

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string_view bytes(int column) const;  // of text or a blob
  std::string text(int column) const { return std::string(bytes(column)); }

 private:
  void prepare();
  void bind_one(int index, std::int64_t value) { check(sqlite3_bind_int64(statement_, index, value)); }
  void bind_one(int index, std::string_view text);
  void bind_one(int index, Blob blob) { check(sqlite3_bind_blob64(statement_, index, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC)); }
  void bind_one(int index, std::nullptr_t) { check(sqlite3_bind_null(statement_, index)); }
  void bind_one(int index, const std::optional<std::string_view>& text) { text ? bind_one(index, *text) : bind_one(index, nullptr); }
  void check(int code) {
    if (code != SQLITE_OK) db_.fail(code);
  }
  Db& db_;
  const std::string sql_;
  sqlite3_stmt* statement_ = nullptr;
};

// A statement that is read row by row ends its transaction when the reader leaves, however it leaves.
class Reading {
 public:
  template <class... A>
  explicit Reading(Statement& statement, const A&... arguments) : statement_(statement) {
    statement_.bind(arguments...);
  }
  ~Reading() { statement_.reset(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  bool next() { return statement_.step(); }
  const Statement* operator->() const { return &statement_; }
  const Statement& operator*() const { return statement_; }

 private:
  Statement& statement_;
};

// A body of a slot: what SQLite says becomes what the host understands.
template <class F>
auto answering(F&& body) {
  try {
    return body();
  } catch (const DbError& e) {
    const bool again = e.disk_full() || e.locked();
    throw sdk::Error(e.what(), again ? sdk::Failure::retryable : sdk::Failure::terminal);
  }
}

// BEGIN IMMEDIATE to COMMIT; rolled back when it is left before. When even that fails, the connection's state is unknown: it aborts.
class Transaction {
 public:
  explicit Transaction(Db& db) : db_(&db) { db.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  void commit();

 private:
  Db* db_;
};

// Reads that see the file as it is at one instant. Short, or the writer's checkpoints wait for it.
class Snapshot {
 public:
  explicit Snapshot(Db& db) : db_(db) { db.run("BEGIN"); }
  ~Snapshot() { sqlite3_exec(db_.raw(), "COMMIT", nullptr, nullptr, nullptr); }  // of reads alone: nothing can be lost
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Db& db_;
};

}  // namespace agentd::sqlite
