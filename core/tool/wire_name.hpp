// Tool names as providers accept them: [A-Za-z0-9_-]{1,64}.
#pragma once
#include <string>
#include <string_view>

namespace agentd::tool {

// "fs.read_file" -> "fs__read_file", "mcp.github.search" -> "mcp__github__search". Other characters become "_"; what is longer than
// 64 is cut and ends in "_" and 8 hex digits of a hash of the full name. The same name always gives the same result.
std::string wire_name(std::string_view full_name);

}  // namespace agentd::tool
