// The rows of a run with the bare SQLite: the ledger's two tables and their one index, the same pragmas, groups of a given size.
#pragma once
#include <array>
#include <cstdint>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace agentd::bench {

// Bytes of payload of the five rows of a run, in order: entered, started, answered, tool finished, ended.
using RowSizes = std::array<int, 5>;
constexpr RowSizes kUsualRows = {130, 330, 330, 330, 330};
// Those of a ledger that ours has written: averages by kind of row.
RowSizes sizes_in(const std::string& ledger_file);

class FloorRows {
 public:
  FloorRows(const std::string& file, RowSizes sizes, int group);
  ~FloorRows();
  FloorRows(const FloorRows&) = delete;
  FloorRows& operator=(const FloorRows&) = delete;

  void write(int row);  // 0 to 4; commits when the group is full
  void commit();
  std::int64_t rows() const { return rows_; }
  std::int64_t commits() const { return commits_; }

 private:
  void run(const char* sql);
  sqlite3_stmt* prepare(const char* sql);

  sqlite3* db_ = nullptr;
  sqlite3_stmt *run_ = nullptr, *record_ = nullptr, *begin_ = nullptr, *commit_ = nullptr;
  RowSizes sizes_;
  std::string payload_;
  int group_, open_ = 0;
  std::int64_t rows_ = 0, commits_ = 0;
};

}  // namespace agentd::bench
