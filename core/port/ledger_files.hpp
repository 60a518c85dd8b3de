// A ledger's files without opening it: what commands do beside a host, or without one.
#pragma once
#include <string>
#include <vector>

#include "core/base/ids.hpp"

namespace agentd::port {

struct LedgerFinding {
  Position position = 0;  // 0: of the whole
  RunId run;              // whose row it is; none: the host's or an agent's
  std::string text;
};

struct LedgerReport {
  std::vector<LedgerFinding> found;  // what is wrong; empty: nothing is, or it was done
  std::vector<std::string> told;     // worth saying
};

// Blocks; one thread at a time.
class LedgerFiles {
 public:
  virtual ~LedgerFiles() = default;
  // Every row's checksum and the chains that it stands in. Reads alone, also while a host serves.
  virtual LedgerReport check() = 0;
};

}  // namespace agentd::port
