// Two values are equal as JSON Schema means it (1 is 1.0, the order of keys does not matter) exactly when their canonical texts
// are.
#pragma once
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace agentd::tool {

// Appends the canonical text; false, with out partly written, as soon as out would grow beyond `longest` bytes.
bool append_canonical(std::string& out, const nlohmann::json& value, std::size_t longest);

}  // namespace agentd::tool
