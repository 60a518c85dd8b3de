// The environment as a source of configuration. It is always passed in; nothing here asks the process for it.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/manifest/problem.hpp"

namespace agentd::manifest {

using Environment = std::map<std::string, std::string>;

// A .env file: NAME=VALUE lines, "export " before them allowed, "#" comments, values bare or in '...' or "..." (with \n \t \" \\).
// Adds to `environment` what it does not have: what is really set holds.
void add_env_file(std::string_view text, const std::string& file, Environment& environment, std::vector<Problem>& problems);

}  // namespace agentd::manifest
