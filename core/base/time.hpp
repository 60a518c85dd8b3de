// Instants, durations and sizes as people write them.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd {

using Millis = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<Millis>;  // UTC, no leap seconds
using Tick = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;  // monotonic; only differences mean something

// "250ms" "30s" "5m" "1h" "7d" "1h30m". Units in falling order, each at most once; not negative; at most 10,000 days.
Result<Millis> parse_duration(std::string_view text);
std::string format_duration(Millis d);  // the shortest form that parse_duration reads back

// RFC 3339: "2026-12-01T09:00:00Z", fractions to the millisecond, numeric offsets.
Result<Instant> parse_instant(std::string_view text);
std::string format_instant(Instant at);     // "2026-12-01T09:00:00.000Z"
std::string format_instant_s(Instant at);   // "2026-12-01T09:00:00Z", for slots and keys

// "64KiB" "8MiB" "1GiB" "500" (bytes), "10kB" "10MB" (powers of ten).
Result<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// Money is US dollars as integer nano-dollars.
using NanoDollars = std::int64_t;
NanoDollars dollars(double amount);          // rounds half away from zero
std::string format_dollars(NanoDollars amount);  // "0.0421", "1.00": at least two decimals, no more than needed

}  // namespace agentd
