#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace agentd::webhook {

// * stands for any characters, none among them.
bool fits(std::string_view pattern, std::string_view text);

// One of them does, or there are none.
bool fits(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace agentd::webhook
