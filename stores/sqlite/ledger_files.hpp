// The ledger's files as commands use them, without an instance: the slots of agentd_ledger that take settings.
#pragma once
#include <agentd/abi/ledger.h>

namespace agentd::sqlite {

void check_files(agentd_str settings, const agentd_ledger_ear* ear) noexcept;

}  // namespace agentd::sqlite
