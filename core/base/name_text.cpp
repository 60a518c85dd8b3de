#include "core/base/name_text.hpp"

#include "core/base/json_text.hpp"

namespace agentd {
namespace {

bool has_control_character(std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && static_cast<unsigned char>(utf8[i + 1]) < 0xa0) return true;  // U+0080 to U+009F
  }
  return false;
}

}  // namespace

std::string_view unfit_for_a_name(std::string_view text) {
  if (to_utf8(text) != text) return "is not UTF-8";
  if (has_control_character(text)) return "has a control character in it, such as a newline or a NUL";
  return {};
}

}  // namespace agentd
