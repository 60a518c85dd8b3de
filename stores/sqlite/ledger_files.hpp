// The ledger's files as commands use them, without an instance: the slots of agentd_ledger that take settings.
#pragma once
#include <agentd/abi/ledger.h>

#include <cstdint>

namespace agentd::sqlite {

void check_files(agentd_str settings, const agentd_ledger_ear* ear) noexcept;

std::int32_t copy_files(agentd_str settings, agentd_str file, const agentd_ledger_ear* ear) noexcept;
std::int32_t restore_files(agentd_str settings, agentd_str file, std::int64_t now_ms, const agentd_ledger_ear* ear) noexcept;

}  // namespace agentd::sqlite
