#include "memory.hpp"

using namespace agentd;

AGENTD_PLUGIN("chroma", "1.0.0", sdk::provides<chroma::Memory>("chroma", "Memory in Chroma, searched by meaning and by words"), sdk::license{"MIT"})
