#pragma once
#include <string_view>

namespace agentd::manifest {

// "*" stands for any text, dots included; everything else for itself. Linear in the pattern times the name.
bool matches_tool(std::string_view pattern, std::string_view name);

}  // namespace agentd::manifest
