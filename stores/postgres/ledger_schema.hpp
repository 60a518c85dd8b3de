// The ledger's tables.
#pragma once
#include "migrations.hpp"

namespace agentd::postgres {

extern const Migrations kLedgerTables;

// What others are told on, once per group.
std::string channel_of(const std::string& schema);

}  // namespace agentd::postgres
