// A ledger plugin's slots that need no instance, as a port.
#pragma once
#include <memory>
#include <string>

#include "core/plugin/catalog.hpp"
#include "core/port/ledger_files.hpp"

namespace agentd::plugin {

// `settings` as open_ledger would be given them. Of another version than the host's: refused.
Result<std::unique_ptr<port::LedgerFiles>> ledger_files(const Catalog::Found& found, std::string settings);

// Whether several processes may have it open at once.
bool is_shared_ledger(const Catalog::Found& found);

// Why a ledger of another version than the host's is refused.
std::string of_another_host(const Catalog::Found& found);

}  // namespace agentd::plugin
