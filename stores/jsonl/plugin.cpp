#include "lines.hpp"

using namespace agentd;

AGENTD_PLUGIN("jsonl", "1.0.0", sdk::provides<jsonl::Lines>("jsonl", "Events as lines of JSON, rotated"), sdk::license{"MIT"})
