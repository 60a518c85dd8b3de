#include "core/budget/limits.hpp"

#include <gtest/gtest.h>

namespace agentd::budget {
namespace {

TEST(Cost, PricesEachKindOfToken) {
  const manifest::Prices prices{.input = dollars(3), .output = dollars(15), .cache_read = dollars(0.3), .cache_write = dollars(3.75)};
  // 1000 in, of which 600 were read from and 100 written to the cache; 200 out.
  EXPECT_EQ(cost(prices, {.input_tokens = 1000, .output_tokens = 200, .cache_read_tokens = 600, .cache_write_tokens = 100}),
            300 * 3'000 + 600 * 300 + 100 * 3'750 + 200 * 15'000);
}

TEST(Cost, RoundsUpSoThatNothingIsFree) { EXPECT_EQ(cost({.input = 1}, {.input_tokens = 1}), 1); }

TEST(Cost, CountsNothingForWhatWasNotSaid) {
  EXPECT_EQ(cost({.input = dollars(1), .output = dollars(1)}, {}), 0);
  EXPECT_EQ(cost({.input = dollars(1)}, {.input_tokens = 10, .cache_read_tokens = 50}), 0) << "more read from the cache than came in is no credit";
}

TEST(Cost, HoldsForNumbersThatAreTooLarge) {
  EXPECT_EQ(cost({.output = dollars(100)}, {.output_tokens = 1'000'000'000}), dollars(100'000));
}

TEST(Totals, AddUpWhatWasSaid) {
  event::Totals totals;
  add(totals, event::Answered{.usage = port::Usage{.input_tokens = 5, .output_tokens = 2}, .cost = 7});
  add(totals, event::Answered{});
  add_unknown(totals);
  EXPECT_EQ(totals, (event::Totals{.requests = 3, .input_tokens = 5, .output_tokens = 2, .unknown = 1, .cost = 7}));
}

TEST(Totals, CountAFailedCallUnlessTheAccountWasRefused) {
  event::Totals totals;
  for (const auto failure : {port::Failure::other, port::Failure::rate, port::Failure::server, port::Failure::answer, port::Failure::context}) add(totals, event::CallFailed{.failure = failure});
  EXPECT_EQ(totals, (event::Totals{.requests = 5}));
  for (const auto failure : {port::Failure::credentials, port::Failure::quota}) add(totals, event::CallFailed{.failure = failure});
  EXPECT_EQ(totals.requests, 5) << "a run that waits for its provider spends nothing";
}

TEST(Refusal, NamesTheLimitThatIsReachedAndItsKey) {
  manifest::Limits limits;
  EXPECT_FALSE(refusal(limits, {}, {}, nullptr, 1));
  EXPECT_EQ(refusal(limits, {}, {}, nullptr, 16)->error_class, ErrorClass::loop);
  EXPECT_TRUE(refusal(limits, {.requests = 50}, {}, nullptr, 1)->message.contains("limits.request_limit"));
  EXPECT_TRUE(refusal(limits, {.input_tokens = 30'000, .output_tokens = 20'000}, {}, nullptr, 1)->message.contains("limits.total_tokens_limit"));
  EXPECT_TRUE(refusal(limits, {.cost = dollars(1)}, {}, nullptr, 1)->message.contains("1.00 dollars"));
  EXPECT_FALSE(refusal(limits, {.requests = 49, .input_tokens = 49'999, .cost = dollars(0.99)}, {}, nullptr, 15));
}

TEST(Refusal, CountsWhatNoEndpointNamedForTheLimitOnTokens) {
  const manifest::Limits limits{.total_tokens_limit = 100};
  EXPECT_FALSE(refusal(limits, {.input_tokens = 50}, {.input_tokens = 9, .output_tokens = 40}, nullptr, 1));
  EXPECT_TRUE(refusal(limits, {.input_tokens = 50}, {.input_tokens = 50}, nullptr, 1)->message.contains("about 100 tokens"));
  EXPECT_TRUE(refusal(limits, {.input_tokens = 100}, {}, nullptr, 1)->message.contains("used 100 tokens"));
}

TEST(Refusal, PricesWhatNoEndpointNamedForTheLimitOnCost) {
  const manifest::Prices prices{.input = dollars(1), .output = dollars(10)};
  const Unsaid unsaid{.input_tokens = 500'000, .output_tokens = 20'000};
  EXPECT_FALSE(refusal({.total_tokens_limit = 0, .cost_limit = dollars(1)}, {.cost = dollars(0.29)}, unsaid, &prices, 1));
  EXPECT_TRUE(refusal({.total_tokens_limit = 0, .cost_limit = dollars(1)}, {.cost = dollars(0.3)}, unsaid, &prices, 1)->message.contains("about 1.00 dollars"));
  EXPECT_FALSE(refusal({.total_tokens_limit = 0, .cost_limit = dollars(1)}, {.cost = dollars(0.3)}, unsaid, nullptr, 1)) << "no price, no cost";
}

TEST(Refusal, TakesZeroForNoLimit) {
  const manifest::Limits none{.max_steps = 0, .request_limit = 0, .total_tokens_limit = 0, .cost_limit = 0};
  EXPECT_FALSE(refusal(none, {.requests = 1'000'000, .input_tokens = 1'000'000'000, .cost = dollars(1'000'000)}, {.input_tokens = 1'000'000}, nullptr, 1'000'000));
}

}  // namespace
}  // namespace agentd::budget
