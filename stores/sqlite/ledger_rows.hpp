// What stands in the ledger's tables, and the checksums that tie each row to its place.
#pragma once
#include <agentd/abi/ledger.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "checksum.hpp"
#include "db.hpp"

namespace agentd::sqlite {

// A row that is not what was written. The place is a position.
struct CorruptError : std::runtime_error {
  explicit CorruptError(std::int64_t where)
      : std::runtime_error("ledger.db: position " + std::to_string(where) + " is damaged: its checksum does not fit"), position(where) {}
  std::int64_t position;
};

// What is left of a run that was removed: no run to anybody.
inline constexpr std::int64_t kRemovedRun = 0;
inline bool is_final(std::int64_t status) { return status >= AGENTD_RUN_COMPLETED; }

// What of a run's row never changes. Its checksum is the base of the row's.
struct RunBody {
  std::int64_t id = 0, agent = 0, nonce = 0;
  std::int64_t prev = 0;  // the agent's run before; 0: it is the first
  std::string_view key, payload;
  std::int64_t revision = 0, entered = 0;
  std::int64_t checksum() const { return Checksum().add(id).add(agent).add(nonce).add(prev).add(key).add(payload).add(revision).add(entered).value(); }
};

// What of it changes: only when the run waits, is given back or ends, and when its worker has died.
struct RunState {
  std::int64_t status = AGENTD_RUN_QUEUED, due = 0, last = 0;
  std::int64_t deaths = 0;  // workers that died while they held it
  std::int64_t checksum(std::int64_t body) const { return Checksum(body).add(status).add(due).add(last).add(deaths).value(); }
};

struct RunRow {
  static constexpr const char* kColumns = "id,agent,nonce,prev,key,status,revision,due,entered,last,deaths,checksum,payload";
  static constexpr int kColumnCount = 13;
  RunBody body;
  RunState state;
  bool fits = false;                          // the checksum does
  explicit RunRow(const Statement& s, int first = 0);  // of a row that selects kColumns from column `first`; borrows from it
};

struct RecordRow {
  static constexpr const char* kColumns = "position,run,prev,kind,at,checksum,payload";
  std::int64_t position = 0, run = 0, prev = 0, kind = 0, at = 0;
  std::string_view payload;
  bool fits = false;
  RecordRow() = default;
  explicit RecordRow(const Statement& s);
  std::int64_t checksum() const { return Checksum().add(position).add(run).add(prev).add(kind).add(at).add(payload).value(); }
};

// An entry as it came in: a run that was refused has its final status from the beginning, and no record.
inline std::int32_t status_at_entry(const RunRow& row) {
  const bool refused = row.state.last == row.body.id && is_final(row.state.status);
  return refused ? static_cast<std::int32_t>(row.state.status) : static_cast<std::int32_t>(AGENTD_RUN_QUEUED);
}

}  // namespace agentd::sqlite
