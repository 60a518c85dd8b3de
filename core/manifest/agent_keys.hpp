#pragma once
#include "core/manifest/key.hpp"

namespace agentd::manifest {

// Every key of a manifest; its object is an AgentSpec.
const TableKeys& agent_keys();

}  // namespace agentd::manifest
