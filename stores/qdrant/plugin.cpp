#include "memory.hpp"

using namespace agentd;

AGENTD_PLUGIN("qdrant", "1.0.0", sdk::provides<qdrant::Memory>("qdrant", "Memory in Qdrant, searched by meaning and by words"), sdk::license{"MIT"})
