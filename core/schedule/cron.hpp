// Cron expressions, as Vixie cron reads them. Pure functions over local time: zones and changes of clocks are schedule.hpp's.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd::schedule {

using LocalMinute = std::chrono::local_time<std::chrono::minutes>;

// Which minutes an expression matches; bit n stands for the value n.
struct CronFields {
  std::uint64_t minutes = 0;  // 0-59
  std::uint32_t hours = 0;    // 0-23
  std::uint32_t days = 0;     // 1-31
  std::uint16_t months = 0;   // 1-12
  std::uint8_t weekdays = 0;  // 0-6, Sunday first
  bool either_day = false;    // a day of the month or a day of the week is enough: neither field begins with `*`
  bool elapsed = false;       // `*` in the minute or hour field: across a change of clocks it follows elapsed time
  friend bool operator==(const CronFields&, const CronFields&) = default;
};

// Five fields, or one of @hourly @daily @midnight @weekly @monthly @yearly @annually.
Result<CronFields> parse_cron(std::string_view expression);

bool matches_date(const CronFields& fields, std::chrono::year_month_day date);

// The first matching minute at or after `from`; none within 50 years for a date that does not exist, such as 30 February.
// The longest wait that ends is 40 years: 29 February on a given weekday, across 2100.
std::optional<LocalMinute> next_local(const CronFields& fields, LocalMinute from);

}  // namespace agentd::schedule
