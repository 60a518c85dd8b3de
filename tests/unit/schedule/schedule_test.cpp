#include "core/schedule/schedule.hpp"

#include <gtest/gtest.h>

#include <set>

namespace agentd::schedule {
namespace {

using namespace std::chrono;

Instant utc(const char* text) { return parse_instant(text).value(); }
Schedule cron(const char* expression, const char* zone = "UTC") {
  return {.when = Cron{parse_cron(expression).value(), find_zone(zone).value()}};
}
Schedule every(Millis interval) { return {.when = Interval{interval}}; }

std::vector<std::string> slots(const Schedule& schedule, const char* from, const char* to) {
  std::vector<std::string> out;
  for (const auto slot : slots_between(schedule, utc(from), utc(to), 1000)) out.push_back(format_instant_s(slot));
  return out;
}
using Slots = std::vector<std::string>;

TEST(Interval, IsMeasuredFromTheEpochSoItNeverDrifts) {
  EXPECT_EQ(next_slot(every(7min), Instant{}), Instant(7min));
  EXPECT_EQ(next_slot(every(10min), utc("2026-01-01T00:03:17Z")), utc("2026-01-01T00:10:00Z"));
  EXPECT_EQ(next_slot(every(10min), utc("2026-01-01T00:10:00Z")), utc("2026-01-01T00:20:00Z"));
  EXPECT_EQ(next_slot(every(10min), Instant(-1ms)), Instant{});
}

TEST(Interval, BeginsAtItsStart) {
  auto schedule = every(10min);
  schedule.start = utc("2026-01-01T00:03:00Z");
  EXPECT_EQ(slots(schedule, "2025-01-01T00:00:00Z", "2026-01-01T00:23:00Z"),
            (Slots{"2026-01-01T00:03:00Z", "2026-01-01T00:13:00Z", "2026-01-01T00:23:00Z"}));
}

TEST(Schedule, HasNoSlotOutsideItsStartAndEnd) {
  auto schedule = cron("0 9 * * *");
  schedule.start = utc("2026-01-02T09:00:00Z");
  schedule.end = utc("2026-01-03T09:00:00Z");
  EXPECT_EQ(slots(schedule, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            (Slots{"2026-01-02T09:00:00Z", "2026-01-03T09:00:00Z"}));
}

TEST(At, IsOneSlot) {
  const Schedule schedule{.when = At{utc("2026-12-01T09:00:00Z")}};
  EXPECT_EQ(next_slot(schedule, utc("2026-12-01T08:59:59.999Z")), utc("2026-12-01T09:00:00Z"));
  EXPECT_EQ(next_slot(schedule, utc("2026-12-01T09:00:00Z")), std::nullopt);
}

TEST(CronSlots, OfAFixedTimeInAGapFireOnceAtItsEnd) {
  EXPECT_EQ(slots(cron("30 2 * * *", "Europe/Berlin"), "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z"),
            (Slots{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
  EXPECT_EQ(slots(cron("0,15,30 2,3 * * *", "Europe/Berlin"), "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"),
            (Slots{"2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z"}));
}

TEST(CronSlots, OfAFixedTimeThatOccursTwiceFireTheFirstTime) {
  EXPECT_EQ(slots(cron("30 1 * * *", "America/New_York"), "2026-11-01T00:00:00Z", "2026-11-02T12:00:00Z"),
            (Slots{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}));
  EXPECT_EQ(next_slot(cron("30 1 * * *", "America/New_York"), utc("2026-11-01T06:10:00Z")),
            utc("2026-11-02T06:30:00Z"));  // asked in the second pass
}

TEST(CronSlots, WithAStarFollowElapsedTime) {
  EXPECT_EQ(slots(cron("30 * * * *", "Europe/Berlin"), "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z"),
            (Slots{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"}));
  EXPECT_EQ(slots(cron("*/30 2 * * *", "Europe/Berlin"), "2026-10-24T22:00:00Z", "2026-10-25T06:00:00Z"),
            (Slots{"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"}));
  EXPECT_EQ(slots(cron("*/30 2 * * *", "Europe/Berlin"), "2026-03-28T22:00:00Z", "2026-03-29T12:00:00Z"), Slots{});
}

TEST(CronSlots, CrossAHalfHourChange) {
  EXPECT_EQ(slots(cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-03T00:00:00Z", "2026-10-04T12:00:00Z"),
            (Slots{"2026-10-03T15:30:00Z"}));
  EXPECT_EQ(slots(cron("45 1 * * *", "Australia/Lord_Howe"), "2026-04-04T00:00:00Z", "2026-04-05T12:00:00Z"),
            (Slots{"2026-04-04T14:45:00Z"}));
}

TEST(CronSlots, OfAnImpossibleDateAreNone) {
  EXPECT_EQ(next_slot(cron("0 0 30 2 *", "Europe/Berlin"), utc("2026-01-01T00:00:00Z")), std::nullopt);
  EXPECT_EQ(next_slot(cron("* * 30 2 *", "Europe/Berlin"), utc("2026-01-01T00:00:00Z")), std::nullopt);
}

TEST(CountSlots, AgreesWithWalkingThem) {
  for (const auto* zone : {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"})
    for (const auto* expression : {"* * * * *", "*/7 * * * *", "30 2 * * *", "0,30 0-3 * * 0,3", "15 */5 1 * 1", "0 0 29 2 *",
                                   "0 0 30 2 *", "59 23 * * *"}) {
      const auto schedule = cron(expression, zone);
      for (const auto* from :
           {"2026-01-01T00:00:00Z", "2026-03-28T23:17:00.001Z", "2026-10-04T00:00:00Z", "2026-10-25T00:30:00Z"})
        for (const auto to : {utc(from) + 1h, utc(from) + 59h, utc(from) + 240h + 13min}) {
          const auto walked = slots_between(schedule, utc(from), to, 100'000);
          const auto counted = count_slots(schedule, utc(from), to);
          ASSERT_EQ(counted.count, walked.size()) << zone << ' ' << expression << ' ' << from << ' ' << format_instant(to);
          if (walked.empty()) continue;
          EXPECT_EQ(counted.first, walked.front());
          EXPECT_EQ(counted.last, walked.back());
        }
    }
}

TEST(CountSlots, CountsYearsOfSeconds) {
  const auto counted = count_slots(every(1s), utc("2020-01-01T00:00:00Z"), utc("2026-01-01T00:00:00Z"));
  EXPECT_EQ(counted.count, 189'388'800u);
  EXPECT_EQ(counted.last, utc("2026-01-01T00:00:00Z"));
}

TEST(Jitter, IsFixedPerAgentAndSpread) {
  EXPECT_EQ(jitter_of("a", 60s), jitter_of("a", 60s));
  EXPECT_EQ(jitter_of("a", 0s), 0s);
  std::set<Millis> seen;
  for (int i = 0; i < 100; ++i) {
    const auto jitter = jitter_of("agent" + std::to_string(i), 60s);
    EXPECT_GE(jitter, 0s);
    EXPECT_LT(jitter, 60s);
    seen.insert(duration_cast<seconds>(jitter));
  }
  EXPECT_GT(seen.size(), 40u);
  EXPECT_EQ(jitter_of("system_health", 1h), 1374842ms);  // every build and every replica agrees
}

TEST(SlotKey, NamesTheInstantAsScheduled) {
  EXPECT_EQ(slot_key("a", utc("2026-12-01T09:00:00Z")), "a@2026-12-01T09:00:00Z");
  EXPECT_EQ(slot_key("a", utc("2026-12-01T09:00:00.500Z")), "a@2026-12-01T09:00:00.500Z");
}

TEST(MakeSchedule, FindsEveryProblemAtOnce) {
  manifest::Schedule wrong{.when = manifest::Cron{"61 * * * *"},
                           .timezone = "Mars",
                           .start = utc("2027-01-01T00:00:00Z"),
                           .end = utc("2026-01-01T00:00:00Z")};
  const auto found = problems(wrong);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].key, "schedule.cron");
  EXPECT_EQ(found[1].key, "schedule.timezone");
  EXPECT_EQ(found[2].key, "schedule.end");
  EXPECT_FALSE(make_schedule(wrong));
}

TEST(MakeSchedule, GivesWhatTheManifestSays) {
  EXPECT_EQ(make_schedule({.when = manifest::Cron{"0 9 * * *"}, .timezone = "Europe/Berlin"}).value(),
            cron("0 9 * * *", "Europe/Berlin"));
  EXPECT_EQ(make_schedule({.when = manifest::Interval{10min}}).value(), every(10min));
  EXPECT_EQ(make_schedule({}).value(), std::nullopt);
  EXPECT_FALSE(make_schedule({.when = manifest::Interval{999ms}}));
}

}  // namespace
}  // namespace agentd::schedule
