#pragma once
#include <string>

#include "host/api/context.hpp"
#include "host/api/json.hpp"

namespace agentd::api {

// idle, running, error or stopped. `error`: the latest run failed.
std::string agent_state(const Context& context, const host::Member& member);
// 404, with the reason when it was refused.
Document unknown_agent(const Context& context, const std::string& agent_id);
Json agent_view(const Context& context, const host::Member& member);

}  // namespace agentd::api
