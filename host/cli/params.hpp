// --params of a command.
#pragma once
#include <string>

#include "host/cli/ask.hpp"

namespace agentd::cli {

// The JSON object that the text is; a refusal says at which byte it is none.
Asked<nlohmann::ordered_json> params_of(const std::string& text);

}  // namespace agentd::cli
