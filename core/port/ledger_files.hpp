// A ledger's files without opening it: what commands do beside a host, or without one.
#pragma once
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace agentd::port {

struct LedgerFinding {
  Position position = 0;  // 0: of the whole
  RunId run;              // whose row it is; none: the host's or an agent's
  std::string text;
};

struct LedgerReport {
  std::vector<LedgerFinding> found;  // what is wrong; empty: nothing is, or it was done
  std::vector<std::string> told;     // worth saying
  bool in_use = false;               // nothing was done because another process has the ledger open
};

// Blocks; one thread at a time.
class LedgerFiles {
 public:
  virtual ~LedgerFiles() = default;
  // Every row's checksum and the chains that it stands in. Reads alone, also while a host serves.
  virtual LedgerReport check() = 0;
  // A copy of what no process has open; `file` is complete or as it was before. in_use: a process has it open.
  virtual LedgerReport copy(const std::string& file) = 0;
  // Puts a backup in the ledger's place and keeps what was there under another name. It goes on as another epoch: no position is given
  // again that any ledger at this place has given, and every claim is void. A backup that check() finds fault with is refused.
  virtual LedgerReport restore(const std::string& file, Instant now) = 0;
};

}  // namespace agentd::port
