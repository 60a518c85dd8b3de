#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace agentd::script {

// "250ms" "1s" "2m"; at most an hour.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace agentd::script
