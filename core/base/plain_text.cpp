#include "core/base/plain_text.hpp"

#include <array>
#include <cstdio>

#include "core/base/json_text.hpp"

namespace agentd {
namespace {

// What steers at the beginning of valid UTF-8: its code point and how many bytes it has.
struct Steering {
  unsigned code = 0;
  std::size_t bytes = 0;
};
Steering steering(std::string_view text) {
  const auto byte = [text](std::size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return {byte(0), 1};
  if (byte(0) == 0xc2 && byte(1) < 0xa0) return {byte(1), 2};
  if (byte(0) != 0xe2) return {};
  const auto code = 0x2000U | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
  const bool is_bidirectional = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return is_bidirectional ? Steering{code, 3} : Steering{};
}

}  // namespace

std::string plain_text(std::string_view text, std::string_view kept, std::string_view instead) {
  const auto whole = to_utf8(text);
  std::string out;
  for (std::string_view rest = whole; !rest.empty();) {
    const auto found = steering(rest);
    const bool stays = found.bytes == 0 || kept.find(rest.front()) != kept.npos;
    stays ? out += rest.front() : out += instead;
    rest.remove_prefix(stays ? 1 : found.bytes);
  }
  return out;
}

std::string plain_json(std::string_view json) {
  std::string out;
  for (auto rest = json; !rest.empty();) {
    const auto found = steering(rest);
    if (found.bytes == 0 || found.code < 0x20) {  // between its values; in its strings they are escaped already
      out += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    std::array<char, 8> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "\\u%04x", found.code);
    out += escaped.data();
    rest.remove_prefix(found.bytes);
  }
  return out;
}

}  // namespace agentd
