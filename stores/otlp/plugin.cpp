#include "events.hpp"

using namespace agentd;

AGENTD_PLUGIN("otlp", "1.0.0", sdk::provides<otlp::Events>("otlp", "Runs, model calls and tool calls as OpenTelemetry spans, over HTTP"), sdk::license{"MIT"})
