// The usual process_* metrics, from /proc.
#pragma once
#include <string>

namespace agentd::metrics {

// In the exposition format; empty where there is no /proc.
std::string process_metrics();

}  // namespace agentd::metrics
