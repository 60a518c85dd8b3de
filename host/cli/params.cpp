#include "host/cli/params.hpp"

#include "core/base/json_text.hpp"
#include "core/tool/strict_json.hpp"

namespace agentd::cli {

Asked<nlohmann::ordered_json> params_of(const std::string& text) {
  const auto read = tool::parse_strict(text);
  if (!read) return std::unexpected(Refusal{kUsage, "--params: it is " + read.error().message + ": " + to_utf8(text)});
  if (!read->is_object()) return std::unexpected(Refusal{kUsage, "--params: not a JSON object: " + to_utf8(text)});
  return nlohmann::ordered_json::parse(text);
}

}  // namespace agentd::cli
