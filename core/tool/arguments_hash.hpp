// What a person's approval of a call is bound to.
#pragma once
#include <string>
#include <string_view>

namespace agentd::tool {

// The SHA-256 of the arguments in 64 hex digits: of their canonical text, so that neither spaces nor the order of keys matter; of
// the bytes where they are no JSON.
std::string arguments_hash(std::string_view arguments);

}  // namespace agentd::tool
