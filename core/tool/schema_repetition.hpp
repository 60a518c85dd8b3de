// How often a schema would have one and the same value checked: allOf, anyOf and their like multiply through references.
#pragma once
#include <optional>
#include <string>

#include "core/tool/schema_rules.hpp"

namespace agentd::tool {

struct Repetition {
  const Node* node;
  std::string words;
};

// The first subschema that comes back to itself for one value, or that stands for more checks than are allowed.
std::optional<Repetition> check_repetition(const Rules& rules);

}  // namespace agentd::tool
