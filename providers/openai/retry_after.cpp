#include "retry_after.hpp"

#include <agentd/sdk/json.hpp>

#include <algorithm>
#include <array>

namespace agentd::openai {
namespace {

constexpr int64_t kDay_ms = 86'400'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A non-negative decimal at the front, taken off; -1 when there is none.
double take_number(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && (is_digit(text[n]) || text[n] == '.')) ++n;
  const sdk::Json number(text.substr(0, n));
  if (n == 0 || n > 18 || !number.valid()) return -1;
  text.remove_prefix(n);
  return number.number();
}

int64_t seconds_to_ms(std::string_view text) {
  const double seconds = take_number(text);
  return seconds < 0 || !text.empty() ? -1 : static_cast<int64_t>(std::min(seconds, 86'400.0) * 1000);
}

// "6m0s", "1m30.5s", "12ms", "2h".
int64_t go_duration_to_ms(std::string_view text) {
  double total = 0;
  if (text.empty()) return -1;
  while (!text.empty()) {
    const double value = take_number(text);
    if (value < 0) return -1;
    const auto unit = [&](std::string_view name) { return text.substr(0, name.size()) == name ? (text.remove_prefix(name.size()), true) : false; };
    if (unit("ms")) total += value;
    else if (unit("s") || text.empty()) total += value * 1000;
    else if (unit("m")) total += value * 60'000;
    else if (unit("h")) total += value * 3'600'000;
    else return -1;
  }
  return static_cast<int64_t>(std::min<double>(total, kDay_ms));
}

// Days since 1970-01-01 of a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = year / 400, of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"; -1 for anything else (RFC 9110, 5.6.7; nobody sends its obsolete forms).
int64_t http_date_to_unix_s(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT") return -1;
  const auto number = [&](std::size_t at, std::size_t n) {
    int64_t value = 0;
    for (const char c : text.substr(at, n)) value = is_digit(c) && value >= 0 ? value * 10 + (c - '0') : -1;
    return value;
  };
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const int64_t day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  if (month == kMonths.end() || day < 1 || year < 1970 || hour < 0 || minute < 0 || second < 0) return -1;
  return days_from_civil(year, month - kMonths.begin() + 1, day) * 86'400 + hour * 3600 + minute * 60 + second;
}

int64_t date_to_ms(std::string_view value, const sdk::HttpHead& head, int64_t now_unix_s) {
  const int64_t until = http_date_to_unix_s(value), said = http_date_to_unix_s(head.header("date"));
  if (until < 0) return -1;
  const int64_t wait_s = until - (said < 0 ? now_unix_s : said);
  return std::clamp<int64_t>(wait_s, 0, kDay_ms / 1000) * 1000;
}

int64_t reset_ms(const sdk::HttpHead& head) {
  const int64_t requests = go_duration_to_ms(head.header("x-ratelimit-reset-requests"));
  const int64_t tokens = go_duration_to_ms(head.header("x-ratelimit-reset-tokens"));
  const bool no_requests = head.header("x-ratelimit-remaining-requests") == "0", no_tokens = head.header("x-ratelimit-remaining-tokens") == "0";
  if (no_requests != no_tokens) return no_requests ? requests : tokens;
  return std::max(requests, tokens);
}

}  // namespace

int64_t retry_after_ms(const sdk::HttpHead& head, int64_t now_unix_s) {
  if (auto text = head.header("retry-after-ms"); !text.empty()) {
    const double ms = take_number(text);
    if (ms >= 0 && text.empty()) return static_cast<int64_t>(std::min<double>(ms, kDay_ms));
  }
  if (const auto text = head.header("retry-after"); !text.empty()) {
    const int64_t ms = seconds_to_ms(text);
    return ms >= 0 ? ms : date_to_ms(text, head, now_unix_s);
  }
  return reset_ms(head);
}

}  // namespace agentd::openai
