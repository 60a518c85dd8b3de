// Every row of the ledger's tables, looked at: its checksum, the chain that it stands in, and that no position is missing.
#pragma once
#include <agentd/abi/ledger.h>

#include <functional>
#include <string>

#include "connection.hpp"

namespace agentd::postgres {

struct Finding {
  std::int64_t position = 0;  // 0: of the whole
  agentd_run_id run{};        // whose; none: the host's or an agent's
  std::string text;
};

struct Seen {
  std::int64_t runs = 0, records = 0;
};

// Reads alone, in short transactions, so that hosts may write meanwhile: what is there when it begins is looked at. No more than 1,000
// findings are told. Throws PgError.
Seen check_ledger(Connection& connection, std::function<void(const Finding&)> found);

}  // namespace agentd::postgres
