// JSON that is taken from models, people and integrators: stricter than the format, so that whoever reads the text after us reads
// the same.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd::tool {

// Whether an integer that 64 bits do not hold is refused, or taken for the nearest double as most readers of JSON do.
enum class Integers { of_64_bits, any };

// One valid JSON document in UTF-8: at most 64 deep and of a million values, no key twice in an object, no number that a double
// does not hold. The error completes a sentence ("it is ..."), says what is in the way, and is fit for a model to read.
Result<nlohmann::json> parse_strict(std::string_view text, Integers integers = Integers::of_64_bits);

}  // namespace agentd::tool
