#pragma once
#include "core/manifest/host_config.hpp"
#include "core/manifest/reader.hpp"

namespace agentd::manifest {

// What no single key of agentd.toml can say: addresses, and entries that nothing declares.
void check_config(Reader& reader, const HostConfig& config, const Tree& tree);

}  // namespace agentd::manifest
