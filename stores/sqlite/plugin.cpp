#include "ledger_slots.hpp"

using namespace agentd;

AGENTD_PLUGIN("sqlite", AGENTD_HOST_VERSION, sdk::provides<sqlite::Ledger>("sqlite", "The ledger in one SQLite file"), sdk::license{"MIT"})
