#include "core/schedule/ticker.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <set>

#include "tests/support/virtual_world.hpp"

namespace agentd::schedule {
namespace {

using namespace std::chrono;
using support::VirtualWorld;

Instant utc(const char* text) { return parse_instant(text).value(); }
Schedule every(Millis interval) { return {.when = Interval{interval}}; }
Schedule cron(const char* expression, const char* zone = "UTC") {
  return {.when = Cron{parse_cron(expression).value(), find_zone(zone).value()}};
}

// A ticker on a virtual clock that stands at 2026-01-01T12:00:30Z, and all it has said.
struct Bench {
  VirtualWorld world{1, utc("2026-01-01T12:00:30Z")};
  std::vector<SlotBatch> ticks;
  std::vector<DueSlot> due;
  std::vector<LostSlots> lost;
  Ticker ticker{world, world, [this](SlotBatch tick) {
                  due.insert(due.end(), tick.due.begin(), tick.due.end());
                  lost.insert(lost.end(), tick.lost.begin(), tick.lost.end());
                  ticks.push_back(std::move(tick));
                }};
  void forget() { ticks.clear(), due.clear(), lost.clear(); }
};

TEST(Ticker, HandsOverEachSlotWhenItIsDue) {
  Bench b;
  b.ticker.add("a", every(10min), {}, {});
  b.world.advance(9min + 29s);
  EXPECT_TRUE(b.ticks.empty());
  b.world.advance(1s + 10ms);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].agent_id, "a");
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:10:00Z"));
  EXPECT_FALSE(b.due[0].misfire);
  b.world.advance(50min);
  EXPECT_EQ(b.due.size(), 6u);
  EXPECT_TRUE(b.lost.empty());
}

TEST(Ticker, IsNeverLateOnAQuietMachine) {
  Bench b;
  b.ticker.add("a", every(1s), {}, {});
  Instant seen{};
  Ticker other(b.world, b.world, [&](SlotBatch) { seen = b.world.now(); });
  other.add("b", cron("1 12 * * *"), {}, {});
  b.world.advance(31s);
  EXPECT_EQ(seen, utc("2026-01-01T12:01:00Z"));
  EXPECT_EQ(b.due.size(), 31u);
}

TEST(Ticker, ShiftsAllSlotsOfAnAgentByItsJitter) {
  Bench b;
  auto schedule = every(10min);
  schedule.jitter = 5min;
  b.ticker.add("a", schedule, {}, {});
  const auto jitter = jitter_of("a", 5min);
  EXPECT_EQ(b.ticker.next_due("a"), utc("2026-01-01T12:10:00Z") + jitter);
  b.world.advance(30min);
  ASSERT_GE(b.due.size(), 2u);
  for (const auto& slot : b.due) EXPECT_EQ(slot.due_at, slot.scheduled_at + jitter);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:10:00Z"));
}

TEST(Ticker, HandsOverTenThousandSlotsOfOneInstantInOneCall) {
  Bench b;
  for (int i = 0; i < 10'000; ++i) b.ticker.add("agent" + std::to_string(i), cron("* * * * *"), {}, {});
  b.world.advance(30s + 10ms);
  ASSERT_EQ(b.ticks.size(), 1u);
  EXPECT_EQ(b.due.size(), 10'000u);
}

TEST(Ticker, HandsOverSlotsOfOneInstantInTheOrderTheirAgentsCame) {
  Bench b;
  for (const char* id : {"m", "z", "a", "k", "b"}) b.ticker.add(id, every(10min), {}, {});
  for (const bool again : {false, true}) {
    b.forget();
    b.world.advance(10min);
    std::string order;
    for (const auto& due : b.due) order += due.agent_id;
    EXPECT_EQ(order, "mzakb") << again;
  }
}

TEST(Ticker, RunsTheLatestMissedSlotAndKeepsOneRecordOfTheRest) {
  Bench b;
  b.ticker.add("a", every(15min), {}, utc("2026-01-01T09:00:00Z"));
  b.world.jump(5min);  // 12:05:30: the slot of 12:00 is late too
  b.world.advance(10ms);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:00:00Z"));
  EXPECT_TRUE(b.due[0].misfire);
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].why, LostSlots::Why::missed);
  EXPECT_EQ(b.lost[0].count, 11u);
  EXPECT_EQ(b.lost[0].first, utc("2026-01-01T09:15:00Z"));
  EXPECT_EQ(b.lost[0].last, utc("2026-01-01T11:45:00Z"));
}

TEST(Ticker, RunsNoMissedSlotBesideOneThatIsOnTime) {
  Bench b;  // 12:00:30: the slot of 12:00 is half a minute late
  b.ticker.add("a", every(1h), {}, utc("2026-01-01T09:00:00Z"));
  b.world.advance(10ms);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:00:00Z"));
  EXPECT_FALSE(b.due[0].misfire);
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].count, 2u);
}

TEST(Ticker, MakesUpForAllMissedSlotsOfTheWindowInTheirOrder) {
  Bench b;
  b.ticker.add("a", every(15min), {.misfire = Policy::Misfire::all, .catchup_window = 1h}, utc("2026-01-01T09:00:00Z"));
  b.world.jump(5min);  // 12:05:30
  b.world.advance(10ms);
  ASSERT_EQ(b.due.size(), 4u);
  EXPECT_EQ(b.due.front().scheduled_at, utc("2026-01-01T11:15:00Z"));
  EXPECT_EQ(b.due.back().scheduled_at, utc("2026-01-01T12:00:00Z"));
  EXPECT_TRUE(std::ranges::is_sorted(b.due, {}, &DueSlot::scheduled_at));
  EXPECT_TRUE(std::ranges::all_of(b.due, &DueSlot::misfire));
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].why, LostSlots::Why::missed);
  EXPECT_EQ(b.lost[0].count, 8u);  // 09:15 to 11:00
  EXPECT_EQ(b.lost[0].last, utc("2026-01-01T11:00:00Z"));
  b.forget();
  b.world.advance(15min);
  EXPECT_EQ(b.due.size(), 1u);
  EXPECT_TRUE(b.lost.empty());
}

TEST(Ticker, MakesUpForAllBesideASlotThatIsOnTime) {
  Bench b;  // 12:00:30
  b.ticker.add("a", every(1h), {.misfire = Policy::Misfire::all, .catchup_window = 3h}, utc("2026-01-01T09:30:00Z"));
  b.world.advance(10ms);
  ASSERT_EQ(b.due.size(), 3u);
  EXPECT_TRUE(b.due[1].misfire);
  EXPECT_FALSE(b.due[2].misfire);
  EXPECT_TRUE(b.lost.empty());
}

TEST(Ticker, TakesTheLatestOfMoreSlotsThanTheQueueHolds) {
  for (const auto& schedule : {every(1s), cron("* * * * *")}) {
    Bench b;
    b.world.jump(5min);
    b.ticker.add("a", schedule, {.misfire = Policy::Misfire::all, .most_at_once = 10, .catchup_window = 2h},
                 utc("2026-01-01T09:00:00Z"));
    b.world.advance(10ms);
    std::uint64_t made_up = 0, lost = 0;
    for (const auto& slot : b.due) made_up += slot.misfire;
    for (const auto& stretch : b.lost) lost += stretch.count;
    EXPECT_EQ(made_up, 10u);
    ASSERT_EQ(b.lost.size(), 2u);
    EXPECT_EQ(b.lost[1].why, LostSlots::Why::no_room);
    EXPECT_EQ(b.lost[0].last, *next_slot(schedule, b.lost[0].last - 1ms));
    EXPECT_EQ(next_slot(schedule, b.lost[0].last), b.lost[1].first);
    EXPECT_EQ(next_slot(schedule, b.lost[1].last), b.due.front().scheduled_at);
    EXPECT_EQ(lost + b.due.size(), count_slots(schedule, utc("2026-01-01T09:00:00Z"), b.world.now()).count);
  }
}

TEST(Ticker, SaysWhichSlotRunsInPlaceOfThoseThatWereMissed) {
  const auto into = [](Policy policy, const char* last, Millis later) {
    Bench b;
    b.world.jump(later);
    b.ticker.add("a", every(15min), policy, utc(last));
    b.world.advance(10ms);
    return b.lost.at(0).into;
  };
  EXPECT_EQ(into({}, "2026-01-01T09:00:00Z", 5min), utc("2026-01-01T12:00:00Z"));  // the latest missed one
  EXPECT_EQ(into({}, "2026-01-01T09:00:00Z", 0min), utc("2026-01-01T12:00:00Z"));  // one that is on time
  EXPECT_EQ(into({.catchup_window = 1min}, "2026-01-01T09:00:00Z", 5min), std::nullopt);
  EXPECT_EQ(into({.misfire = Policy::Misfire::skip, .catchup_window = {}}, "2026-01-01T09:00:00Z", 0min), std::nullopt);
}

TEST(Ticker, SkipsMissedSlotsWhenTold) {
  Bench b;
  b.world.jump(5min);
  b.ticker.add("a", every(1h), {.misfire = Policy::Misfire::skip, .catchup_window = {}}, utc("2026-01-01T09:00:00Z"));
  b.world.advance(10ms);
  EXPECT_TRUE(b.due.empty());
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].count, 3u);
  EXPECT_EQ(b.lost[0].last, utc("2026-01-01T12:00:00Z"));
}

TEST(Ticker, CatchesUpOnlyWithinItsWindow) {
  const auto caught_up = [](const Schedule& schedule, std::optional<Millis> window, const char* last) {
    Bench b;
    b.ticker.add("a", schedule, {.misfire = Policy::Misfire::latest, .catchup_window = window}, utc(last));
    b.world.advance(10ms);
    return b.due.size();
  };
  // now is 12:00:30; the slot of 11:30 is half an hour late
  EXPECT_EQ(caught_up(cron("30 11 * * *"), 20min, "2025-12-31T11:30:00Z"), 0u);
  EXPECT_EQ(caught_up(cron("30 11 * * *"), 40min, "2025-12-31T11:30:00Z"), 1u);
  EXPECT_EQ(caught_up(cron("30 0 * * *"), {}, "2025-12-31T00:30:00Z"), 1u);   // one period: a day
  EXPECT_EQ(caught_up(cron("0 0 21 12 *"), {}, "2025-12-20T00:00:00Z"), 0u);  // eleven days: more than seven
  EXPECT_EQ(caught_up(cron("0 0 27 12 *"), {}, "2025-12-20T00:00:00Z"), 1u);
}

TEST(Ticker, CountsYearsOfMissedSlotsAtOnce) {
  Bench b;
  b.ticker.add("a", cron("* * * * *", "Europe/Berlin"), {}, utc("2024-01-01T12:00:30Z"));
  b.world.advance(10ms);
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].count, (365u + 366u) * 1440u - 1);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:00:00Z"));
}

TEST(Ticker, BeginsANewAgentNow) {
  Bench b;
  b.world.jump(5min);
  b.ticker.add("a", every(1h), {}, {});
  b.world.advance(10ms);
  EXPECT_TRUE(b.ticks.empty());
  EXPECT_EQ(b.ticker.next_due("a"), utc("2026-01-01T13:00:00Z"));
}

TEST(Ticker, LooksForASingleInstantOfANewAgentWithinTheWindow) {
  Bench b;
  b.ticker.add("late", {.when = At{utc("2026-01-01T11:30:00Z")}}, {}, {});
  b.ticker.add("too_late", {.when = At{utc("2026-01-01T10:30:00Z")}}, {}, {});
  b.ticker.add("done", {.when = At{utc("2026-01-01T11:30:00Z")}}, {}, utc("2026-01-01T11:30:00Z"));
  b.world.advance(10ms);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].agent_id, "late");
  EXPECT_TRUE(b.due[0].misfire);
}

TEST(Ticker, SkipsSlotsWhilePausedAndSaysSo) {
  Bench b;
  b.ticker.add("a", every(10min), {}, {});
  b.world.advance(1min);
  b.ticker.pause("a");
  b.world.advance(1h);
  EXPECT_TRUE(b.ticks.empty());
  EXPECT_EQ(b.ticker.next_due("a"), std::nullopt);
  b.ticker.resume("a");
  b.world.advance(10ms);
  EXPECT_TRUE(b.due.empty());
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].why, LostSlots::Why::paused);
  EXPECT_EQ(b.lost[0].count, 6u);
  EXPECT_EQ(b.lost[0].first, utc("2026-01-01T12:10:00Z"));
  b.world.advance(10min);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T13:10:00Z"));
}

TEST(Ticker, SaysEachSkippedSlotOnceThoughPausedAgain) {
  Bench b;
  b.ticker.add("a", every(10min), {}, {});
  for (int i = 0; i < 2; ++i) {
    b.ticker.pause("a");
    b.world.advance(20min);
    b.ticker.resume("a");
    EXPECT_GT(b.ticker.next_due("a"), b.world.now());
    b.world.advance(10ms);
  }
  ASSERT_EQ(b.lost.size(), 2u);
  EXPECT_EQ(b.lost[0].count + b.lost[1].count, 4u);
  EXPECT_EQ(b.lost[1].first, utc("2026-01-01T12:30:00Z"));
}

TEST(Ticker, ResumesNobodyWhoIsNotPaused) {
  Bench b;
  b.ticker.add("a", every(10min), {}, utc("2026-01-01T09:00:00Z"));
  b.ticker.resume("a");
  b.ticker.resume("unknown");
  b.ticker.pause("unknown");
  b.world.advance(10ms);
  EXPECT_EQ(b.due.size() + b.lost.size(), 2u);  // missed, not paused
  EXPECT_EQ(b.lost.at(0).why, LostSlots::Why::missed);
}

TEST(Ticker, NoticesAJumpForwardWithinAMinute) {
  Bench b;
  b.ticker.add("a", every(10min), {}, {});
  b.world.advance(10ms);
  b.world.jump(24h);
  b.world.advance(1min);
  EXPECT_EQ(b.due.size(), 1u);
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].count + b.due.size(), 144u);
}

TEST(Ticker, NeverFiresASlotTwiceAfterASmallStepBack) {
  Bench b;
  b.ticker.add("a", every(10s), {}, {});
  b.world.advance(1h);
  const auto before = b.due.size();
  b.world.jump(-50s);
  b.world.advance(50s);
  EXPECT_EQ(b.due.size(), before);
  b.world.advance(10s);
  EXPECT_EQ(b.due.size(), before + 1);
  EXPECT_TRUE(b.lost.empty());
  std::set<Instant> seen;
  for (const auto& slot : b.due) EXPECT_TRUE(seen.insert(slot.scheduled_at).second);
}

TEST(Ticker, BeginsAnewWhenAWrongClockIsPutRight) {
  for (const Millis wrong : {Millis(2min), Millis(2h), Millis(24h * 5), Millis(24h * 365)}) {
    Bench b;
    b.ticker.add("a", every(10s), {}, {});
    b.ticker.add("hourly", every(1h), {}, {});
    b.world.jump(wrong);
    b.world.advance(1min);
    const auto was = b.world.now();
    b.forget();
    b.world.jump(-wrong);
    b.world.advance(1min);  // 12:02:30
    ASSERT_EQ(std::ranges::count_if(b.ticks, [](const auto& tick) { return tick.clock_was.has_value(); }), 1) << wrong;
    for (const auto& tick : b.ticks)
      if (tick.clock_was) EXPECT_LE(was - *tick.clock_was, Millis(10s)) << "when it was last looked at";
    EXPECT_GE(std::ranges::count(b.due, "a", &DueSlot::agent_id), 5) << wrong;
    EXPECT_EQ(b.due.back().scheduled_at, utc("2026-01-01T12:02:30Z")) << wrong;
    EXPECT_EQ(b.ticker.next_due("hourly"), utc("2026-01-01T13:00:00Z")) << wrong;
    EXPECT_TRUE(b.lost.empty());
  }
}

TEST(Ticker, GoesOnFromNowWhereTheLastSlotLiesAhead) {
  Bench b;
  b.ticker.add("a", every(10min), {}, utc("2026-01-06T12:00:00Z"));
  EXPECT_EQ(b.ticker.next_due("a"), utc("2026-01-01T12:10:00Z"));
  b.ticker.add("just ahead", every(10s), {}, utc("2026-01-01T12:01:00Z"));
  EXPECT_EQ(b.ticker.next_due("just ahead"), utc("2026-01-01T12:01:10Z"));
}

TEST(Ticker, ResumesFromNowWhereAWrongClockWasPutRight) {
  Bench b;
  b.ticker.add("a", every(10min), {}, {});
  b.world.jump(2h);
  b.world.advance(1min);
  b.ticker.pause("a");
  b.world.jump(-2h);
  b.forget();
  b.ticker.resume("a");
  EXPECT_EQ(b.ticker.next_due("a"), utc("2026-01-01T12:10:00Z"));
  b.world.advance(10min);
  EXPECT_EQ(b.due.size(), 1u);
  EXPECT_TRUE(b.lost.empty());
}

TEST(Ticker, ForgetsAnAgentThatIsRemoved) {
  Bench b;
  b.ticker.add("a", every(1min), {}, {});
  b.ticker.add("b", every(1min), {}, {});
  b.ticker.remove("a");
  b.ticker.remove("a");
  b.ticker.add("c", every(1min), {}, {});  // takes the place that is free
  b.world.advance(31s);
  ASSERT_EQ(b.due.size(), 2u);
  EXPECT_EQ(b.ticker.size(), 2u);
  for (const auto& slot : b.due) EXPECT_NE(slot.agent_id, "a");
}

TEST(Ticker, TakesANewScheduleFromNowOn) {
  Bench b;
  b.ticker.add("a", every(1h), {}, {});
  b.world.advance(30min);
  b.ticker.add("a", every(1min), {}, utc("2026-01-01T09:00:00Z"));  // its slots of this morning never were
  b.world.advance(31s);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:31:00Z"));
  EXPECT_TRUE(b.lost.empty());
  EXPECT_EQ(b.ticker.size(), 1u);
}

TEST(Ticker, StillRunsASlotOfTheOldScheduleThatWaitsForItsJitter) {
  Bench b;
  auto old = every(10min);
  old.jitter = 5min;
  const auto late = jitter_of("a", old.jitter);
  ASSERT_GT(late, 1s);
  b.ticker.add("a", old, {}, {});
  b.world.advance(9min + 30s + late / 2);
  ASSERT_TRUE(b.due.empty());
  b.ticker.add("a", every(1h), {}, {});
  b.world.advance(1h);
  ASSERT_EQ(b.due.size(), 2u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:10:00Z"));
  EXPECT_EQ(b.due[0].due_at, utc("2026-01-01T12:10:00Z") + late);
  EXPECT_EQ(b.due[1].scheduled_at, utc("2026-01-01T13:00:00Z"));
}

TEST(Ticker, AccountsForThePausedSlotsOfAScheduleThatIsReplaced) {
  Bench b;
  b.ticker.add("a", every(10min), {}, {});
  b.ticker.pause("a");
  b.world.advance(35min);  // 12:35:30
  b.ticker.add("a", every(1h), {}, {}, true);
  b.ticker.resume("a");
  b.world.advance(30min);
  ASSERT_EQ(b.lost.size(), 1u);
  EXPECT_EQ(b.lost[0].why, LostSlots::Why::paused);
  EXPECT_EQ(b.lost[0].count, 3u);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T13:00:00Z"));
}

TEST(Ticker, KeepsItsPlaceWhereThePolicyAloneChanges) {
  Bench b;
  auto same = every(10min);
  same.jitter = 5min;
  b.ticker.add("a", same, {}, {});
  b.world.advance(9min + 30s + jitter_of("a", same.jitter) / 2);
  b.ticker.add("a", same, {.misfire = Policy::Misfire::skip}, utc("2026-01-01T09:00:00Z"));
  b.world.advance(10min);
  ASSERT_EQ(b.due.size(), 1u);
  EXPECT_EQ(b.due[0].scheduled_at, utc("2026-01-01T12:10:00Z"));
  EXPECT_TRUE(b.lost.empty());
}

TEST(Ticker, HandsOverASlotOnceThoughItsAgentWasAddedAgain) {
  Bench b;
  b.ticker.add("early", every(1min), {}, {});
  for (int i = 0; i < 3; ++i) b.ticker.add("a", cron("5 12 * * *"), {}, {});
  b.ticker.add("gone", cron("5 12 * * *"), {}, {});
  b.ticker.remove("gone");
  b.world.advance(5min);
  EXPECT_EQ(std::ranges::count(b.due, "a", &DueSlot::agent_id), 1);
  EXPECT_EQ(b.due.size(), 6u);
}

TEST(Ticker, LetsTheSinkCallBack) {
  VirtualWorld world;
  std::vector<std::string> fired;
  Ticker* self = nullptr;
  Ticker ticker(world, world, [&](SlotBatch tick) {
    for (const auto& slot : tick.due) {
      fired.push_back(slot.agent_id);
      self->remove(slot.agent_id);
      if (slot.agent_id == "a") self->add("next", every(1min), {}, {});
    }
  });
  self = &ticker;
  ticker.add("a", every(1min), {}, {});
  ticker.add("b", every(1min), {}, {});
  world.advance(2min + 10ms);
  EXPECT_EQ(fired, (std::vector<std::string>{"a", "b", "next"}));
  EXPECT_EQ(ticker.size(), 0u);
  EXPECT_FALSE(world.next_timer());  // nobody is left to wait for
}

std::size_t bytes_in_use() {
  const auto use = mallinfo2();
  return use.uordblks + use.hblkhd;
}

TEST(Ticker, StaysSmallWhenSchedulesChangeAllTheTime) {
  Bench b;
  b.ticker.add("early", every(1min), {}, {});
  const auto before = bytes_in_use();
  for (int i = 0; i < 200'000; ++i) b.ticker.add("a", every(1h), {}, {});
  EXPECT_LT(bytes_in_use() - before, 16u << 10);
}

TEST(Ticker, HoldsAHundredThousandAgentsInTwoHundredBytesEach) {
  Bench b;
  const auto before = bytes_in_use();
  for (int i = 0; i < 100'000; ++i) b.ticker.add("agent_" + std::to_string(i), cron("0 9 * * 1-5"), {}, {});
  const auto bytes = (bytes_in_use() - before) / 100'000;
  RecordProperty("bytes_per_agent", static_cast<int>(bytes));
  EXPECT_LE(bytes, 200u);
}

}  // namespace
}  // namespace agentd::schedule
