// Text of models, tools and strangers where a terminal may show it.
#pragma once
#include <string>
#include <string_view>

namespace agentd {

// In UTF-8, with `instead` in place of what would steer a terminal or turn round the order in which a line is read: control
// characters (C0 but those of `kept`, DEL and C1) and bidirectional embeddings, overrides and isolates.
std::string plain_text(std::string_view text, std::string_view kept = "\n\t", std::string_view instead = " ");

// JSON text, valid before and after, with the same characters escaped.
std::string plain_json(std::string_view json);

}  // namespace agentd
