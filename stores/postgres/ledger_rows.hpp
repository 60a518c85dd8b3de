// Rows of the ledger's tables as they are read.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

#include "connection.hpp"
#include "stores/ledger/rows.hpp"

namespace agentd::postgres {

using namespace ledger;

// A row that is not what was written. The place is a position.
struct CorruptError : std::runtime_error {
  explicit CorruptError(std::int64_t where) : std::runtime_error("position " + std::to_string(where) + " is damaged: its checksum does not fit"), position(where) {}
  std::int64_t position;
};

// A run with its agent's name; borrows from the rows.
struct RunRow {
  static constexpr int kColumns = 17;
  RunBody body;
  RunState state;
  std::int64_t said = 0, generation = 0, worker = 0;
  bool aside = false;
  std::string_view agent;
  bool fits = false;  // the checksum does
  RunRow(const Rowset& rows, int row, int first = 0);  // of rows that AGENTD_RUN_ROW selects from column `first`
};
#define AGENTD_RUN_COLUMNS "r.id,r.agent,r.nonce,r.revision,r.due,r.entered,r.said,r.last,r.generation,r.worker,r.checksum,r.deaths,r.status,r.aside,r.key,r.payload,a.name"
#define AGENTD_RUN_FROM " FROM runs r LEFT JOIN agents a ON a.id=r.agent "
#define AGENTD_RUN_ROW AGENTD_RUN_COLUMNS AGENTD_RUN_FROM

struct RecordRow : RecordBody {
  bool fits = false;
  RecordRow() = default;
  RecordRow(const Rowset& rows, int row);  // of rows that begin with AGENTD_RECORD_COLUMNS
};
#define AGENTD_RECORD_COLUMNS "c.position,c.run,c.prev,c.kind,c.at,c.checksum,c.payload"

// An entry as it came in: a run that was refused has its final status from the beginning, and no record.
inline std::int32_t status_at_entry(const RunRow& row) {
  const bool refused = row.state.last == row.body.id && is_final(row.state.status);
  return refused ? static_cast<std::int32_t>(row.state.status) : static_cast<std::int32_t>(AGENTD_RUN_QUEUED);
}

}  // namespace agentd::postgres
