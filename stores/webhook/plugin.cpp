#include "events.hpp"

using namespace agentd;

AGENTD_PLUGIN("webhook", "1.0.0", sdk::provides<webhook::Events>("webhook", "Events as signed requests to a URL, in order per agent"), sdk::license{"MIT"})
