#include "core/base/ids.hpp"

#include <gtest/gtest.h>

namespace agentd {
namespace {

TEST(RunId, ReadsBackWhatItPrints) {
  for (const auto id : {RunId{1, 0}, RunId{742, 0xffffffff}, RunId{INT64_MAX, 12345}}) EXPECT_EQ(parse_run_id(to_text(id)), id) << to_text(id);
}

TEST(RunId, RefusesWhatIsNone) {
  for (const char* text : {"", "7", "7-", "7-000000", "0-0000000", "-1-0000000", "7-zzzzzzz", "7-00000i0", "x-0000000", "7-0000000 "})
    EXPECT_FALSE(parse_run_id(text)) << text;
}

TEST(EventId, SortsInCommitOrder) {
  EXPECT_LT(event_id(9, 1), event_id(10, 0));
  EXPECT_LT(event_id(255, 0), event_id(256, 0));
  const auto place = parse_event_id(event_id(742, 3));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->position, 742);
  EXPECT_EQ(place->sub_index, 3);
  EXPECT_FALSE(parse_event_id("742-0"));
  EXPECT_FALSE(parse_event_id("00000000000002e6-x"));
}

TEST(CallId, NamesRunStepAndIndex) { EXPECT_EQ(call_id(RunId{5, 0}, 2, 1), "5-0000000/2/1"); }

}  // namespace
}  // namespace agentd
