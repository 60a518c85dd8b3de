#include "core/schedule/cron.hpp"

#include <gtest/gtest.h>

namespace agentd::schedule {
namespace {

using namespace std::chrono;

std::string error_of(std::string_view expression) {
  const auto parsed = parse_cron(expression);
  return parsed ? "" : parsed.error().message;
}
CronFields fields(std::string_view expression) { return parse_cron(expression).value(); }
LocalMinute local(int y, unsigned m, unsigned d, int hour = 0, int minute = 0) {
  return LocalMinute(local_days(year(y) / m / d)) + hours(hour) + minutes(minute);
}
std::optional<LocalMinute> next(std::string_view expression, LocalMinute from) {
  return next_local(parse_cron(expression).value(), from);
}

TEST(Cron, ReadsValuesRangesStepsListsAndNames) {
  const auto c = parse_cron("0,30 8-17/3 1 jan,JUL mon-Fri").value();
  EXPECT_EQ(c.minutes, 1ull << 0 | 1ull << 30);
  EXPECT_EQ(c.hours, 1u << 8 | 1u << 11 | 1u << 14 | 1u << 17);
  EXPECT_EQ(c.days, 1u << 1);
  EXPECT_EQ(c.months, 1u << 1 | 1u << 7);
  EXPECT_EQ(c.weekdays, 0b0111110);
}

TEST(Cron, KnowsSundayAsZeroAndAsSeven) {
  EXPECT_EQ(fields("0 0 * * 7"), fields("0 0 * * 0"));
  EXPECT_EQ(parse_cron("0 0 * * 5-7")->weekdays, 0b1100001);
  EXPECT_EQ(parse_cron("0 0 * * 0-7")->weekdays, 0b1111111);
}

TEST(Cron, KnowsItsMacrosInAnyCase) {
  EXPECT_EQ(fields("@hourly"), fields("0 * * * *"));
  EXPECT_EQ(fields("@Daily"), fields("0 0 * * *"));
  EXPECT_EQ(fields("@midnight"), fields("0 0 * * *"));
  EXPECT_EQ(fields("@weekly"), fields("0 0 * * 0"));
  EXPECT_EQ(fields("@monthly"), fields("0 0 1 * *"));
  EXPECT_EQ(fields("@yearly"), fields("0 0 1 1 *"));
  EXPECT_EQ(fields(" @annually\t"), fields("0 0 1 1 *"));
}

TEST(Cron, StepsBeyondTheFieldLeaveItsFirstValue) { EXPECT_EQ(parse_cron("*/90 * * * *")->minutes, 1u); }

TEST(Cron, TakesEitherDayOnlyWhenNeitherFieldBeginsWithAStar) {
  EXPECT_TRUE(parse_cron("0 0 13 * 5")->either_day);
  EXPECT_FALSE(parse_cron("0 0 */2 * 5")->either_day);
  EXPECT_FALSE(parse_cron("0 0 13 * */2")->either_day);
  EXPECT_FALSE(parse_cron("0 0 * * *")->either_day);
}

TEST(Cron, FollowsElapsedTimeWithAStarInMinuteOrHour) {
  EXPECT_TRUE(parse_cron("* 2 * * *")->elapsed);
  EXPECT_TRUE(parse_cron("30 */2 * * *")->elapsed);
  EXPECT_FALSE(parse_cron("30 2 * * *")->elapsed);
  EXPECT_FALSE(parse_cron("0-59 0-23 * * *")->elapsed);
}

TEST(Cron, SaysWhatIsWrongWhereAndWhatWouldBeRight) {
  EXPECT_EQ(error_of("61 * * * *"), R"(cron "61 * * * *": "61" in the minute field is outside 0-59)");
  EXPECT_EQ(error_of("* * 0 * *"), R"(cron "* * 0 * *": "0" in the day of month field is outside 1-31)");
  EXPECT_EQ(error_of("* * * * FRI-SUN"),
            R"(cron "* * * * FRI-SUN": "FRI-SUN" in the day of week field ends before it begins; write Sunday as 7 there)");
  EXPECT_EQ(error_of("5/10 * * * *"),
            R"(cron "5/10 * * * *": "5/10" in the minute field has a step after one value; write 5-59/10)");
  EXPECT_EQ(error_of("*/0 * * * *"), R"(cron "*/0 * * * *": "*/0" in the minute field has a step that is not a number from 1)");
  EXPECT_EQ(error_of("0 9 * *"), R"(cron "0 9 * *": 4 fields instead of five: minute, hour, day of month, month, day of week)");
  EXPECT_NE(error_of("0 0 9 * * *").find("without seconds"), std::string::npos);
  EXPECT_NE(error_of("@reboot").find("run_on_start"), std::string::npos);
  EXPECT_NE(error_of("@fortnightly").find("@weekly"), std::string::npos);
}

TEST(Cron, RefusesWhatVixieCronRefuses) {
  for (const auto* expression : {"",
                                 " ",
                                 "* * * *",
                                 "a * * * *",
                                 "1- * * * *",
                                 "-1 * * * *",
                                 "1,,2 * * * *",
                                 ",1 * * * *",
                                 "1, * * * *",
                                 "*-5 * * * *",
                                 "** * * * *",
                                 "1-2-3 * * * *",
                                 "*/ * * * *",
                                 "*/x * * * *",
                                 "*/-1 * * * *",
                                 "+1 * * * *",
                                 "99999999999 * * * *",
                                 "*/99999999999 * * * *",
                                 "30-10 * * * *",
                                 "* 24 * * *",
                                 "* * 32 * *",
                                 "* * * 13 *",
                                 "* * * 0 *",
                                 "* * * * 8",
                                 "mon * * * *",
                                 "* * * mon *",
                                 "* * L * *",
                                 "* * ? * *",
                                 "* * * * 1#2",
                                 "1/2/3 * * * *",
                                 "* * * janu *"})
    EXPECT_FALSE(parse_cron(expression)) << expression;
}

TEST(Cron, FindsTheNextMinuteAtOrAfter) {
  EXPECT_EQ(next("30 9 * * *", local(2026, 3, 1, 9, 30)), local(2026, 3, 1, 9, 30));
  EXPECT_EQ(next("30 9 * * *", local(2026, 3, 1, 9, 31)), local(2026, 3, 2, 9, 30));
  EXPECT_EQ(next("5,50 9,17 * * *", local(2026, 3, 1, 9, 51)), local(2026, 3, 1, 17, 5));
  EXPECT_EQ(next("59 23 31 12 *", local(2026, 12, 31, 23, 59)), local(2026, 12, 31, 23, 59));
  EXPECT_EQ(next("0 0 1 1 *", local(2026, 1, 1, 0, 1)), local(2027, 1, 1));
}

TEST(Cron, MeetsDaysOfMonthAndWeek) {
  EXPECT_EQ(next("0 0 13 * 5", local(2026, 11, 10)), local(2026, 11, 13));  // the 13th, also a Friday
  EXPECT_EQ(next("0 0 13 * 5", local(2026, 11, 14)), local(2026, 11, 20));  // a Friday
  EXPECT_EQ(next("0 0 */1 * 5", local(2026, 11, 14)), local(2026, 11, 20));
  EXPECT_EQ(next("0 0 13 * */5", local(2026, 11, 14)), local(2026, 12, 13));  // the 13th, and a Sunday
}

TEST(Cron, WaitsForALeapDay) {
  EXPECT_EQ(next("0 0 29 2 *", local(2026, 3, 1)), local(2028, 2, 29));
  EXPECT_EQ(next("0 0 29 2 *", local(2096, 3, 1)), local(2104, 2, 29));
}

TEST(Cron, EndsItsSearchForADateThatDoesNotExist) {
  EXPECT_EQ(next("0 0 30 2 *", local(2026, 1, 1)), std::nullopt);
  EXPECT_EQ(next("0 0 31 4,6,9,11 *", local(2026, 1, 1)), std::nullopt);
}

}  // namespace
}  // namespace agentd::schedule
