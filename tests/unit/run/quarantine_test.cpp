// Runs that are given up until a person has looked at them.
#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using event::Reviewed;
using port::RunStatus;

std::expected<Position, port::LedgerError> review(Bench& bench, RunId run, Reviewed reviewed) {
  port::Transition transition{.run = run, .in_quarantine = bench.store().records_of(run).back().position};
  if (reviewed.what == Reviewed::What::retry) transition.next = RunStatus::queued, transition.due_at = bench.world().now();
  transition.records.push_back(event::to_record(reviewed));
  return bench.world().run(bench.ledger().commit(std::move(transition)));
}

// A model that the host dies of, twice; then it answers.
Scene deadly() {
  auto slow = call("geometry.area", R"({"length":3,"width":4})");
  slow.takes = 1h;
  return {.answers = {slow, say("12")},
          .spec = [](auto& spec) { spec.limits.max_crashes = 2, spec.task.query = "How large?", spec.task.timeout = 0s; }};
}

RunId die_of(Bench& bench) {
  const auto run = bench.ask();
  for (int death = 0; death < 2; ++death) {
    bench.pass(1s);
    bench.restart();
  }
  EXPECT_EQ(bench.until_end(run).status, RunStatus::quarantined);
  return run;
}

TEST(Quarantine, ARetryIsANewAttemptOfTheSameRunWithItsCrashesCountedFromZero) {
  Bench bench(deadly());
  const auto run = die_of(bench);
  ASSERT_TRUE(review(bench, run, {.what = Reviewed::What::retry, .by = "ana"}));
  bench.pass(1s);
  bench.restart();  // once more is one death, not three
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::completed);
  EXPECT_EQ(end.result, "\"12\"");
  EXPECT_EQ(end.attempt, 2);
}

TEST(Quarantine, AStaleReviewIsRefused) {
  Bench bench(deadly());
  const auto run = die_of(bench);
  const auto latest = bench.store().records_of(run).back().position;
  ASSERT_TRUE(review(bench, run, {.what = Reviewed::What::retry}));
  port::Transition late{.run = run, .next = RunStatus::queued, .in_quarantine = latest};
  late.records.push_back(event::to_record(Reviewed{.what = Reviewed::What::retry}));
  EXPECT_EQ(bench.world().run(bench.ledger().commit(std::move(late))).error().fault, port::LedgerFault::stale);
}

TEST(Quarantine, AnEditChangesWhatIsAskedWhenItBeginsAgain) {
  Bench bench(deadly());
  const auto run = die_of(bench);
  ASSERT_TRUE(review(bench, run, {.what = Reviewed::What::edit, .query = "How long?", .params = {R"({"unit":"m"})"}}));
  bench.restart();
  EXPECT_EQ(bench.standing(run).status, RunStatus::quarantined);
  ASSERT_TRUE(review(bench, run, {.what = Reviewed::What::retry}));
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  const auto& asked = bench.provider().requests.back().messages.at(1);
  EXPECT_NE(asked.find("How long?"), std::string::npos) << asked;
  EXPECT_NE(asked.find("unit"), std::string::npos) << asked;
}

TEST(Quarantine, AnItemOfABatchThatFailedForGoodIsPutThereAndLimitsCountAnew) {
  auto broken = say("never");
  broken.failures = {bad_request()};
  Bench bench({.answers = {call("geometry.area", R"({"length":3,"width":4})"), broken},
               .spec = [](auto& spec) { spec.limits.max_steps = 2, spec.limits.request_limit = 2; }});
  const auto run = bench.ask({.trigger = "batch"});
  auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::quarantined);
  EXPECT_EQ(end.fault->error_class, ErrorClass::terminal);
  ASSERT_TRUE(review(bench, run, {.what = Reviewed::What::retry}));
  end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::completed) << (end.fault ? end.fault->message : "");
  EXPECT_EQ(end.totals.requests, 4);  // all of them are on its account
  EXPECT_EQ(bench.toolset().happened, (std::vector<std::string>{to_text(run) + "/1/0", to_text(run) + "/2/0"}));
}

TEST(Quarantine, WhatIsNoItemOfABatchFails) {
  auto broken = say("never");
  broken.failures = {bad_request()};
  Bench bench({.answers = {broken}});
  EXPECT_EQ(bench.run().status, RunStatus::failed);
}

}  // namespace
}  // namespace agentd::run
