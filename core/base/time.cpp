#include "core/base/time.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace agentd {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array kDurationUnits = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::array kSizeUnits = {Unit{"", 1},          Unit{"B", 1},           Unit{"kB", 1'000},         Unit{"MB", 1'000'000},
                                   Unit{"GB", 1'000'000'000}, Unit{"KiB", 1LL << 10}, Unit{"MiB", 1LL << 20}, Unit{"GiB", 1LL << 30}};
constexpr Millis kLongest = std::chrono::days(10'000);

// Takes a run of digits off the front; false when there is none or it does not fit.
bool take_number(std::string_view& text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data() || value < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && ((text[n] | 32) >= 'a' && (text[n] | 32) <= 'z')) ++n;
  const auto letters = text.substr(0, n);
  text.remove_prefix(n);
  return letters;
}

bool take_digits(std::string_view& text, std::size_t n, int& value) {
  if (text.size() < n) return false;
  value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(n);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

void put(std::string& text, char before, std::int64_t number, std::size_t width) {
  const auto digits = std::to_string(number);
  if (before) text += before;
  if (digits.size() < width) text.append(width - digits.size(), '0');
  text += digits;
}

std::string format_parts(Instant at, bool with_millis) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Millis> time(at - day);
  std::string text;
  text.reserve(sizeof "2026-12-01T09:00:00.000Z");
  put(text, 0, static_cast<int>(date.year()), 4);
  put(text, '-', static_cast<unsigned>(date.month()), 2);
  put(text, '-', static_cast<unsigned>(date.day()), 2);
  put(text, 'T', time.hours().count(), 2);
  put(text, ':', time.minutes().count(), 2);
  put(text, ':', time.seconds().count(), 2);
  if (with_millis) put(text, '.', time.subseconds().count(), 3);
  return text + "Z";
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  const auto bad = [whole = std::string(text)] { return fail("\"" + whole + "\" is not a duration; write it like \"250ms\", \"30s\", \"5m\", \"1h\" or \"7d\""); };
  if (text.empty()) return bad();
  std::size_t unit = 0;
  Millis sum{0};
  while (!text.empty()) {
    std::int64_t value = 0;
    if (!take_number(text, value)) return bad();
    const auto letters = take_letters(text);
    while (unit < kDurationUnits.size() && kDurationUnits[unit].name != letters) ++unit;
    if (unit == kDurationUnits.size() || value > kLongest.count() / kDurationUnits[unit].factor) return bad();
    sum += Millis(value * kDurationUnits[unit++].factor);
  }
  if (sum > kLongest) return bad();
  return sum;
}

std::string format_duration(Millis d) {
  if (d == Millis(0)) return "0s";
  std::string out;
  auto rest = d.count();
  for (const auto& unit : kDurationUnits) {
    if (const auto n = rest / unit.factor) out += std::to_string(n) + std::string(unit.name);
    rest %= unit.factor;
  }
  return out;
}

Result<Instant> parse_instant(std::string_view text) {
  const auto bad = [whole = std::string(text)] { return fail("\"" + whole + "\" is not an instant; write it like \"2026-12-01T09:00:00Z\""); };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millis = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') || !take_digits(text, 2, day)) return bad();
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return bad();
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute) || !take(text, ':') || !take_digits(text, 2, second)) return bad();
  if (take(text, '.')) {
    int scale = 100, digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), scale /= 10, ++digits) millis += (text.front() - '0') * scale;
    if (digits == 0) return bad();
  }
  int offset_minutes = 0;
  if (!take(text, 'Z') && !take(text, 'z')) {
    const bool west = !text.empty() && text.front() == '-';
    int offset_hour = 0, offset_minute = 0;
    if (!(west ? take(text, '-') : take(text, '+')) || !take_digits(text, 2, offset_hour) || !take(text, ':') || !take_digits(text, 2, offset_minute)) return bad();
    if (offset_hour > 23 || offset_minute > 59) return bad();
    offset_minutes = (offset_hour * 60 + offset_minute) * (west ? -1 : 1);
  }
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day)));
  if (!text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 59) return bad();
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute - offset_minutes) + std::chrono::seconds(second) + Millis(millis);
}

std::string format_instant(Instant at) { return format_parts(at, true); }
std::string format_instant_s(Instant at) { return format_parts(at, false); }

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto bad = [whole = std::string(text)] { return fail("\"" + whole + "\" is not a size; write it like \"64KiB\", \"8MiB\" or a number of bytes"); };
  std::int64_t value = 0;
  if (!take_number(text, value)) return bad();
  for (const auto& unit : kSizeUnits)
    if (unit.name == text) {
      if (value > (std::int64_t{1} << 60) / unit.factor) return bad();
      return static_cast<std::uint64_t>(value * unit.factor);
    }
  return bad();
}

std::string format_size(std::uint64_t bytes) {
  for (auto unit = kSizeUnits.rbegin(); unit != kSizeUnits.rend() && unit->factor % 1024 == 0; ++unit)
    if (bytes >= static_cast<std::uint64_t>(unit->factor) && bytes % static_cast<std::uint64_t>(unit->factor) == 0)
      return std::to_string(bytes / static_cast<std::uint64_t>(unit->factor)) + std::string(unit->name);
  return std::to_string(bytes);
}

NanoDollars dollars(double amount) { return static_cast<NanoDollars>(std::llround(amount * 1e9)); }

std::string format_dollars(NanoDollars amount) {
  std::array<char, 48> out{};
  const auto whole = amount / 1'000'000'000, nano = std::abs(amount % 1'000'000'000);
  std::snprintf(out.data(), out.size(), "%s%lld.%09lld", amount < 0 && whole == 0 ? "-" : "", static_cast<long long>(whole), static_cast<long long>(nano));
  std::string text = out.data();
  const auto point = text.find('.');
  while (text.size() > point + 3 && text.back() == '0') text.pop_back();
  return text;
}

}  // namespace agentd
