#pragma once
#include <vector>

#include "core/manifest/config.hpp"
#include "core/manifest/tree.hpp"

namespace agentd::manifest {

// Every value in force with where it came from; `tree` is what the configuration was read from.
std::vector<Setting> settings_in_force(const HostConfig& config, const Tree& tree);

}  // namespace agentd::manifest
