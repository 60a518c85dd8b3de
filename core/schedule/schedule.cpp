#include "core/schedule/schedule.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace agentd::schedule {
namespace {

using std::chrono::days;
using std::chrono::minutes;

constexpr Millis kShortestInterval{1000};
constexpr std::chrono::years kHorizon{50};

Instant anchor(const Schedule& s) { return s.start.value_or(Instant{}); }

// How many whole intervals lie between the anchor and an instant, rounded down also before the anchor.
std::int64_t steps(const Interval& interval, Instant anchor, Instant at) {
  const auto distance = (at - anchor).count(), every = interval.every.count();
  return distance >= 0 ? distance / every : -((-distance + every - 1) / every);
}

// A fixed time of day: as many slots as there are matching local times, each at the instant the zone gives it.
std::optional<Instant> next_fixed(const Cron& cron, Instant after) {
  auto local =
      cron.zone.at(after).local_floor(after) + minutes(1);  // what is not later as a local time is not later as an instant
  while (const auto match = next_local(cron.fields, local)) {
    const auto at = cron.zone.instant(*match);
    if (at > after) return at;
    local = *match + minutes(1);  // the second pass of a repeated hour
  }
  return std::nullopt;
}

// Elapsed time: a slot whenever the clock on the wall shows a matching time, twice in a repeated hour.
std::optional<Instant> next_elapsed(const Cron& cron, Instant after) {
  auto stretch = cron.zone.at(after);
  auto local = stretch.local_floor(after) + minutes(1);
  for (const auto horizon = after + kHorizon; stretch.begin < horizon; local = stretch.local_ceil(stretch.begin)) {
    const auto match = next_local(cron.fields, local);
    if (!match) return std::nullopt;
    if (const auto at = stretch.instant(*match); at < stretch.end) return at;
    stretch = cron.zone.at(stretch.end);
  }
  return std::nullopt;
}

std::optional<Instant> next_of(const Interval& interval, const Schedule& s, Instant after) {
  return anchor(s) + interval.every * (steps(interval, anchor(s), after) + 1);
}
std::optional<Instant> next_of(const Cron& cron, const Schedule&, Instant after) {
  return cron.fields.elapsed ? next_elapsed(cron, after) : next_fixed(cron, after);
}
std::optional<Instant> next_of(const At& at, const Schedule&, Instant after) {
  return at.at > after ? std::optional(at.at) : std::nullopt;
}

std::uint64_t count_one_by_one(const Schedule& schedule, Instant from, Instant to) {
  std::uint64_t count = 0;
  for (auto slot = next_slot(schedule, from); slot && *slot <= to; slot = next_slot(schedule, *slot)) ++count;
  return count;
}

// How many matching times of day come before a minute of the day.
std::uint64_t times_before(const CronFields& fields, unsigned minute_of_day) {
  const auto hour = minute_of_day / 60;
  const auto in_hour = static_cast<std::uint64_t>(std::popcount(fields.minutes));
  const auto hours_before = static_cast<std::uint64_t>(std::popcount(fields.hours & ((1u << hour) - 1)));
  const auto in_this_hour =
      fields.hours >> hour & 1 ? std::popcount(fields.minutes & ((std::uint64_t{1} << minute_of_day % 60) - 1)) : 0;
  return hours_before * in_hour + static_cast<std::uint64_t>(in_this_hour);
}

// Day by day: only where clocks change are slots walked one by one.
std::uint64_t count_cron(const Schedule& schedule, const Cron& cron, Instant from, Instant to) {
  std::uint64_t count = 0;
  for (auto at = from + Millis(1); at <= to;) {
    const auto stretch = cron.zone.at(at);
    const auto day = std::chrono::floor<days>(stretch.local_floor(at));
    const auto begin = stretch.instant(day), end = stretch.instant(day + days(1));
    const auto until = std::min(to + Millis(1), end);
    const auto minute_of_day = [&](Instant t) { return static_cast<unsigned>((stretch.local_ceil(t) - day).count()); };
    if (begin < stretch.begin || end > stretch.end)
      count += count_one_by_one(schedule, at - Millis(1), until - Millis(1));
    else if (matches_date(cron.fields, std::chrono::year_month_day(day)))
      count += times_before(cron.fields, minute_of_day(until)) - times_before(cron.fields, minute_of_day(at));
    at = until;
  }
  return count;
}

}  // namespace

std::optional<Instant> next_slot(const Schedule& schedule, Instant after) {
  if (schedule.start) after = std::max(after, *schedule.start - Millis(1));
  const auto slot = std::visit([&](const auto& when) { return next_of(when, schedule, after); }, schedule.when);
  if (!slot || (schedule.end && *slot > *schedule.end)) return std::nullopt;
  return slot;
}

std::vector<Instant> slots_between(const Schedule& schedule, Instant from, Instant to, std::size_t limit) {
  std::vector<Instant> slots;
  while (slots.size() < limit) {
    const auto slot = next_slot(schedule, from);
    if (!slot || *slot > to) break;
    slots.push_back(from = *slot);
  }
  return slots;
}

Instant last_slot(const Schedule& schedule, Instant slot, Instant to) {
  while (slot < to) {  // by halving: only next_slot knows the calendar
    const auto middle = slot + (to - slot) / 2;
    const auto next = next_slot(schedule, middle);
    if (next && *next <= to)
      slot = *next;
    else
      to = middle;
  }
  return slot;
}

Count count_slots(const Schedule& schedule, Instant from, Instant to) {
  if (schedule.end) to = std::min(to, *schedule.end);
  const auto first = next_slot(schedule, from);
  if (!first || *first > to) return {};
  if (const auto* interval = std::get_if<Interval>(&schedule.when)) {
    const auto more = static_cast<std::uint64_t>((to - *first) / interval->every);
    return {more + 1, *first, *first + interval->every * static_cast<std::int64_t>(more)};
  }
  if (const auto* cron = std::get_if<Cron>(&schedule.when))
    return {count_cron(schedule, *cron, *first - Millis(1), to), *first, last_slot(schedule, *first, to)};
  return {1, *first, *first};
}

Millis jitter_of(std::string_view agent_id, Millis jitter) {
  if (jitter <= Millis(0)) return Millis(0);
  std::uint64_t h = 0xcbf29ce484222325;  // FNV-1a, then splitmix64's finish: short ids differ in few bits
  for (const char c : agent_id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9;
  h = (h ^ h >> 27) * 0x94d049bb133111eb;
  h ^= h >> 31;
  return Millis(static_cast<std::int64_t>(h % static_cast<std::uint64_t>(jitter.count())));
}

std::string slot_key(std::string_view agent_id, Instant scheduled_at) {
  const bool whole = scheduled_at == std::chrono::floor<std::chrono::seconds>(scheduled_at);
  return std::string(agent_id) + '@' + (whole ? format_instant_s(scheduled_at) : format_instant(scheduled_at));
}

namespace {

void check(const manifest::Interval& interval, const manifest::Schedule&, std::vector<Problem>& found) {
  if (interval.every < kShortestInterval)
    found.push_back({"schedule.interval", "an interval is at least 1s; for less, let one run do more"});
}
void check(const manifest::Cron& cron, const manifest::Schedule&, std::vector<Problem>& found) {
  if (const auto parsed = parse_cron(cron.expression); !parsed) found.push_back({"schedule.cron", parsed.error().message});
}
void check(const auto&, const manifest::Schedule&, std::vector<Problem>&) {}

}  // namespace

std::vector<Problem> problems(const manifest::Schedule& schedule) {
  std::vector<Problem> found;
  std::visit([&](const auto& when) { check(when, schedule, found); }, schedule.when);
  if (const auto zone = find_zone(schedule.timezone); !zone) found.push_back({"schedule.timezone", zone.error().message});
  if (schedule.start && schedule.end && *schedule.end < *schedule.start)
    found.push_back({"schedule.end", "ends before it starts"});
  return found;
}

Result<std::optional<Schedule>> make_schedule(const manifest::Schedule& schedule) {
  if (const auto found = problems(schedule); !found.empty()) return fail(found.front().key + ": " + found.front().message);
  Schedule made{.when = At{}, .start = schedule.start, .end = schedule.end, .jitter = schedule.jitter};
  if (const auto* interval = std::get_if<manifest::Interval>(&schedule.when))
    made.when = Interval{interval->every};
  else if (const auto* cron = std::get_if<manifest::Cron>(&schedule.when))
    made.when = Cron{*parse_cron(cron->expression), *find_zone(schedule.timezone)};
  else if (const auto* at = std::get_if<manifest::At>(&schedule.when))
    made.when = At{at->at};
  else
    return std::optional<Schedule>();
  return made;
}

}  // namespace agentd::schedule
