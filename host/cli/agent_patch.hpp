// What `agents update` is told, as the merge patch that it sends.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace agentd::cli {

// "limits.max_steps=3" -> {"limits": {"max_steps": 3}}. Keys are dotted as in TOML; values are TOML where they read so, else texts;
// nothing or "null" removes the key.
Result<nlohmann::ordered_json> agent_patch(const std::vector<std::string>& changes);

}  // namespace agentd::cli
