// JSON Schema (draft 7) to valijson's constraints. valijson's own parser recurses, takes some schemas for others (propertyNames
// in a definition) and bounds nothing: what could cost without bound is refused here, where somebody can read why.
#pragma once
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "core/base/result.hpp"
#include "core/tool/schema_rules.hpp"

namespace agentd::tool {

inline constexpr std::size_t kMostSubschemas = 10'000;
inline constexpr std::size_t kMostPatterns = 100;
inline constexpr std::size_t kMostPatternSteps = 20'000;  // Pattern::size() of all of them together
inline constexpr std::size_t kMostReferences = 32;        // followed one after the other
inline constexpr std::size_t kDeepestCombination = 64;    // of allOf, anyOf, oneOf, not, if and dependencies
inline constexpr std::size_t kMostPerValue = 10'000;      // subschemas that one value is checked against, references followed

// Subschemas refer to each other by pointer, so that a schema may contain itself.
struct CompiledSchema {
  std::deque<Pattern> patterns;
  valijson::Schema subschemas;
  const Subschema* root = nullptr;
};

// An error names the place as a JSON pointer, or as the reference that led there.
Result<std::unique_ptr<const CompiledSchema>> compile_schema(const nlohmann::json& schema);

}  // namespace agentd::tool
