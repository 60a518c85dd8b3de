#include "ledger.hpp"

using namespace agentd;

AGENTD_PLUGIN("postgres", AGENTD_HOST_VERSION, sdk::provides<postgres::Ledger>("postgres", "The ledger on a PostgreSQL server, for one replica or many"), sdk::license{"MIT"})
