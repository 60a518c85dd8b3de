// Model calls and the budgets of a day.
#include <gtest/gtest.h>

#include "core/budget/days.hpp"
#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::RunStatus;
using port::Spend;

const char* const kArguments = R"({"length":3,"width":4})";
constexpr std::int64_t kUsed = 110;  // tokens that a scripted answer says it used

std::function<void(manifest::AgentSpec&)> tokens_a_day(std::int64_t tokens, manifest::OnBudget on_budget = manifest::OnBudget::stop) {
  return [=](manifest::AgentSpec& spec) {
    spec.limits.tokens_per_day = tokens;
    spec.limits.on_budget = on_budget;
    spec.model.max_output_tokens = 200;
  };
}
port::Account today(Bench& bench) { return bench.ledger().account("agent:surveyor", budget::day_of(bench.world().now())); }

TEST(DayBudget, ACallHoldsTheMostItCanComeToUntilItsAnswerIsDurable) {
  auto slow = say("ok");
  slow.takes = 10s;
  Bench bench({.answers = {slow}, .spec = tokens_a_day(10'000)});
  const auto run = bench.ask();
  bench.pass(5s);
  std::int64_t sent = 0;
  for (const auto& message : bench.provider().requests.at(0).messages) sent += static_cast<std::int64_t>(message.size());
  EXPECT_GE(today(bench).held.tokens, sent + 200);
  EXPECT_LE(today(bench).held.tokens, 2 * sent + 1000);
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(today(bench).held, Spend{});
  EXPECT_EQ(today(bench).spent.tokens, kUsed);
}

TEST(DayBudget, EveryCallOfARunIsCounted) {
  Bench bench({.answers = {call("geometry.area", kArguments), say("12")}, .spec = tokens_a_day(10'000), .prices = {.input = dollars(1), .output = dollars(10)}});
  EXPECT_EQ(bench.run().status, RunStatus::completed);
  EXPECT_EQ(today(bench).held, Spend{});
  EXPECT_EQ(today(bench).spent, (Spend{2 * kUsed, 2 * (100 * 1'000 + 10 * 10'000)}));
}

TEST(DayBudget, EndsTheRunWhoseNextCallHasNoRoom) {
  Bench bench({.answers = std::vector<Turn>(9, call("geometry.area", kArguments)), .spec = tokens_a_day(2'000)});
  const auto end = bench.run();
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->error_class, ErrorClass::budget);
  ASSERT_TRUE(end.fault->exhausted);
  EXPECT_EQ(end.fault->exhausted->scope, "agent:surveyor");
  EXPECT_EQ(end.fault->exhausted->window, "2026-01-01");
  EXPECT_EQ(end.fault->exhausted->resource, "tokens");
  EXPECT_EQ(end.fault->exhausted->limit, 2'000);
  EXPECT_TRUE(end.fault->message.contains("limits.tokens_per_day")) << end.fault->message;
  EXPECT_GT(bench.provider().requests.size(), 1u);
  EXPECT_EQ(today(bench).spent.tokens, kUsed * static_cast<std::int64_t>(bench.provider().requests.size()));
  EXPECT_EQ(today(bench).held, Spend{});
}

TEST(DayBudget, ParksTheRunUntilTheNextDayAndGoesOnWhereItStood) {
  auto bench = std::make_unique<Bench>(Scene{.answers = {call("geometry.area", kArguments), call("geometry.area", kArguments), say("12")}, .spec = tokens_a_day(1'200, manifest::OnBudget::park)});
  const auto run = bench->ask();
  bench->pass(1min);
  EXPECT_EQ(bench->standing(run).status, RunStatus::waiting);
  const auto waiting = bench->records<event::Waiting>(run).at(0);
  EXPECT_EQ(waiting.what, event::Waiting::For::budget);
  EXPECT_EQ(waiting.until, Instant(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)));
  const auto asked = bench->provider().requests.size();
  EXPECT_EQ(today(*bench).held, Spend{});
  bench->restart();
  EXPECT_EQ(bench->until_end(run).status, RunStatus::completed);
  EXPECT_EQ(bench->provider().requests.size(), 3u) << "after " << asked;
  EXPECT_EQ(bench->toolset().happened.size(), 2u);
}

TEST(DayBudget, DoesNotParkForACallThatNoDayHasRoomFor) {
  Bench bench({.answers = {say("ok")}, .spec = tokens_a_day(300, manifest::OnBudget::park)});
  const auto end = bench.run();
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->error_class, ErrorClass::budget);
  EXPECT_TRUE(end.fault->message.contains("more than all of it, 300 tokens")) << end.fault->message;
}

TEST(DayBudget, ADeathSpendsWhatWasHeldAndLeavesNothingHeld) {
  auto slow = say("ok");
  slow.takes = 10s;
  Bench bench({.answers = {slow}, .spec = [](auto& spec) { tokens_a_day(1'000'000)(spec), spec.limits.max_crashes = 100, spec.limits.request_limit = 0; }});
  const auto run = bench.ask();
  std::int64_t spent = 0;
  for (int i = 0; i < 50; ++i) {
    bench.pass(5s);
    const auto held = today(bench).held.tokens;
    EXPECT_GT(held, 0);
    bench.restart();
    EXPECT_EQ(today(bench).held, Spend{});
    EXPECT_EQ(today(bench).spent.tokens, spent += held);
  }
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(today(bench).spent.tokens, spent + kUsed);
}

TEST(DayBudget, WhatAnEndpointRefusesCostsNothingAndALostAnswerAll) {
  for (const auto failure : {port::Failure::server, port::Failure::answer}) {
    auto turn = say("ok");
    turn.failures = {port::ModelError{port::Status::retryable, failure, "no", {}}};
    Bench bench({.answers = {turn}, .spec = tokens_a_day(100'000)});
    EXPECT_EQ(bench.run().status, RunStatus::completed);
    if (failure == port::Failure::server) EXPECT_EQ(today(bench).spent.tokens, kUsed);
    else EXPECT_GT(today(bench).spent.tokens, kUsed + 200);
    EXPECT_EQ(today(bench).held, Spend{});
  }
}

TEST(DayBudget, ATryThatHasNoRoomIsNotMade) {
  auto turn = say("ok");
  turn.failures = std::vector(3, port::ModelError{port::Status::retryable, port::Failure::answer, "half an answer", {}});
  Bench bench({.answers = {turn}, .spec = tokens_a_day(1'000)});
  const auto end = bench.run();
  EXPECT_EQ(end.fault->error_class, ErrorClass::budget) << end.fault->message;
  EXPECT_EQ(bench.provider().requests.size(), 1u);
  EXPECT_LE(today(bench).spent.tokens, 1'000);
}

TEST(DayBudget, SixtyFourRunsAtOnceNeverPassALimitThatIsReportedTruthfully) {
  std::vector<Turn> slow;
  for (int i = 0; i < 2000; ++i) {  // each step another call: what repeats itself would be ended as a loop
    slow.push_back(call("geometry.area", R"({"length":3,"width":)" + std::to_string(i) + '}'));
    slow.back().takes = 1s;
  }
  Bench bench({.answers = std::move(slow), .spec = tokens_a_day(20'000)});
  for (int i = 0; i < 64; ++i) bench.ask();
  for (int i = 0; i < 60; ++i) {
    bench.pass(500ms);
    const auto now = today(bench);
    ASSERT_LE(now.spent.tokens + now.held.tokens, 20'000);
  }
  EXPECT_EQ(today(bench).held, Spend{});
  EXPECT_GT(today(bench).spent.tokens, 10'000);
}

TEST(DayBudget, AnEndpointThatReportsMorePassesALimitByTheCallsInFlightAlone) {
  auto liar = call("geometry.area", kArguments);
  liar.takes = 1s;
  liar.answer.usage = port::Usage{.input_tokens = 10'000, .output_tokens = 1'000};
  Bench bench({.answers = std::vector<Turn>(2000, liar), .spec = tokens_a_day(10'000)});
  for (int i = 0; i < 64; ++i) bench.ask();
  bench.pass(500ms);
  const auto in_flight = bench.provider().requests.size();
  bench.pass(1h);
  EXPECT_EQ(bench.provider().requests.size(), in_flight);
  EXPECT_EQ(today(bench).spent.tokens, static_cast<std::int64_t>(in_flight) * 11'000);
}

// Another run has let go of what it held in the very group that this one was refused in.
TEST(DayBudget, ARunThatWasRefusedAsksAgainWhereThereIsRoomNow) {
  std::size_t operations = 0;
  for (std::size_t n = 0; n <= operations; ++n) {
    Bench bench({.answers = {call("geometry.area", kArguments), say("12")}, .spec = tokens_a_day(100'000)});
    const auto run = bench.ask();
    const auto before = bench.ledger().operations();
    if (n > 0) bench.ledger().fail(before + n, {port::LedgerFault::over_budget});
    EXPECT_EQ(bench.until_end(run).status, RunStatus::completed) << "refused at operation " << n;
    if (n == 0) operations = bench.ledger().operations() - before;
    EXPECT_EQ(today(bench).held, Spend{});
  }
}

TEST(DayBudget, AnswersHaveALimitWhereTheManifestGivesNone) {
  Bench bench({.answers = {say("ok")}, .spec = [](auto& spec) { spec.limits.tokens_per_day = 100'000; }});
  bench.run();
  EXPECT_TRUE(bench.provider().requests.at(0).options.contains("\"max_output_tokens\":4096")) << bench.provider().requests.at(0).options;
}

}  // namespace
}  // namespace agentd::run
