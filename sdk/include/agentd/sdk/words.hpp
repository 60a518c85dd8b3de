// Words of any language, for a memory store that searches without an index of its own.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <agentd/sdk/utf8.hpp>

namespace agentd::sdk {

namespace detail {

constexpr std::size_t kMostPhrases = 64;

struct CodePoints {
  unsigned first, last;
};
constexpr CodePoints kSpaceless[] = {{0x0e00, 0x0eff}, {0x1000, 0x109f}, {0x1780, 0x17ff}, {0x2e80, 0x2fdf}, {0x3040, 0x30ff},  {0x31f0, 0x31ff},
                                     {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0xff66, 0xff9f}, {0x20000, 0x3ffff}};
constexpr CodePoints kMarks[] = {{0x80, 0xa9},     {0xab, 0xb4},     {0xb6, 0xb9},     {0xbb, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},      {0x2000, 0x206f},
                                 {0x2190, 0x2bff}, {0x3000, 0x303f}, {0xff00, 0xff0f}, {0xff1a, 0xff20}, {0xfffd, 0xfffd}, {0x1f000, 0x1faff}};

template <std::size_t N>
constexpr bool is_in(const CodePoints (&ranges)[N], unsigned c) {
  for (const auto& range : ranges)
    if (c >= range.first && c <= range.last) return true;
  return false;
}

constexpr bool is_mark(unsigned c) {
  if (c >= 0x80) return is_in(kMarks, c);
  return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

constexpr unsigned lower(unsigned c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 32;
  if (c >= 0x100 && c <= 0x137) return c | 1;
  if (c >= 0x391 && c <= 0x3a9) return c + 32;
  if (c >= 0x410 && c <= 0x42f) return c + 32;
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  return c;
}

// Of a well-formed sequence.
inline unsigned code_point(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(sequence[i])); };
  unsigned c = sequence.size() == 1 ? byte(0) : byte(0) & (0x7fu >> sequence.size());
  for (std::size_t i = 1; i < sequence.size(); ++i) c = c << 6 | (byte(i) & 0x3fu);
  return c;
}

}  // namespace detail

// In lower case (Latin, Greek, Cyrillic), without marks between them. Scripts written without spaces give a word per character.
inline std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    const unsigned c = size > 0 ? detail::code_point(text.substr(0, size)) : kReplacementCharacter;
    text.remove_prefix(size > 0 ? size : 1);
    const bool alone = detail::is_in(detail::kSpaceless, c);
    if (alone || detail::is_mark(c)) end_word();
    if (detail::is_mark(c)) continue;
    append_code_point(word, detail::lower(c));
    if (alone) end_word();
  }
  end_word();
  return words;
}

// A query: each part between spaces, as the words that must follow each other. At most 64.
inline std::vector<std::vector<std::string>> phrases_of(std::string_view query) {
  std::vector<std::vector<std::string>> phrases;
  while (!query.empty() && phrases.size() < detail::kMostPhrases) {
    const std::size_t end = query.find_first_of(" \t\r\n");
    auto words = words_of(query.substr(0, end));
    if (!words.empty()) phrases.push_back(std::move(words));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return phrases;
}

}  // namespace agentd::sdk
