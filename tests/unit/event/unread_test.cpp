#include "core/event/unread.hpp"

#include <gtest/gtest.h>

namespace agentd::event {
namespace {

const RunId kRun{7, 1}, kOther{8, 1};

struct Written {
  explicit Written(std::vector<Body> bodies) {
    for (auto& body : bodies) records.push_back(to_record(body, "s"));
    for (auto& body : bodies) said.push_back({.body = std::move(body), .session = "s"});
  }
  port::StoredRecord stored(RunId run, std::size_t i) const { return {.position = 9, .run = run, .kind = records[i].kind, .payload = records[i].payload}; }
  std::vector<Decoded> said;
  std::vector<port::Record> records;
};

TEST(Unread, KnowsWhatARecordSaysWhileItIsOnItsWay) {
  Unread unread;
  const Written written({ToolFinished{.step = 1, .index = 0}, ToolFinished{.step = 1, .index = 1}});
  {
    const Unread::Of of(unread, kRun, written.said, written.records);
    EXPECT_EQ(unread.find(written.stored(kRun, 0)), &written.said[0]);
    EXPECT_EQ(unread.find(written.stored(kRun, 1)), &written.said[1]);
  }
  EXPECT_EQ(unread.find(written.stored(kRun, 0)), nullptr);
}

TEST(Unread, TakesNoOtherRecordForOneOfThese) {
  Unread unread;
  const Written written({ToolFinished{.step = 1}}), other({ToolFinished{.step = 2}}), kind({Released{}});
  const Unread::Of of(unread, kRun, written.said, written.records);
  EXPECT_EQ(unread.find(written.stored(kOther, 0)), nullptr);
  EXPECT_EQ(unread.find(other.stored(kRun, 0)), nullptr);
  EXPECT_EQ(unread.find(kind.stored(kRun, 0)), nullptr);
  EXPECT_EQ(unread.find(written.stored({}, 0)), nullptr);
}

TEST(Unread, KnowsTheFirstOfTwoThatARunHasAtOnce) {
  Unread unread;
  const Written first({ToolFinished{.step = 1}}), second({ToolFinished{.step = 2}});
  const Unread::Of of(unread, kRun, first.said, first.records);
  { const Unread::Of late(unread, kRun, second.said, second.records); }
  EXPECT_EQ(unread.find(first.stored(kRun, 0)), &first.said[0]);
}

}  // namespace
}  // namespace agentd::event
