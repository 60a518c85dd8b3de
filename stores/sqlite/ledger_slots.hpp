// The ledger's table, and what makes provides<Ledger>() work.
#pragma once
#include <agentd/sdk/plugin.hpp>

#include "ledger.hpp"

namespace agentd::sqlite {

struct LedgerSlots : sdk::detail::Slots<sdk::detail::Instance<Ledger>> {
  static const agentd_ledger* table();
};

}  // namespace agentd::sqlite

namespace agentd::sdk::detail {

template <>
struct Kind<sqlite::Ledger> {
  static constexpr const char* interface_id = AGENTD_LEDGER_ID;
  static const void* table() { return sqlite::LedgerSlots::table(); }
  static std::vector<std::string> services() { return {AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1, AGENTD_HOST_TIMER_1, AGENTD_HOST_LEDGER_1}; }
};

}  // namespace agentd::sdk::detail
