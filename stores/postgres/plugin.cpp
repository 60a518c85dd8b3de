#include "events.hpp"
#include "ledger.hpp"
#include "memory.hpp"

using namespace agentd;

AGENTD_PLUGIN("postgres", AGENTD_HOST_VERSION, sdk::provides<postgres::Ledger>("postgres", "The ledger on a PostgreSQL server, for one replica or many"),
              sdk::provides<postgres::Memory>("postgres", "Memory on a PostgreSQL server, with search by words and by vectors"),
              sdk::provides<postgres::Events>("postgres", "A copy of every event in a table"), sdk::license{"MIT"})
