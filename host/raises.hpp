// A person lets an account spend more today.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/async.hpp"
#include "core/base/clock.hpp"
#include "core/port/ledger.hpp"

namespace agentd::host {

struct Raise {
  std::string scope;         // "host" or "agent:ID"
  std::string resource;      // "cost" or "tokens"
  std::int64_t amount = 0;   // nano-dollars or tokens, more than 0
  std::string by;
};

// Durable first; then the runs that are parked for want of it go on. Answers how many did.
Async<port::LedgerResult<std::size_t>> raise_budget(World world, port::Ledger& ledger, Raise raise);

}  // namespace agentd::host
