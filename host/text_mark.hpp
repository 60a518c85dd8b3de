// A text as a cursor keeps it.
#pragma once
#include <string_view>

#include "core/base/ids.hpp"

namespace agentd::host {

// A number that another text hardly has: FNV-1a of 63 bits, never 0.
inline Position mark_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<Position>(hash >> 1 | 1);
}

}  // namespace agentd::host
