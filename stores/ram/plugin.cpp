#include "events.hpp"
#include "memory.hpp"

using namespace agentd;

AGENTD_PLUGIN("ram", "1.0.0", sdk::provides<ram::Memory>("ram", "Memory that ends with the process"),
              sdk::provides<ram::Events>("ram", "The latest events, until the process ends"), sdk::license{"MIT"})
