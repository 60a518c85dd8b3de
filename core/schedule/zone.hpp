// Time zones, from the system's IANA data. Exact to the end of 2037, where the compiled transitions of that data end.
#pragma once
#include <chrono>
#include <string_view>

#include "core/base/time.hpp"
#include "core/schedule/cron.hpp"

namespace date {
class time_zone;
}

namespace agentd::schedule {

// A value as small as a pointer; any thread. The zone's data lives as long as the process.
class Zone {
 public:
  Zone() = default;  // UTC, which needs no data

  // A stretch of time with one distance from UTC.
  struct Stretch {
    Instant begin, end;
    std::chrono::seconds offset;
    LocalMinute local_floor(Instant at) const;  // the local minute that `at` lies in
    LocalMinute local_ceil(Instant at) const;
    Instant instant(LocalMinute local) const;
  };
  Stretch at(Instant instant) const;

  // Of a local time that exists twice the first, of one that does not exist the first instant after the gap. Never falls as local
  // grows.
  Instant instant(LocalMinute local) const;

  friend bool operator==(const Zone&, const Zone&) = default;

 private:
  friend Result<Zone> find_zone(std::string_view name);
  const date::time_zone* zone_ = nullptr;
};

// An IANA name such as "Europe/Berlin"; the error names the nearest one.
Result<Zone> find_zone(std::string_view name);

}  // namespace agentd::schedule
