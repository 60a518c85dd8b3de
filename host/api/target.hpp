// A request's target, taken apart and decoded.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentd::api {

struct Target {
  std::string path;
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;
};

// The error says what is wrong: not a path, a step out of it ("..", also encoded), a control character, or what is not UTF-8.
std::expected<Target, std::string> parse_target(std::string_view text);

// Whether text is UTF-8.
bool is_utf8(std::string_view text);

}  // namespace agentd::api
