// Checks values against compiled rules, and stops when it has become too much work.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/tool/schema_rules.hpp"

namespace agentd::tool {

struct Findings {
  bool exhausted = false;  // neither yes nor no: the work was too much
  bool fits = false;
  std::vector<std::string> problems;  // at most five, each with its place as a JSON pointer
};

// `work` is in steps of some nanoseconds: what a check may cost at most, whatever the schema and the value are.
Findings check_rules(const Rules& rules, const nlohmann::json& value, std::uint64_t work);

}  // namespace agentd::tool
