// Rows of the ledger's tables as they are read.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "db.hpp"
#include "stores/ledger/rows.hpp"

namespace agentd::sqlite {

using namespace ledger;

// A row that is not what was written. The place is a position.
struct CorruptError : std::runtime_error {
  explicit CorruptError(std::int64_t where)
      : std::runtime_error("ledger.db: position " + std::to_string(where) + " is damaged: its checksum does not fit"), position(where) {}
  std::int64_t position;
};

struct RunRow {
  static constexpr const char* kColumns = "id,agent,nonce,prev,key,status,revision,due,entered,last,deaths,checksum,payload";
  static constexpr int kColumnCount = 13;
  RunBody body;
  RunState state;
  bool fits = false;                          // the checksum does
  explicit RunRow(const Statement& s, int first = 0);  // of a row that selects kColumns from column `first`; borrows from it
};

struct RecordRow : RecordBody {
  static constexpr const char* kColumns = "position,run,prev,kind,at,checksum,payload";
  bool fits = false;
  RecordRow() = default;
  explicit RecordRow(const Statement& s);
};

// An entry as it came in: a run that was refused has its final status from the beginning, and no record.
inline std::int32_t status_at_entry(const RunRow& row) {
  const bool refused = row.state.last == row.body.id && is_final(row.state.status);
  return refused ? static_cast<std::int32_t>(row.state.status) : static_cast<std::int32_t>(AGENTD_RUN_QUEUED);
}

}  // namespace agentd::sqlite
