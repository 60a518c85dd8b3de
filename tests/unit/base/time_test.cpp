#include "core/base/time.hpp"

#include <gtest/gtest.h>

namespace agentd {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Duration, RefusesTheRestAndSaysHow) {
  for (const char* text : {"", "5", "m", "5x", "-5s", "5s5s", "1m1h", "5 s", "99999999999999999999s", "10001d"}) {
    const auto got = parse_duration(text);
    ASSERT_FALSE(got) << text;
    EXPECT_NE(got.error().message.find("is not a duration"), std::string::npos);
  }
}

TEST(Duration, PrintsWhatItReads) {
  for (const char* text : {"250ms", "30s", "1h30m", "7d", "0s", "1d2h3m4s5ms"}) EXPECT_EQ(format_duration(*parse_duration(text)), text);
}

TEST(Instant, ReadsRfc3339) {
  EXPECT_EQ(format_instant(*parse_instant("2026-12-01T09:00:00Z")), "2026-12-01T09:00:00.000Z");
  EXPECT_EQ(format_instant(*parse_instant("2026-12-01t09:00:00.1234567+01:30")), "2026-12-01T07:30:00.123Z");
  EXPECT_EQ(format_instant_s(*parse_instant("2024-02-29T23:59:59-00:01")), "2024-03-01T00:00:59Z");
  for (const char* text : {"", "2026-12-01", "2026-02-30T00:00:00Z", "2026-12-01T24:00:00Z", "2026-12-01T09:00:00", "2026-12-01T09:00:00.Z", "2026-12-01T09:00:00Zx"})
    EXPECT_FALSE(parse_instant(text)) << text;
}

TEST(Size, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("10MB"), 10'000'000u);
  EXPECT_EQ(parse_size("7"), 7u);
  for (const char* text : {"", "KiB", "-1", "1.5MiB", "64kb", "99999999999GiB"}) EXPECT_FALSE(parse_size(text)) << text;
  EXPECT_EQ(format_size(65536), "64KiB");
  EXPECT_EQ(format_size(65537), "65537");
}

TEST(Dollars, KeepWhatADoubleWouldLose) {
  EXPECT_EQ(dollars(0.1) * 3, dollars(0.3));
  EXPECT_EQ(format_dollars(dollars(1)), "1.00");
  EXPECT_EQ(format_dollars(dollars(0.0421)), "0.0421");
  EXPECT_EQ(format_dollars(dollars(-0.5)), "-0.50");
}

}  // namespace
}  // namespace agentd
