// Texts with placeholders.
#pragma once
#include <string_view>

#include "model.hpp"

namespace agentd::script {

// Both throw sdk::Error with the place in front.
Text parse_text(std::string_view text, const Place& place);
Path parse_path(std::string_view text, const Place& place);

// The placeholder that the text consists of, if it is nothing else.
const Placeholder* only_placeholder(const Text& text);

}  // namespace agentd::script
