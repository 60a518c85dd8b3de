#include "stores/ledger/mirror.hpp"

#include <gtest/gtest.h>

namespace agentd::ledger {
namespace {

class MirrorTest : public testing::Test {
 protected:
  Agent& agent(const char* name, std::uint32_t max_concurrent = 1) {
    auto& known = mirror_.agent(name);
    mirror_.limit(known, max_concurrent);
    mirror_.serve(known, true);
    return known;
  }
  bool enter(Agent& agent, std::int64_t due = 0, std::int64_t status = AGENTD_RUN_QUEUED, std::int64_t since = 0) {
    LiveRun run;
    run.id = ++last_;
    run.agent = &agent;
    run.state = {status, due, run.id};
    run.since = since;
    return mirror_.enter(std::move(run));
  }
  bool end(std::int64_t run) { return mirror_.change(run, {{AGENTD_RUN_COMPLETED, 0, run + 1}}); }
  std::vector<std::int64_t> claim(std::size_t n = 100, std::int64_t now = 0) {
    std::vector<std::int64_t> ids;
    for (const auto* run : mirror_.claim(now, n).runs) ids.push_back(run->id);
    return ids;
  }
  using Ids = std::vector<std::int64_t>;
  Mirror mirror_{std::uint64_t{3} << 32};
  std::int64_t last_ = 0;
};

TEST_F(MirrorTest, GenerationsFollowWhatItBeganWith) {
  enter(agent("a"));
  const auto generation = mirror_.claim(0, 1).runs.at(0)->generation;
  EXPECT_EQ(generation, (std::uint64_t{3} << 32) + 1);
}

TEST_F(MirrorTest, TurnsGoOnWhereTheLastClaimStopped) {
  auto& a = agent("a", 9);
  auto& b = agent("b", 9);
  for (int i = 0; i < 3; ++i) enter(a), enter(b);
  EXPECT_EQ(claim(1), Ids{1});
  EXPECT_EQ(claim(1), Ids{2});
  EXPECT_EQ(claim(), (Ids{3, 4, 5, 6}));
}

TEST_F(MirrorTest, APinnedRunIsPassedOverAndDoesNotKeepTheClockAwake) {
  auto& a = agent("a");
  enter(a);
  mirror_.find(1)->pinned = true;
  const auto none = mirror_.claim(0, 1);
  EXPECT_TRUE(none.runs.empty());
  EXPECT_EQ(none.next_due, kNever);
  EXPECT_TRUE(mirror_.unpin(1));
  EXPECT_EQ(claim(), Ids{1});
}

TEST_F(MirrorTest, BehindAPinnedRunTheNextOneGoes) {
  auto& a = agent("a");
  enter(a), enter(a);
  mirror_.find(1)->pinned = true;
  EXPECT_EQ(claim(), Ids{2});
}

TEST_F(MirrorTest, SaysWhetherAClaimMayFindMore) {
  auto& a = agent("a");
  EXPECT_TRUE(enter(a, 100));
  EXPECT_FALSE(enter(a, 200)) << "later than what is waited for";
  EXPECT_TRUE(enter(a, 50));
  EXPECT_EQ(claim(1, 60), Ids{3});
  EXPECT_FALSE(enter(a, 0)) << "no room";
  EXPECT_TRUE(end(3));
}

TEST_F(MirrorTest, KnowsWhenToAskAgain) {
  auto& a = agent("a");
  auto& b = agent("b");
  enter(a, 100), enter(b, 50);
  EXPECT_EQ(mirror_.claim(0, 9).next_due, 50);
  EXPECT_EQ(mirror_.claim(50, 9).next_due, 100);
}

TEST_F(MirrorTest, MarksFollowTheOldestThatLives) {
  auto& a = agent("a", 9);
  enter(a), enter(a);
  claim();
  mirror_.change(1, {{AGENTD_RUN_RUNNING, 0, 3}, 0, mirror_.find(1)->generation, 3});
  EXPECT_EQ(mirror_.live_from(9), 1);
  EXPECT_EQ(mirror_.tail_from(9), 3);
  end(1);
  EXPECT_EQ(mirror_.live_from(9), 2);
  EXPECT_EQ(mirror_.tail_from(9), 9);
  end(2);
  EXPECT_EQ(mirror_.live_from(9), 9);
}

TEST_F(MirrorTest, AClockThatIsSetBackMakesNothingWaitForLongerThanItWasTo) {
  auto& a = agent("a", 9);
  auto& b = agent("b", 9);
  EXPECT_TRUE(claim(1, 1000).empty());
  enter(a, 1000, AGENTD_RUN_QUEUED, 1000);
  enter(b, 1060, AGENTD_RUN_WAITING, 1000);
  EXPECT_EQ(claim(9, 500), Ids{1});
  enter(b, 520, AGENTD_RUN_WAITING, 510);  // said after the clock was set
  EXPECT_EQ(mirror_.claim(515, 9).next_due, 520);
  EXPECT_EQ(claim(9, 520), Ids{3});
  EXPECT_EQ(mirror_.claim(521, 9).next_due, 560);
  EXPECT_EQ(claim(9, 560), Ids{2});
}

TEST_F(MirrorTest, WaitingRunsAreLiveAndNotQueued) {
  auto& a = agent("a");
  enter(a, 100, AGENTD_RUN_WAITING);
  EXPECT_EQ(a.queued(), 0u);
  EXPECT_EQ(a.own.live(), 1u);
  EXPECT_EQ(claim(1, 100), Ids{1});
}

}  // namespace
}  // namespace agentd::ledger
