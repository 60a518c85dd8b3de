#include "words.hpp"

#include <cstdint>
#include <utility>

namespace agentd::stores {
namespace {

constexpr std::size_t kMostPhrases = 64;

struct Range {
  std::uint32_t first, last;
};
template <std::size_t N>
constexpr bool in(const Range (&ranges)[N], std::uint32_t c) {
  for (const auto& range : ranges)
    if (c >= range.first && c <= range.last) return true;
  return false;
}
constexpr Range kSpaceless[] = {{0x0e00, 0x0eff}, {0x1000, 0x109f}, {0x1780, 0x17ff}, {0x2e80, 0x2fdf}, {0x3040, 0x30ff},
                                {0x31f0, 0x31ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0xff66, 0xff9f}, {0x20000, 0x3ffff}};
constexpr Range kMarks[] = {{0x80, 0xa9}, {0xab, 0xb4}, {0xb6, 0xb9}, {0xbb, 0xbf}, {0xd7, 0xd7}, {0xf7, 0xf7},
                            {0x2000, 0x206f}, {0x2190, 0x2bff}, {0x3000, 0x303f}, {0xff00, 0xff0f}, {0xff1a, 0xff20}, {0xfffd, 0xfffd}, {0x1f000, 0x1faff}};

bool is_mark(std::uint32_t c) {
  if (c >= 0x80) return in(kMarks, c);
  return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

std::uint32_t lower(std::uint32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 32;
  if (c >= 0x100 && c <= 0x137) return c | 1;
  if (c >= 0x391 && c <= 0x3a9) return c + 32;
  if (c >= 0x410 && c <= 0x42f) return c + 32;
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  return c;
}

std::pair<std::uint32_t, std::size_t> front(std::string_view s) {
  const auto byte = [s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const std::size_t size = byte(0) < 0xc0 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (size == 1) return {byte(0) < 0x80 ? byte(0) : 0xfffd, 1};
  if (s.size() < size) return {0xfffd, s.size()};
  std::uint32_t c = byte(0) & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) c = c << 6 | (byte(i) & 0x3fu);
  return {c, size};
}

void append(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f));
  } else {
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  while (!text.empty()) {
    const auto [c, size] = front(text);
    text.remove_prefix(size);
    const bool alone = in(kSpaceless, c);
    if (alone || is_mark(c)) end_word();
    if (is_mark(c)) continue;
    append(word, lower(c));
    if (alone) end_word();
  }
  end_word();
  return words;
}

std::vector<std::vector<std::string>> phrases_of(std::string_view query) {
  std::vector<std::vector<std::string>> phrases;
  while (!query.empty() && phrases.size() < kMostPhrases) {
    const auto end = query.find_first_of(" \t\r\n");
    auto words = words_of(query.substr(0, end));
    if (!words.empty()) phrases.push_back(std::move(words));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return phrases;
}

}  // namespace agentd::stores
