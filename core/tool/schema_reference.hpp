// References of a JSON Schema to a place in itself.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd::tool {

// What "#" or "#/definitions/a%20b" refers to in the document. Other documents and names ("#here") are not supported.
Result<const nlohmann::json*> referred(const nlohmann::json& document, std::string_view reference);

// A key as it stands in a JSON pointer (RFC 6901).
std::string pointer_token(std::string_view key);

}  // namespace agentd::tool
