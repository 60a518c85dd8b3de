// Vectors as they cross the border. Private to the room.
#pragma once
#include <agentd/abi/memory.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>

namespace agentd::plugin {

// What nobody could compare it by, as the rest of "a vector ...".
inline std::optional<std::string> flaw_of(std::span<const float> vector) {
  if (vector.empty()) return "without dimensions";
  if (vector.size() > AGENTD_MOST_DIMENSIONS) return "of " + std::to_string(vector.size()) + " dimensions; at most " + std::to_string(AGENTD_MOST_DIMENSIONS) + " are taken";
  if (!std::ranges::all_of(vector, [](float v) { return std::isfinite(v); })) return "with a value that is not finite";
  if (std::ranges::all_of(vector, [](float v) { return v == 0; })) return "of zeros, which points nowhere";
  return std::nullopt;
}

}  // namespace agentd::plugin
