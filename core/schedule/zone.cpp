#include "core/schedule/zone.hpp"

#include <date/tz.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace agentd::schedule {
namespace {

constexpr std::size_t kLongestName = 64;

// Far enough for every schedule, and in milliseconds far from the ends of the integer.
constexpr Instant kBeginOfTime = Instant(std::chrono::sys_days(std::chrono::year(0) / 1 / 1));
constexpr Instant kEndOfTime = Instant(std::chrono::sys_days(std::chrono::year(30'000) / 1 / 1));

Instant within_time(date::sys_seconds at) {
  const auto bounded = std::clamp(at.time_since_epoch(), std::chrono::floor<std::chrono::seconds>(kBeginOfTime.time_since_epoch()),
                                  std::chrono::floor<std::chrono::seconds>(kEndOfTime.time_since_epoch()));
  return Instant(bounded);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; }

// Levenshtein's distance, letters without regard to case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto changed = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// The name, or with a city alone ("Berlin") the zone of that city.
std::size_t distance_to_zone(std::string_view wanted, std::string_view zone) {
  const auto city = zone.substr(zone.rfind('/') + 1);
  return std::min(distance(wanted, zone), wanted.contains('/') ? zone.size() : distance(wanted, city) + 1);
}

std::string nearest(std::string_view wanted) {
  std::string best = "UTC";
  auto least = distance(wanted, best);
  for (const auto& zone : date::get_tzdb().zones) {
    const auto d = distance_to_zone(wanted, zone.name());
    if (d < least || (d == least && zone.name() < best)) least = d, best = zone.name();
  }
  return best;
}

}  // namespace

LocalMinute Zone::Stretch::local_floor(Instant at) const {
  return LocalMinute(std::chrono::floor<std::chrono::minutes>(at.time_since_epoch() + offset));
}
LocalMinute Zone::Stretch::local_ceil(Instant at) const { return LocalMinute(std::chrono::ceil<std::chrono::minutes>(at.time_since_epoch() + offset)); }
Instant Zone::Stretch::instant(LocalMinute local) const { return Instant(local.time_since_epoch() - offset); }

Zone::Stretch Zone::at(Instant instant) const {
  if (!zone_) return {kBeginOfTime, kEndOfTime, std::chrono::seconds(0)};
  const auto info = zone_->get_info(date::sys_time<Millis>(std::clamp(instant, kBeginOfTime, kEndOfTime).time_since_epoch()));
  return {within_time(info.begin), within_time(info.end), info.offset};
}

Instant Zone::instant(LocalMinute local) const {
  if (!zone_) return Instant(local.time_since_epoch());
  const auto info = zone_->get_info(date::local_time<std::chrono::minutes>(local.time_since_epoch()));
  if (info.result == date::local_info::nonexistent) return Instant(info.first.end.time_since_epoch());
  return Instant(local.time_since_epoch() - info.first.offset);
}

Result<Zone> find_zone(std::string_view name) {
  Zone zone;
  if (name == "UTC" || name == "Etc/UTC") return zone;
  const auto unknown = "unknown time zone \"" + std::string(name.substr(0, kLongestName)) + "\"";
  try {
    if (name.size() > kLongestName) return fail(unknown + "; write an IANA name such as \"Europe/Berlin\"");
    const auto& zones = date::get_tzdb().zones;
    const auto found = std::lower_bound(zones.begin(), zones.end(), name, [](const auto& zone_of, std::string_view wanted) { return zone_of.name() < wanted; });
    if (found == zones.end() || found->name() != name) return fail(unknown + "; did you mean \"" + nearest(name) + "\"?");
    found->get_info(date::sys_seconds{});  // reads its file, so that a broken one is met here
    zone.zone_ = &*found;
    return zone;
  } catch (const std::exception& e) {
    return fail("time zone \"" + std::string(name) + "\" cannot be read (" + e.what() + "); is the package tzdata installed?");
  }
}

}  // namespace agentd::schedule
