#include "events.hpp"
#include "memory.hpp"

using namespace agentd;

AGENTD_PLUGIN("redis", "1.0.0", sdk::provides<redis::Memory>("redis", "Memory in Redis, with search by words"),
              sdk::provides<redis::Events>("redis", "Events on a Redis stream, trimmed, for consumer groups"), sdk::license{"MIT"})
