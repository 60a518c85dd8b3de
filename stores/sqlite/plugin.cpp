#include "events.hpp"
#include "ledger.hpp"
#include "memory.hpp"

using namespace agentd;

AGENTD_PLUGIN("sqlite", AGENTD_HOST_VERSION, sdk::provides<sqlite::Ledger>("sqlite", "The ledger in one SQLite file"),
              sdk::provides<sqlite::Memory>("sqlite", "Memory with full-text search in one SQLite file"),
              sdk::provides<sqlite::Events>("sqlite", "A copy of every event in one SQLite file"), sdk::license{"MIT"})
