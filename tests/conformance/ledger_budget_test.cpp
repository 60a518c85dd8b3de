// What every ledger promises of accounts: what is held and spent together never passes a limit while usage is told truthfully, and
// nothing is held that no live claim holds.
#include "tests/conformance/ledger_fixture.hpp"

namespace agentd::conformance {
namespace {

class LedgerBudgets : public LedgerSuite {
 protected:
  static constexpr std::int64_t kToday = 20'000;
  static Hold hold(std::int64_t call, Spend most, Spend limit = {}, std::string account = "host", std::int64_t window = kToday) {
    return {std::move(account), window, call, most, limit};
  }
  Claim claimed(const std::string& agent = "a") {
    auto entry = ledger().entry(agent);
    entry.max_concurrent = 100;
    ledger().enter(std::move(entry));
    return ledger().claim_one();
  }
  LedgerResult<Position> try_hold(const Claim& claim, std::vector<Hold> holds) {
    auto t = ledger().step(claim);
    t.holds = std::move(holds);
    return ledger().run(ledger()->commit(std::move(t)));
  }
  void settle(const Claim& claim, std::int64_t call, std::optional<Spend> used, std::optional<RunStatus> next = {}) {
    auto t = ledger().step(claim, "{}", next);
    t.settles = {{call, used}};
    ledger().commit(std::move(t));
  }
  Account account(std::int64_t window = kToday, const std::string& name = "host") { return ledger()->account(name, window); }
};
INSTANTIATE_TEST_SUITE_P(Ledgers, LedgerBudgets, testing::ValuesIn(ledger_kinds()), [](const auto& info) { return std::string(info.param.name); });

TEST_P(LedgerBudgets, WhatACallMayComeToIsHeldUntilItEnds) {
  const auto run = claimed();
  ASSERT_TRUE(try_hold(run, {hold(1, {100, 7})}));
  EXPECT_EQ(account().held, (Spend{100, 7}));
  EXPECT_EQ(account().spent, Spend{});
  settle(run, 1, Spend{60, 5});
  EXPECT_EQ(account().held, Spend{});
  EXPECT_EQ(account().spent, (Spend{60, 5}));
}

TEST_P(LedgerBudgets, AHoldThatDoesNotFitRefusesItsTransitionAlone) {
  const auto first = claimed(), second = claimed();
  ASSERT_TRUE(try_hold(first, {hold(1, {70, 0}, {100, 0})}));
  const auto before = ledger()->last_position();
  const auto refused = try_hold(second, {hold(1, {31, 0}, {100, 0})});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, LedgerFault::over_budget);
  EXPECT_EQ(ledger()->last_position(), before);
  EXPECT_EQ(account().held, (Spend{70, 0}));
  EXPECT_TRUE(try_hold(second, {hold(1, {30, 0}, {100, 0})}));
}

TEST_P(LedgerBudgets, OfSeveralAccountsAllOrNone) {
  const auto run = claimed();
  EXPECT_FALSE(try_hold(run, {hold(1, {10, 0}, {}, "agent:a"), hold(1, {10, 50}, {0, 40})}));
  EXPECT_EQ(account(kToday, "agent:a").held, Spend{});
  EXPECT_TRUE(try_hold(run, {hold(1, {10, 0}, {}, "agent:a"), hold(1, {10, 40}, {0, 40})}));
  settle(run, 1, Spend{8, 30});
  EXPECT_EQ(account(kToday, "agent:a").spent, (Spend{8, 30}));
  EXPECT_EQ(account().spent, (Spend{8, 30}));
}

TEST_P(LedgerBudgets, ARefusedTransitionSettlesNothing) {
  const auto run = claimed();
  ASSERT_TRUE(try_hold(run, {hold(1, {50, 0}, {100, 0})}));
  auto t = ledger().step(run);
  t.settles = {{1, Spend{60, 0}}};
  t.holds = {hold(2, {50, 0}, {100, 0})};
  EXPECT_EQ(ledger().run(ledger()->commit(std::move(t))).error().fault, LedgerFault::over_budget);
  EXPECT_EQ(account().held, (Spend{50, 0}));
  EXPECT_EQ(account().spent, Spend{});
}

TEST_P(LedgerBudgets, ALateEndSettlesInItsOwnWindow) {
  const auto run = claimed();
  ASSERT_TRUE(try_hold(run, {hold(1, {50, 1})}));
  auto t = ledger().step(run);
  t.holds = {hold(2, {20, 2}, {}, "host", kToday + 5)};
  ledger().commit(std::move(t));
  settle(run, 1, Spend{40, 1});
  EXPECT_EQ(account(kToday).spent, (Spend{40, 1}));
  EXPECT_EQ(account(kToday).held, Spend{});
  EXPECT_EQ(account(kToday + 5).spent, Spend{});
  EXPECT_EQ(account(kToday + 5).held, (Spend{20, 2}));
}

TEST_P(LedgerBudgets, WhatNobodyKnowsIsSpentInFull) {
  const auto run = claimed();
  ASSERT_TRUE(try_hold(run, {hold(1, {100, 7})}));
  settle(run, 1, std::nullopt);
  EXPECT_EQ(account().spent, (Spend{100, 7}));
}

TEST_P(LedgerBudgets, WhoEndsWaitsOrIsGivenBackHoldsNothing) {
  for (const auto next : {RunStatus::completed, RunStatus::waiting, RunStatus::queued}) {
    const auto run = claimed();
    ASSERT_TRUE(try_hold(run, {hold(1, {10, 0})}));
    auto t = ledger().step(run, "{}", next);
    t.due_at = ledger().world().now() + std::chrono::hours(1);
    ledger().commit(std::move(t));
    EXPECT_EQ(account().held, Spend{}) << name(next);
  }
  EXPECT_EQ(account().spent, (Spend{30, 0}));
}

TEST_P(LedgerBudgets, AnAbandonedClaimHoldsNothing) {
  const auto run = claimed();
  ASSERT_TRUE(try_hold(run, {hold(1, {10, 0})}));
  ledger()->abandon(run.run, run.generation);
  ledger().keep("a", "{}");  // behind it
  EXPECT_EQ(account().held, Spend{});
  EXPECT_EQ(account().spent, (Spend{10, 0}));
  const auto again = ledger().claim_one();
  EXPECT_TRUE(try_hold(again, {hold(1, {10, 0}, {20, 0})}));
}

TEST_P(LedgerBudgets, FiftyDeathsLeaveNothingHeldAndNothingUncounted) {
  ledger().enter("a");
  for (int i = 1; i <= 50; ++i) {
    const auto run = ledger().claim_one();
    ASSERT_TRUE(try_hold(run, {hold(1, {10, 1})}));
    EXPECT_EQ(account().held, (Spend{10, 1}));
    reopen();
    EXPECT_EQ(account().held, Spend{});
    EXPECT_EQ(account().spent, (Spend{10 * i, i}));
  }
  reopen();
  EXPECT_EQ(account().spent, (Spend{500, 50})) << "what was spent is spent once";
}

TEST_P(LedgerBudgets, AccountsSurviveARestart) {
  const auto run = claimed();
  ASSERT_TRUE(try_hold(run, {hold(1, {10, 1}), hold(1, {10, 1}, {}, "agent:a")}));
  settle(run, 1, Spend{6, 1}, RunStatus::completed);
  reopen();
  EXPECT_EQ(account().spent, (Spend{6, 1}));
  EXPECT_EQ(account(kToday, "agent:a").spent, (Spend{6, 1}));
}

TEST_P(LedgerBudgets, ARaiseMakesRoomInItsWindowAndSurvivesARestart) {
  const auto run = claimed();
  ASSERT_FALSE(try_hold(run, {hold(1, {150, 0}, {100, 0})}));
  Transition raise;
  raise.records = {{28, "{}"}};
  raise.raises = {{"host", kToday, {50, 0}}};
  ledger().commit(std::move(raise));
  EXPECT_EQ(account().raised, (Spend{50, 0}));
  EXPECT_TRUE(try_hold(run, {hold(1, {150, 0}, {100, 0})}));
  EXPECT_FALSE(try_hold(run, {hold(2, {150, 0}, {100, 0}, "host", kToday + 1)}));
  reopen();
  EXPECT_EQ(account().raised, (Spend{50, 0}));
}

// 64 runs that hold, settle truthfully, end or die, against one limit.
TEST_P(LedgerBudgets, SpendNeverPassesALimitWhileUsageIsTrue) {
  constexpr Spend kLimit{1'000, 500};
  std::vector<Claim> runs;
  for (int i = 0; i < 64; ++i) runs.push_back(claimed());
  int refused = 0;
  for (int round = 1; round <= 8; ++round) {
    std::vector<Async<LedgerResult<Position>>> calls;
    for (const auto& run : runs) {
      auto t = ledger().step(run);
      if (round > 1) t.settles = {{round - 1, Spend{static_cast<std::int64_t>(ledger().world().next() % 10), static_cast<std::int64_t>(ledger().world().next() % 5)}}};
      t.holds = {hold(round, {9, 4}, kLimit)};
      calls.push_back(ledger()->commit(std::move(t)));
    }
    for (const auto& done : ledger().together(std::move(calls))) refused += !done;
    const auto now = account();
    EXPECT_LE(now.spent.tokens + now.held.tokens, kLimit.tokens);
    EXPECT_LE(now.spent.cost + now.held.cost, kLimit.cost);
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace agentd::conformance
