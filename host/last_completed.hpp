// What an agent last got done, which no replay of it is.
#pragma once
#include <optional>
#include <string>

#include "core/port/ledger.hpp"

namespace agentd::host {

// The newest completed run of an agent that came in before a position (0: of all); nothing: there is none. A replay is passed
// over.
Async<port::LedgerResult<std::optional<port::RunRow>>> last_completed(port::Ledger& ledger, std::string agent_id,
                                                                      Position before = 0);

// When that run ended.
Async<port::LedgerResult<std::optional<Instant>>> completed_at(port::Ledger& ledger, std::string agent_id);

}  // namespace agentd::host
