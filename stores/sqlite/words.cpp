#include "words.hpp"

#include <cstdint>
#include <iterator>

namespace agentd::sqlite {
namespace {

constexpr int kMostWords = 64;  // of a query; the rest of a long one adds cost, not sense

struct Range {
  std::uint32_t first, last;
};
// Thai, Lao, Myanmar, Khmer; CJK and kana; their extensions. Korean has spaces.
constexpr Range kSpaceless[] = {{0x0e00, 0x0eff}, {0x1000, 0x109f}, {0x1780, 0x17ff}, {0x2e80, 0x2fdf}, {0x3040, 0x30ff},
                                {0x31f0, 0x31ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0xff66, 0xff9f}, {0x20000, 0x3ffff}};

bool is_spaceless(std::uint32_t c) {
  for (const auto& range : kSpaceless)
    if (c >= range.first && c <= range.last) return true;
  return false;
}

// The code point at the front; a byte that begins none counts as itself.
std::pair<std::uint32_t, std::size_t> front(std::string_view s) {
  const auto byte = [s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const std::size_t size = byte(0) < 0xc0 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (size == 1 || s.size() < size) return {byte(0), 1};
  std::uint32_t c = byte(0) & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) c = c << 6 | (byte(i) & 0x3fu);
  return {c, size};
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

}  // namespace

std::string spaced(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const auto [c, size] = front(text);
    const bool alone = is_spaceless(c);
    if (alone) out += ' ';
    out += text.substr(0, size);
    if (alone) out += ' ';
    text.remove_prefix(size);
  }
  return out;
}

std::string any_word_of(std::string_view query) {
  std::string out;
  int words = 0;
  for (std::size_t at = 0; at < query.size() && words < kMostWords;) {
    if (is_space(query[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < query.size() && !is_space(query[end])) ++end;
    out += out.empty() ? "\"" : " OR \"";
    for (const char c : spaced(query.substr(at, end - at))) out += c == '"' ? ' ' : c;
    out += '"';
    at = end;
    ++words;
  }
  return out;
}

std::string agent_token(std::string_view agent_id) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "a";
  for (const char c : agent_id) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  out += 'x';
  return out;
}

}  // namespace agentd::sqlite
