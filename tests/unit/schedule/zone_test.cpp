#include "core/schedule/zone.hpp"

#include <gtest/gtest.h>

namespace agentd::schedule {
namespace {

using namespace std::chrono;

LocalMinute local(int y, unsigned m, unsigned d, int hour, int minute) {
  return LocalMinute(local_days(year(y) / m / d)) + hours(hour) + minutes(minute);
}
Instant utc(const char* text) { return parse_instant(text).value(); }

TEST(Zone, NamesTheNearestOfAnUnknownOne) {
  EXPECT_EQ(find_zone("Europe/Berln").error().message, R"(unknown time zone "Europe/Berln"; did you mean "Europe/Berlin"?)");
  EXPECT_EQ(find_zone("europe/berlin").error().message, R"(unknown time zone "europe/berlin"; did you mean "Europe/Berlin"?)");
  EXPECT_EQ(find_zone("Berlin").error().message, R"(unknown time zone "Berlin"; did you mean "Europe/Berlin"?)");
  EXPECT_EQ(find_zone("utc").error().message, R"(unknown time zone "utc"; did you mean "UTC"?)");
  EXPECT_FALSE(find_zone(""));
  EXPECT_FALSE(find_zone("../../etc/passwd"));
  EXPECT_FALSE(find_zone(std::string(10'000, 'x')));
}

TEST(Zone, TakesTheFirstInstantAfterAGap) {
  const auto berlin = find_zone("Europe/Berlin").value();
  EXPECT_EQ(berlin.instant(local(2026, 3, 29, 1, 59)), utc("2026-03-29T00:59:00Z"));
  EXPECT_EQ(berlin.instant(local(2026, 3, 29, 2, 0)), utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin.instant(local(2026, 3, 29, 2, 59)), utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin.instant(local(2026, 3, 29, 3, 0)), utc("2026-03-29T01:00:00Z"));
}

TEST(Zone, TakesTheFirstOfTwoEqualLocalTimes) {
  const auto howe = find_zone("Australia/Lord_Howe").value();  // half an hour back, at 02:00
  EXPECT_EQ(howe.instant(local(2026, 4, 5, 1, 30)), utc("2026-04-04T14:30:00Z"));
  EXPECT_EQ(howe.instant(local(2026, 4, 5, 1, 59)), utc("2026-04-04T14:59:00Z"));
  EXPECT_EQ(howe.instant(local(2026, 4, 5, 2, 0)), utc("2026-04-04T15:30:00Z"));
}

TEST(Zone, UtcNeedsNoData) {
  EXPECT_EQ(find_zone("UTC").value(), Zone());
  EXPECT_EQ(find_zone("Etc/UTC").value(), Zone());
  EXPECT_EQ(Zone().at(utc("2026-01-01T00:00:00Z")).offset, 0s);
}

}  // namespace
}  // namespace agentd::schedule
