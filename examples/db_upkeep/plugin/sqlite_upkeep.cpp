// The native task `sqlite_upkeep`: checks a SQLite database, keeps its statistics fresh, and gives pages it no longer needs back to the
// disk. Twice is as good as once. It ends when the run does: every statement asks now and then whether it still may.
#include <agentd/sdk/task.hpp>
#include <sqlite3.h>

#include <cmath>
#include <filesystem>
#include <memory>

using namespace agentd::sdk;

namespace {

// One connection, and errors as agentd knows them. A lock that others hold, and a full disk, may be gone at the next try.
class Database {
 public:
  Database(const std::string& path, Run& run) : path_(path) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);  // never makes one
    db_.reset(opened);
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_timeout(opened, 5000);
    sqlite3_progress_handler(opened, 10'000, [](void* of) { return static_cast<Run*>(of)->cancelled() ? 1 : 0; }, &run);
  }

  // The first column of every row.
  std::vector<std::string> texts(const char* sql) {
    std::vector<std::string> rows;
    const auto keep = [](void* to, int columns, char** values, char**) {
      if (columns > 0 && values[0]) static_cast<std::vector<std::string>*>(to)->emplace_back(values[0]);
      return 0;
    };
    const int code = sqlite3_exec(db_.get(), sql, keep, &rows, nullptr);
    if (code != SQLITE_OK) fail(code);
    return rows;
  }
  int64_t number(const char* sql) {
    const auto rows = texts(sql);
    return rows.empty() ? 0 : std::stoll(rows.front());
  }
  void execute(const char* sql) { texts(sql); }

 private:
  [[noreturn]] void fail(int code) const {
    const std::string why = path_ + ": " + (db_ ? sqlite3_errmsg(db_.get()) : "out of memory");
    if (code == SQLITE_INTERRUPT) throw Error(why, Failure::cancelled);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL) throw Error(why, Failure::retryable);
    throw Error(why);
  }
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
};

struct Report {
  std::string summary;
  int64_t bytes_before = 0, bytes_after = 0;
  double free_percent = 0;  // of its pages, before
  bool vacuumed = false;
  int64_t grown_bytes = 0;  // since the last upkeep
  AGENTD_FIELDS(summary, bytes_before, bytes_after, free_percent, vacuumed, grown_bytes)
};

// VACUUM writes the database anew beside the old one, and then over it.
bool has_room_for_two(const std::string& database, int64_t bytes) {
  std::error_code error;
  const auto folder = std::filesystem::path(database).parent_path();
  const auto space = std::filesystem::space(folder, error);
  return !error && space.available > 2 * static_cast<uint64_t>(bytes);
}

struct SqliteUpkeep : Task {
  struct Params {
    Required<std::string> database;      // a file that is there
    double vacuum_above_percent = 20;    // of its pages are free
    AGENTD_FIELDS(database, vacuum_above_percent)
  };

  Outcome run(const Params& params, Run& run) {
    const std::string& path = *params.database;
    Database db(path, run);
    check(db, path);

    Report report;
    const auto size = [&] { return db.number("PRAGMA page_count") * db.number("PRAGMA page_size"); };
    report.bytes_before = size();
    const auto pages = static_cast<double>(db.number("PRAGMA page_count")), free = static_cast<double>(db.number("PRAGMA freelist_count"));
    report.free_percent = pages > 0 ? std::round(1000 * free / pages) / 10 : 0;
    db.execute("PRAGMA optimize");
    std::string says = "sound";
    if (report.free_percent >= params.vacuum_above_percent && !has_room_for_two(path, report.bytes_before)) {
      says += "; not vacuumed: the disk has no room for a second copy";
    } else if (report.free_percent >= params.vacuum_above_percent) {
      db.execute("VACUUM");
      report.vacuumed = true;
    }
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    report.bytes_after = size();
    report.grown_bytes = report.bytes_after - run.state_as<int64_t>().value_or(report.bytes_after);
    report.summary = says + "; " + std::to_string((report.bytes_before - report.bytes_after) / 1024) + " KiB given back";
    return Outcome::result(report).state(report.bytes_after);
  }

 private:
  // A damaged file is left as it is: what is wrong with it is evidence.
  static void check(Database& db, const std::string& path) {
    const auto found = db.texts("PRAGMA integrity_check(3)");
    if (found.size() == 1 && found.front() == "ok") return;
    throw Error(path + " is damaged: " + (found.empty() ? "the check found no answer" : found.front()));
  }
};

}  // namespace

AGENTD_PLUGIN("sqlite_upkeep", "1.0.0", provides<SqliteUpkeep>("sqlite_upkeep", "Checks a SQLite database and keeps it small"), license{"MIT"})
