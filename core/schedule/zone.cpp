#include "core/schedule/zone.hpp"

#include <date/tz.h>

#include <algorithm>
#include <string>

#include "core/manifest/nearest.hpp"

namespace agentd::schedule {
namespace {

constexpr std::size_t kLongestName = 64;

// Far enough for every schedule, and in milliseconds far from the ends of the integer.
constexpr Instant kBeginOfTime = Instant(std::chrono::sys_days(std::chrono::year(0) / 1 / 1));
constexpr Instant kEndOfTime = Instant(std::chrono::sys_days(std::chrono::year(30'000) / 1 / 1));

Instant within_time(date::sys_seconds at) {
  const auto bounded =
      std::clamp(at.time_since_epoch(), std::chrono::floor<std::chrono::seconds>(kBeginOfTime.time_since_epoch()),
                 std::chrono::floor<std::chrono::seconds>(kEndOfTime.time_since_epoch()));
  return Instant(bounded);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  return out;
}

// Letters without regard to case. A city alone ("Berlin") is near the zone of that city.
std::size_t distance(std::string_view wanted, std::string_view zone) {
  const auto whole = manifest::edit_distance(wanted, zone);
  if (wanted.contains('/')) return whole;
  return std::min(whole, manifest::edit_distance(wanted, zone.substr(zone.rfind('/') + 1)) + 1);
}

std::string nearest(std::string_view name) {
  const auto wanted = lower(name);
  std::string best = "UTC";
  auto least = distance(wanted, lower(best));
  for (const auto& zone : date::get_tzdb().zones) {
    const auto d = distance(wanted, lower(zone.name()));
    if (d < least || (d == least && zone.name() < best)) least = d, best = zone.name();
  }
  return best;
}

}  // namespace

LocalMinute Zone::Stretch::local_floor(Instant at) const {
  return LocalMinute(std::chrono::floor<std::chrono::minutes>(at.time_since_epoch() + offset));
}
LocalMinute Zone::Stretch::local_ceil(Instant at) const {
  return LocalMinute(std::chrono::ceil<std::chrono::minutes>(at.time_since_epoch() + offset));
}
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
    const auto found = std::lower_bound(zones.begin(), zones.end(), name,
                                        [](const auto& zone_of, std::string_view wanted) { return zone_of.name() < wanted; });
    if (found == zones.end() || found->name() != name) return fail(unknown + "; did you mean \"" + nearest(name) + "\"?");
    found->get_info(date::sys_seconds{});  // reads its file, so that a broken one is met here
    zone.zone_ = &*found;
    return zone;
  } catch (const std::exception& e) {
    return fail("time zone \"" + std::string(name) + "\" cannot be read (" + e.what() + "); is the package tzdata installed?");
  }
}

}  // namespace agentd::schedule
