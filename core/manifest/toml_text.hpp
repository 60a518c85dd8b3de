#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "core/manifest/tree.hpp"

namespace agentd::manifest {

// Reads TOML 1.0. A mistake of syntax ends the reading and becomes a problem with its place; so do numbers that are not
// finite and nesting deeper than 64. nullopt when there is nothing to go on with.
std::optional<Tree> parse_toml(std::string_view text, const std::shared_ptr<const Source>& source, std::vector<Problem>& problems);

}  // namespace agentd::manifest
