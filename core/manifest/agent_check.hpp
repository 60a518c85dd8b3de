#pragma once
#include "core/manifest/agent_spec.hpp"
#include "core/manifest/checks.hpp"
#include "core/manifest/host_config.hpp"
#include "core/manifest/reader.hpp"

namespace agentd::manifest {

bool is_agent_id(std::string_view text);

// What no single key can say: what is missing, what does not go together, names that nothing has. `tree` is what the spec was
// read from and gives the places.
void check_agent(Reader& reader, const AgentSpec& spec, const Tree& tree, const HostConfig& config, const Checks& checks);

}  // namespace agentd::manifest
