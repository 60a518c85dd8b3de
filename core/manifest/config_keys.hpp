#pragma once
#include "core/manifest/host_config.hpp"
#include "core/manifest/key.hpp"

namespace agentd::manifest {

// Every key of agentd.toml; its object is a HostConfig.
const TableKeys& config_keys();

}  // namespace agentd::manifest
