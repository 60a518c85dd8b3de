// JSON Schema (draft 7) to rules. What could cost without bound is refused here, where somebody can read why.
#pragma once
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

// An error names the place as a JSON pointer, or as the reference that led there.
Result<Rules> compile_rules(const nlohmann::json& schema);

}  // namespace agentd::tool
