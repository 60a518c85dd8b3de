#include "host/api/event_filter.hpp"

#include <gtest/gtest.h>

namespace agentd::api {
namespace {

TEST(EventFilter, LooksForARunFromTheRecordThatBroughtItIn) {
  const EventFilter of_run{.agent = {}, .run = to_text(RunId{742, 7}), .session = {}, .types = {}};
  EXPECT_EQ(of_run.begin({}), 741);
  EXPECT_EQ(of_run.begin({700, 0}), 741);
  EXPECT_EQ(of_run.begin({800, 1}), 799) << "the record of an event that was seen may have more of them";
}

TEST(EventFilter, LooksForTheRestFromTheFirstRecord) {
  EXPECT_EQ(EventFilter{}.begin({}), 0);
  EXPECT_EQ(EventFilter{}.begin({5, 0}), 4);
  EXPECT_EQ((EventFilter{.agent = {}, .run = "no id", .session = {}, .types = {}}.begin({})), 0);
}

}  // namespace
}  // namespace agentd::api
