#include "core/budget/days.hpp"

#include <gtest/gtest.h>

namespace agentd::budget {
namespace {

using namespace std::chrono_literals;

manifest::AgentSpec spec_of(std::int64_t tokens, NanoDollars cost) {
  manifest::AgentSpec spec;
  spec.agent_id = "a";
  spec.task.query = "?";
  spec.limits.tokens_per_day = tokens;
  spec.limits.cost_per_day = cost;
  return spec;
}

TEST(Day, IsAUtcDayFromMidnightToMidnight) {
  const Instant noon = *parse_instant("2026-11-22T12:00:00Z");
  EXPECT_EQ(format_day(day_of(noon)), "2026-11-22");
  EXPECT_EQ(day_of(*parse_instant("2026-11-22T23:59:59.999Z")), day_of(noon));
  EXPECT_EQ(day_of(*parse_instant("2026-11-23T00:00:00Z")), day_of(noon) + 1);
  EXPECT_EQ(end_of(day_of(noon)), *parse_instant("2026-11-23T00:00:00Z"));
  EXPECT_EQ(day_of(Instant(-1ms)), -1);
}

TEST(DayLimits, AreTheAgentsOwnAndTheHosts) {
  EXPECT_TRUE(day_limits(spec_of(0, 0), 0).empty());
  const auto both = day_limits(spec_of(5, 7), 9);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].account, "agent:a");
  EXPECT_EQ(both[0].limit, (port::Spend{5, 7}));
  EXPECT_EQ(both[1].account, "host");
  EXPECT_EQ(both[1].limit, (port::Spend{0, 9}));
  auto native = spec_of(5, 7);
  native.task.native = "disk_report";
  EXPECT_TRUE(day_limits(native, 9).empty());
}

TEST(MostOfACall, IsATokenForEachByteAtTheDearestPrice) {
  const manifest::Prices prices{.input = dollars(1), .output = dollars(10), .cache_read = 1, .cache_write = dollars(2)};
  EXPECT_EQ(most_of(&prices, 1'000'000, 100'000), (port::Spend{1'100'000, dollars(2) + dollars(1)}));
  EXPECT_EQ(most_of(nullptr, 10, 5), (port::Spend{15, 0}));
}

TEST(SpendOfACall, IsKnownWhenItsEndpointSaysAll) {
  EXPECT_EQ(spend_of(event::Answered{.usage = port::Usage{.input_tokens = 5, .output_tokens = 2}, .cost = 7}), (port::Spend{7, 7}));
  EXPECT_FALSE(spend_of(event::Answered{}));
  EXPECT_FALSE(spend_of(event::Answered{.usage = port::Usage{.input_tokens = 5, .output_tokens = -1}}));
  EXPECT_EQ(spend_of(event::CallFailed{.failure = port::Failure::rate}), port::Spend{});
  EXPECT_FALSE(spend_of(event::CallFailed{.failure = port::Failure::answer}));
}

TEST(Exhausted, CountsWhatIsHeldAndWhatWasRaised) {
  const port::Account account{"agent:a", 20'000, {50, 0}, {30, 0}, {10, 0}};
  EXPECT_FALSE(exhausted(account, {100, 0}, {30, 0}));
  const auto found = exhausted(account, {100, 0}, {31, 0});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->used, 80);
  EXPECT_EQ(found->limit, 110);
  EXPECT_FALSE(found->fits_no_day());
  EXPECT_TRUE(exhausted(account, {100, 0}, {111, 0})->fits_no_day());
  EXPECT_FALSE(exhausted(account, {0, 0}, {1'000'000, 0})) << "no limit";
  const auto fault = fault_of(*found);
  EXPECT_EQ(fault.error_class, ErrorClass::budget);
  EXPECT_TRUE(fault.message.ends_with("may come to 31 tokens: 80 tokens of 110 tokens are spent or held; raise limits.tokens_per_day, or this day's with `agentd budgets raise`"))
      << fault.message;
  const auto never = fault_of(*exhausted(account, {100, 0}, {4256, 0}));
  EXPECT_TRUE(never.message.contains("which is more than all of it, 110 tokens; raise limits.tokens_per_day, give a smaller model.max_output_tokens (4096 where the manifest gives none), or"))
      << never.message;
}

}  // namespace
}  // namespace agentd::budget
