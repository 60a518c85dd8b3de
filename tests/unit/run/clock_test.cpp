// The wall's clock is set while runs are queued, waiting and in flight. What a run is given in time goes by a clock that nobody
// sets.
#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::RunStatus;

Turn answer_after(Millis time) {
  auto slow = say("ok");
  slow.takes = time;
  return slow;
}

Turn busy_for(Millis time) {
  auto busy = say("ok");
  busy.failures = {server_error(time)};
  return busy;
}

// How long a run takes from now on, by the clock that nobody sets.
Millis until_end(Bench& bench, RunId run) {
  const Tick begin = bench.world().tick();
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  return std::chrono::floor<Millis>(bench.world().tick() - begin);
}

const std::vector<Millis> kJumps = {-5h, -2s, 2s, 5h};

TEST(Clock, AJumpUnderARunInFlightChangesNothing) {
  for (const auto jump : kJumps) {
    SCOPED_TRACE(format_duration(jump));
    Bench bench({.answers = {call("geometry.area", R"({"length":3,"width":4})"), answer_after(2min)},
                 .spec = [](auto& spec) { spec.task.timeout = 3min; }});
    const auto run = bench.ask();
    bench.pass(1min);
    bench.world().jump(jump);
    EXPECT_EQ(until_end(bench, run), 1min);
  }
}

TEST(Clock, AnAttemptIsTimedOutWhenItsTimeIsUpAndNeverSooner) {
  for (const auto jump : kJumps) {
    SCOPED_TRACE(format_duration(jump));
    Bench bench({.answers = {answer_after(1h)}, .spec = [](auto& spec) { spec.task.timeout = 3min; }});
    const auto run = bench.ask();
    bench.pass(1min);
    bench.world().jump(jump);
    bench.pass(2min - 1s);
    EXPECT_EQ(bench.standing(run).status, RunStatus::running);
    bench.pass(2s);
    EXPECT_EQ(bench.standing(run).status, RunStatus::timed_out);
  }
}

// The first answer takes a minute of the three that the attempt has, then the run waits.
TEST(Clock, ActiveTimeSurvivesAWaitAndAJump) {
  for (const auto jump : kJumps) {
    SCOPED_TRACE(format_duration(jump));
    auto first = call("geometry.area", R"({"length":3,"width":4})");
    first.takes = 1min;
    auto second = busy_for(20s);
    second.takes = 90s;
    Bench bench({.answers = {first, second}, .spec = [](auto& spec) { spec.task.timeout = 5min; }});
    const auto run = bench.ask();
    bench.pass(30s);
    bench.world().jump(jump);
    EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
    EXPECT_EQ(bench.records<event::Waiting>(run).front().active_ms, (1min + 90s) / 1ms);
  }
}

TEST(Clock, ActiveTimeSurvivesARelease) {
  Bench bench({.answers = {answer_after(1h)}, .spec = [](auto& spec) { spec.task.timeout = 3min; }});
  const auto run = bench.ask();
  bench.pass(2min);
  bench.world().jump(5h);
  auto drain = [](Worker& worker) -> Async<bool> {
    co_await worker.drain(Millis(0));
    co_return true;
  };
  bench.world().run(drain(bench.worker()));
  bench.restart();
  bench.pass(1min - 1s);
  EXPECT_EQ(bench.standing(run).status, RunStatus::running);
  bench.pass(2s);
  EXPECT_EQ(bench.standing(run).status, RunStatus::timed_out);
}

TEST(Clock, AQueuedRunIsNotHeldUpByAJumpBack) {
  Bench bench({.answers = {say("ok")}});
  bench.ledger().serve("surveyor", false);
  const auto run = bench.ask();
  bench.world().jump(-5h);
  bench.ledger().serve("surveyor", true);
  EXPECT_LE(until_end(bench, run), 1min);
}

TEST(Clock, AWaitingRunWaitsNoLongerAfterAJumpBack) {
  Bench bench({.answers = {busy_for(10min)}});
  const auto run = bench.ask();
  bench.pass(1min);
  bench.world().jump(-5h);
  const auto left = until_end(bench, run);
  EXPECT_GE(left, 9min);
  EXPECT_LE(left, 11min);
}

TEST(Clock, AWaitingRunIsNotHeldUpWhenTheClockWasSetBackWhileNobodyRan) {
  Bench bench({.answers = {busy_for(10min)}});
  const auto run = bench.ask();
  bench.pass(1min);
  bench.die();
  bench.world().jump(-5h);
  bench.restart();
  EXPECT_LE(until_end(bench, run), 11min);
}

TEST(Clock, AWaitingRunIsDueByTheWallsClockWithinAMinuteOfAJumpForward) {
  Bench bench({.answers = {busy_for(4h)}});
  const auto run = bench.ask();
  bench.pass(1min);
  bench.world().jump(5h);
  EXPECT_LE(until_end(bench, run), 1min);
}

TEST(Clock, NoJumpBackGivesARunLongerThanItsDeadline) {
  Bench bench({.answers = {busy_for(30s)}, .spec = [](auto& spec) { spec.task.timeout = 0s, spec.task.deadline = 10min; }});
  bench.provider().on_request = [&](std::size_t nth) {
    if (nth == 2) bench.provider().turns[0].takes = 1h;
  };
  const auto run = bench.ask();
  bench.pass(1s);
  bench.world().jump(-5h);
  const Tick begin = bench.world().tick();
  EXPECT_EQ(bench.until_end(run).status, RunStatus::timed_out);
  EXPECT_LE(bench.world().tick() - begin, 20min);
}

}  // namespace
}  // namespace agentd::run
