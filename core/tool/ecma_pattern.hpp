// JSON Schema writes patterns as ECMA-262 has them; RE2 has its own syntax, in which the same text may mean something else.
#pragma once
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd::tool {

// The pattern as RE2 writes it. Lookahead, lookbehind and backreferences are refused: no matcher that takes linear time has them.
Result<std::string> re2_of_ecma(std::string_view pattern);

}  // namespace agentd::tool
