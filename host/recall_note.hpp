// How what an agent remembers is found.
#pragma once
#include <optional>
#include <string>

#include "core/manifest/agent_spec.hpp"
#include "host/ports.hpp"

namespace agentd::host {

// Why an agent's recall goes by words alone. Nothing: it goes by meaning, too, or the agent recalls nothing.
std::optional<std::string> recall_note(const manifest::AgentSpec& spec, const manifest::HostConfig& config, const Ports& ports);

}  // namespace agentd::host
