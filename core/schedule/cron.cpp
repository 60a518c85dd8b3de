#include "core/schedule/cron.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace agentd::schedule {
namespace {

constexpr std::size_t kLongestExpression = 1024;
constexpr std::chrono::years kHorizon{50};

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned low, high;
  std::span<const std::string_view> names;  // the first one stands for `low`
};
constexpr std::array kFields = {Field{"minute", 0, 59, {}}, Field{"hour", 0, 23, {}}, Field{"day of month", 1, 31, {}},
                                Field{"month", 1, 12, kMonths}, Field{"day of week", 0, 7, kWeekdays}};

struct Macro {
  std::string_view name, meaning;
};
constexpr std::array kMacros = {Macro{"@hourly", "0 * * * *"},  Macro{"@daily", "0 0 * * *"},   Macro{"@midnight", "0 0 * * *"},
                                Macro{"@weekly", "0 0 * * 0"},  Macro{"@monthly", "0 0 1 * *"}, Macro{"@yearly", "0 0 1 1 *"},
                                Macro{"@annually", "0 0 1 1 *"}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; }
std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += lower(c);
  return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators, bool keep_empty) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find_first_of(separators);
    if (end != 0 || keep_empty) parts.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  if (!keep_empty && !parts.empty() && parts.back().empty()) parts.pop_back();
  return parts;
}

std::unexpected<Error> bad(const Field& field, std::string_view item, std::string_view what) {
  return fail("\"" + std::string(item) + "\" in the " + std::string(field.name) + " field " + std::string(what));
}

Result<unsigned> parse_value(const Field& field, std::string_view item, std::string_view text) {
  for (unsigned i = 0; i < field.names.size(); ++i)
    if (lower(text) == field.names[i]) return field.low + i;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string range = std::to_string(field.low) + "-" + std::to_string(field.high);
  if (text.empty() || error == std::errc::invalid_argument || end != text.data() + text.size())
    return bad(field, item,
               "is not understood; write " + range + (field.names.empty() ? "" : " or a name of three letters") +
                   ", a list, a range, or a step like */5");
  if (error != std::errc() || value < field.low || value > field.high) return bad(field, item, "is outside " + range);
  return value;
}

// One item of a list: `*`, a value or a range, with a step after `*` or a range.
Result<std::uint64_t> parse_item(const Field& field, std::string_view item) {
  const auto slash = item.find('/');
  const auto range = item.substr(0, slash);
  const auto dash = range.find('-');
  unsigned low = field.low, high = field.high, step = 1;
  if (range != "*") {
    const auto first = parse_value(field, item, range.substr(0, dash));
    if (!first) return std::unexpected(first.error());
    low = high = *first;
  }
  if (range != "*" && dash != range.npos) {
    const auto last = parse_value(field, item, range.substr(dash + 1));
    if (!last) return std::unexpected(last.error());
    high = *last;
    if (high < low)
      return bad(field, item,
                 field.names.data() == kWeekdays.data() && high == 0 ? "ends before it begins; write Sunday as 7 there"
                                                                     : "ends before it begins; write two ranges");
  }
  if (slash != item.npos) {
    const auto digits = item.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || step == 0)
      return bad(field, item, "has a step that is not a number from 1");
    if (range != "*" && dash == range.npos)
      return bad(field, item,
                 "has a step after one value; write " + std::string(range) + "-" + std::to_string(field.high) +
                     std::string(item.substr(slash)));
  }
  std::uint64_t bits = 0;
  for (std::uint64_t value = low; value <= high; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

Result<std::uint64_t> parse_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (const auto item : split(text, ",", true)) {
    const auto some = parse_item(field, item);
    if (!some) return some;
    bits |= *some;
  }
  return bits;
}

// The days of a month that match, bit n for day n.
std::uint32_t days_of(const CronFields& fields, std::chrono::year_month month) {
  const auto first = std::chrono::weekday(std::chrono::sys_days(month / 1)).c_encoding();
  const auto last = static_cast<unsigned>((month / std::chrono::last).day());
  std::uint32_t by_weekday = 0;
  for (unsigned day = 1; day <= last; ++day)
    if (fields.weekdays >> (first + day - 1) % 7 & 1) by_weekday |= 1u << day;
  const auto existing = static_cast<std::uint32_t>((std::uint64_t{2} << last) - 2);
  return (fields.either_day ? fields.days | by_weekday : fields.days & by_weekday) & existing;
}

// The lowest set bit at or above `from`; none: nothing.
template <class Bits>
std::optional<unsigned> next_bit(Bits bits, unsigned from) {
  if (from >= sizeof(Bits) * 8) return std::nullopt;
  const Bits rest = bits >> from;
  if (rest == 0) return std::nullopt;
  return from + static_cast<unsigned>(std::countr_zero(rest));
}

struct TimeOfDay {
  unsigned hour, minute;
};
std::optional<TimeOfDay> next_time(const CronFields& fields, TimeOfDay from) {
  if (fields.hours >> from.hour & 1)
    if (const auto minute = next_bit(fields.minutes, from.minute)) return TimeOfDay{from.hour, *minute};
  const auto hour = next_bit(fields.hours, from.hour + 1);
  if (!hour) return std::nullopt;
  return TimeOfDay{*hour, static_cast<unsigned>(std::countr_zero(fields.minutes))};
}

}  // namespace

Result<CronFields> parse_cron(std::string_view expression) {
  const auto in_place = [&](std::string why) {
    return fail("cron \"" + std::string(expression.substr(0, 80)) + "\": " + std::move(why));
  };
  if (expression.size() > kLongestExpression) return in_place("longer than " + std::to_string(kLongestExpression) + " bytes");
  auto fields = split(expression, " \t", false);
  if (fields.size() == 1 && fields[0].starts_with('@')) {
    for (const auto& macro : kMacros)
      if (lower(fields[0]) == macro.name) return parse_cron(macro.meaning);
    if (lower(fields[0]) == "@reboot") return in_place("@reboot is not a time; write run_on_start = true");
    return in_place("unknown; write @hourly, @daily, @weekly, @monthly or @yearly");
  }
  if (fields.size() == 6)
    return in_place(
        "six fields, but a cron expression has five, without seconds: minute, hour, day of month, month, day of week");
  if (fields.size() != kFields.size())
    return in_place(std::to_string(fields.size()) + " fields instead of five: minute, hour, day of month, month, day of week");
  std::array<std::uint64_t, kFields.size()> bits{};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const auto parsed = parse_field(kFields[i], fields[i]);
    if (!parsed) return in_place(parsed.error().message);
    bits[i] = *parsed;
  }
  return CronFields{
      .minutes = bits[0],
      .hours = static_cast<std::uint32_t>(bits[1]),
      .days = static_cast<std::uint32_t>(bits[2]),
      .months = static_cast<std::uint16_t>(bits[3]),
      .weekdays = static_cast<std::uint8_t>((bits[4] | bits[4] >> 7) & 0x7f),
      .either_day = !fields[2].starts_with('*') && !fields[4].starts_with('*'),
      .elapsed = fields[0].contains('*') || fields[1].contains('*'),
  };
}

bool matches_date(const CronFields& fields, std::chrono::year_month_day date) {
  const bool by_day = fields.days >> static_cast<unsigned>(date.day()) & 1;
  const bool by_weekday = fields.weekdays >> std::chrono::weekday(std::chrono::sys_days(date)).c_encoding() & 1;
  return (fields.months >> static_cast<unsigned>(date.month()) & 1) &&
         (fields.either_day ? by_day || by_weekday : by_day && by_weekday);
}

std::optional<LocalMinute> next_local(const CronFields& fields, LocalMinute from) {
  const auto day = std::chrono::floor<std::chrono::days>(from);
  const std::chrono::year_month_day date(day);
  const auto minutes = static_cast<unsigned>((from - day).count());
  auto month = date.year() / date.month();
  auto first_day = static_cast<unsigned>(date.day());
  auto time = next_time(fields, {minutes / 60, minutes % 60});
  if (!time) ++first_day;
  const TimeOfDay earliest{static_cast<unsigned>(std::countr_zero(fields.hours)),
                           static_cast<unsigned>(std::countr_zero(fields.minutes))};
  for (const auto horizon = month + kHorizon; month < horizon; month += std::chrono::months(1), first_day = 1) {
    if (!(fields.months >> static_cast<unsigned>(month.month()) & 1)) continue;
    const auto found = next_bit(days_of(fields, month), first_day);
    if (!found) continue;
    const auto match = month / std::chrono::day(*found);
    const auto at = match == date && time ? *time : earliest;
    return LocalMinute(std::chrono::local_days(match)) + std::chrono::hours(at.hour) + std::chrono::minutes(at.minute);
  }
  return std::nullopt;
}

}  // namespace agentd::schedule
