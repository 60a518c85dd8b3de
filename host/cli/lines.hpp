// Lines of a text that comes in pieces.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace agentd::cli {

// Hands over the whole lines, without their ends (LF or CR LF), and keeps the rest in the text; false when the reader has had enough.
bool take_lines(std::string& text, const std::function<bool(std::string_view)>& on_line);

}  // namespace agentd::cli
