#include "core/base/ids.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace agentd {
namespace {

constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kNonceDigits = 7;  // 32 bits

template <class T>
bool whole_number(std::string_view text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

std::string to_text(RunId id) {
  if (!id) return {};
  std::string text = std::to_string(id.position) + '-';
  for (std::size_t i = kNonceDigits; i-- > 0;) text += kBase32[id.nonce >> (5 * i) & 31];
  return text;
}

std::optional<RunId> parse_run_id(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == text.npos || text.size() - dash - 1 != kNonceDigits) return std::nullopt;
  RunId id;
  if (!whole_number(text.substr(0, dash), id.position) || id.position <= 0) return std::nullopt;
  std::uint64_t nonce = 0;
  for (const char c : text.substr(dash + 1)) {
    const auto digit = kBase32.find(c);
    if (digit == kBase32.npos) return std::nullopt;
    nonce = nonce << 5 | digit;
  }
  if (nonce >> 32) return std::nullopt;
  id.nonce = static_cast<std::uint32_t>(nonce);
  return id;
}

std::string call_id(RunId run, int step, int index) { return to_text(run) + '/' + std::to_string(step) + '/' + std::to_string(index); }

std::string event_id(Position position, int sub_index) {
  std::array<char, 40> out{};
  std::snprintf(out.data(), out.size(), "%016llx-%d", static_cast<unsigned long long>(position), sub_index);
  return out.data();
}

std::optional<EventPlace> parse_event_id(std::string_view text) {
  EventPlace place;
  std::uint64_t position = 0;
  if (text.size() < 18 || text[16] != '-' || !whole_number(text.substr(0, 16), position, 16) || !whole_number(text.substr(17), place.sub_index)) return std::nullopt;
  if (position > static_cast<std::uint64_t>(INT64_MAX) || place.sub_index < 0) return std::nullopt;
  place.position = static_cast<Position>(position);
  return place;
}

}  // namespace agentd
