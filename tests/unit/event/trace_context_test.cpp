#include "core/event/trace_context.hpp"

#include <gtest/gtest.h>

namespace agentd::event {
namespace {

const std::string kGiven = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, TakesWhatTheStandardTakes) {
  EXPECT_EQ(read_traceparent(kGiven), kGiven);
  EXPECT_EQ(read_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  EXPECT_EQ(read_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00") << "a flag that nobody knows is not handed on";
  EXPECT_EQ(read_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"), kGiven);
  for (const std::string newer : {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes-then"}) EXPECT_EQ(read_traceparent(newer), kGiven) << newer;
}

TEST(TraceContext, PassesOverWhatIsNone) {
  for (const std::string none : {"", "x", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                 "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                 "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x", "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
                                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g", " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    EXPECT_EQ(read_traceparent(none), "") << none;
}

TEST(TraceContext, HandsOnTheTraceWithASpanOfItsOwn) {
  EXPECT_EQ(traceparent_of_run(kGiven, "7-0000000"), "00-0af7651916cd43dd8448eb211c80319c-e30848de55258292-01");
  EXPECT_EQ(traceparent_of_call(kGiven, "7-0000000/2"), "00-0af7651916cd43dd8448eb211c80319c-e3bbea59972da47b-01");
  EXPECT_EQ(traceparent_of_run("", "7-0000000"), "");
  EXPECT_EQ(traceparent_of_call("", "7-0000000/2"), "");
}

}  // namespace
}  // namespace agentd::event
