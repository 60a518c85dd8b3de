// The ledger as commands use it, without an instance: the slots of agentd_ledger that take settings.
#pragma once
#include <agentd/abi/ledger.h>

#include <cstdint>
#include <string>

namespace agentd::postgres {

void check_files(agentd_str settings, const agentd_ledger_ear* ear) noexcept;

// Both say that a server's tables are copied by the server's own tools.
std::int32_t copy_files(agentd_str settings, agentd_str file, const agentd_ledger_ear* ear) noexcept;
std::int32_t restore_files(agentd_str settings, agentd_str file, std::int64_t now_ms, const agentd_ledger_ear* ear) noexcept;

// Why there is no file to copy, and what to do instead.
std::string use_pg_dump(const std::string& schema);

}  // namespace agentd::postgres
