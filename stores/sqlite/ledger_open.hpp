// From a file to a mirror: what lives, what waits, and where the log goes on.
#pragma once
#include <memory>
#include <string>

#include "claim_marks.hpp"
#include "ledger_rows.hpp"
#include "stores/ledger/mirror.hpp"

namespace agentd::sdk {
class Host;
}

namespace agentd::sqlite {

struct Opened {
  std::unique_ptr<Mirror> mirror;
  std::int64_t next_position = 1, next_agent = 1;
  std::string epoch;
};

// Brings the schema up to date, begins a session, and with it ends every earlier claim: runs that had been claimed may be claimed again,
// and each of these claims is one death more; but not what was claimed when a backup was made, of whose end a restored ledger knows nothing. A live
// run whose row is damaged is logged and left out.
Opened open_ledger(Db& db, ClaimMarks& marks, const sdk::Host& host);

// Where the log goes on: behind every position that was ever given.
std::int64_t next_position(Db& db);

}  // namespace agentd::sqlite
