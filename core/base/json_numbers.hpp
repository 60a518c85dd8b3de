// Numbers in JSON text that readers would take for another value.
#pragma once
#include <string_view>

namespace agentd {

// The first integer of a valid JSON document that 64 bits do not hold, signed or unsigned, as it is written; empty when there is
// none.
std::string_view wide_integer(std::string_view json);

}  // namespace agentd
