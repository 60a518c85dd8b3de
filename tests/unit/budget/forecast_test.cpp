#include "core/budget/forecast.hpp"

#include <gtest/gtest.h>

namespace agentd::budget {
namespace {

const Instant kSunday = *parse_instant("2026-11-22T10:00:00Z");

std::optional<schedule::Schedule> schedule_of(manifest::AgentSpec& spec, std::string cron) {
  spec.schedule.when = manifest::Cron{std::move(cron)};
  return *schedule::make_schedule(spec.schedule);
}
manifest::AgentSpec asking() {
  manifest::AgentSpec spec;
  spec.task.query = "?";
  spec.memory.summarize = false;
  return spec;
}

TEST(Forecast, CountsTheBusiestDay) {
  auto spec = asking();
  EXPECT_EQ(runs_per_day(*schedule_of(spec, "0 9 * * MON-FRI"), kSunday), 1u);
  EXPECT_EQ(runs_per_day(*schedule_of(spec, "*/10 * * * TUE"), kSunday), 144u);
  EXPECT_EQ(runs_per_day(*schedule_of(spec, "0,30 9 1 1 *"), kSunday), 2u) << "only in January";
}

TEST(Forecast, IsBoundByTheDearestLimit) {
  auto spec = asking();
  const auto hourly = schedule_of(spec, "0 * * * *");
  const manifest::Prices prices{.input = 1, .output = 1};
  EXPECT_EQ(forecast(spec, hourly, &prices, kSunday).per_day, 24 * manifest::kDefaultCostLimit);
  spec.limits.cost_limit = dollars(0.5);
  EXPECT_EQ(forecast(spec, hourly, &prices, kSunday).per_day, dollars(12));
  spec.limits.cost_per_day = dollars(3);
  EXPECT_EQ(forecast(spec, hourly, &prices, kSunday).per_day, dollars(3));
  spec.limits.cost_limit = 0;
  EXPECT_EQ(forecast(spec, hourly, &prices, kSunday).per_day, dollars(3));
  spec.limits.cost_per_day = 0;
  EXPECT_FALSE(forecast(spec, hourly, &prices, kSunday).per_day);
  EXPECT_FALSE(forecast(spec, hourly, nullptr, kSunday).priced);
}

TEST(Forecast, CountsRunsForMemory) {
  auto spec = asking();
  const auto hourly = schedule_of(spec, "0 * * * *");
  const manifest::Prices prices{.input = 1, .output = 1};
  spec.limits.cost_limit = dollars(1);
  EXPECT_EQ(forecast(spec, hourly, &prices, kSunday).for_memory, 0);
  spec.memory.summarize = true;
  EXPECT_EQ(forecast(spec, hourly, &prices, kSunday).per_day, dollars(48));
  spec.memory.learn = {"long_term"};
  EXPECT_EQ(forecast(spec, hourly, &prices, kSunday).per_day, dollars(72));
  spec.memory.session.scope = manifest::Session::Scope::run;
  const auto learning = forecast(spec, hourly, &prices, kSunday);
  EXPECT_EQ(learning.for_memory, 1);
  EXPECT_EQ(learning.per_run, dollars(1));
}

TEST(Forecast, OfATaskWithoutAModelIsNothing) {
  manifest::AgentSpec spec;
  spec.task.native = "disk_report";
  const auto found = forecast(spec, schedule_of(spec, "0 * * * *"), nullptr, kSunday);
  EXPECT_TRUE(found.priced);
  EXPECT_EQ(found.runs, 24u);
  EXPECT_EQ(found.per_day, 0);
}

}  // namespace
}  // namespace agentd::budget
