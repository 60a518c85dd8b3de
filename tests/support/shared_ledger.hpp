// What a ledger that is shared says of claims and clocks, as a test sets it.
#pragma once
#include <cstdlib>

#include "core/port/ledger_sharing.hpp"

namespace agentd::support {

class SharedLedger final : public port::LedgerSharing {
 public:
  port::ClaimState claim = port::ClaimState::held;
  bool agree = true;

  bool is_shared() const override { return true; }
  Async<port::LedgerResult<std::vector<std::uint64_t>>> lease(std::vector<std::string>) override { std::abort(); }
  port::ClaimState claim_state(RunId, std::uint64_t) const override { return claim; }
  bool clocks_agree() const override { return agree; }
  Async<port::LedgerResult<std::vector<port::WorkerSession>>> sessions() override { std::abort(); }
};

}  // namespace agentd::support
