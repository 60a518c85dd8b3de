// Which tools an agent may call.
#pragma once
#include <string_view>

#include "core/manifest/agent_spec.hpp"

namespace agentd::tool {

// True when the pattern, in which "*" stands for any text, fits the whole name.
bool matches(std::string_view pattern, std::string_view name);

enum class Verdict { allow, ask, deny };

// deny, then ask, then allow: the first list that matches decides; what no list matches is denied.
Verdict decide(const manifest::Tools& tools, std::string_view full_name);

}  // namespace agentd::tool
