#include "core/event/live.hpp"

#include <gtest/gtest.h>

#include "tests/support/virtual_world.hpp"
#include "tests/unit/event/journal.hpp"

namespace agentd::event {
namespace {

using support::VirtualWorld;

// A reader that asks for two records at a time until it is stopped.
Async<void> read(Live& live, Position from, std::stop_token stop, std::vector<Position>& seen) {
  while (!stop.stop_requested()) {
    auto got = co_await live.after(from, 2, stop);
    if (!got) continue;
    for (const auto& record : *got) seen.push_back(from = record.position);
  }
}

struct Bench {
  VirtualWorld world;
  Journal journal;
  Live live;
  std::stop_source stop;
  explicit Bench(Live::Bounds bounds = {}) : live(world.world(), journal, bounds) {}
  void start(std::vector<Position>& seen, Position from = 0) {
    spawn(world.io().get_executor(), read(live, from, stop.get_token(), seen));
    world.settle();
  }
  void write(int n, std::size_t bytes = 0) {
    for (int i = 0; i < n; ++i) journal.write(&live, bytes);
  }
  ~Bench() {
    stop.request_stop();
    world.settle();
  }
};
using Seen = std::vector<Position>;

TEST(Live, GivesEveryReaderEveryRecordOnceInOrder) {
  Bench b;
  Seen one, two;
  b.start(one);
  b.write(3);
  b.world.settle();
  b.start(two);
  b.write(2);
  b.world.settle();
  EXPECT_EQ(one, (Seen{1, 2, 3, 4, 5}));
  EXPECT_EQ(two, one);
  EXPECT_EQ(b.journal.reads, 0);  // fed from the groups, not read back
}

TEST(Live, ReadsWhatWasWrittenBeforeItFromTheLedger) {
  Bench b;
  for (int i = 0; i < 5; ++i) b.journal.write();
  Seen seen;
  b.start(seen);
  b.write(1);
  b.world.settle();
  EXPECT_EQ(seen, (Seen{1, 2, 3, 4, 5, 6}));
}

TEST(Live, ShowsNobodyARunThatIsForgotten) {
  Bench b;
  for (int i = 0; i < 4; ++i) b.journal.write();
  const RunId run{2, 7};
  b.journal.records[1].run = run;
  b.live.feed(b.journal.records);
  b.live.forget(run);
  b.journal.records.erase(b.journal.records.begin() + 1);
  Seen seen;
  b.start(seen);
  EXPECT_EQ(seen, (Seen{1, 3, 4}));
}

TEST(Live, LetsAReaderThatFellBehindCatchUpFromTheLedger) {
  Bench b({.records = 3, .bytes = 1 << 20});
  Seen seen;
  b.start(seen);
  b.write(10);
  b.world.settle();
  EXPECT_EQ(seen, (Seen{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_GT(b.journal.reads, 0);
}

TEST(Live, HoldsNoMoreThanItsBytes) {
  Bench b({.records = 100, .bytes = 1000});
  b.write(5, 400);
  Seen seen;
  b.start(seen);
  EXPECT_EQ(seen, (Seen{1, 2, 3, 4, 5}));
  EXPECT_GE(b.journal.reads, 1);
}

TEST(Live, PassesOnARecordThatIsLargerThanItsWindow) {
  Bench b({.records = 100, .bytes = 100});
  Seen seen;
  b.start(seen);
  b.write(1, 5000);
  b.world.settle();
  b.write(1);
  b.world.settle();
  EXPECT_EQ(seen, (Seen{1, 2}));
}

TEST(Live, BeginsAfterThePositionItIsTold) {
  Bench b;
  b.write(5);
  Seen seen;
  b.start(seen, 3);
  EXPECT_EQ(seen, (Seen{4, 5}));
  EXPECT_EQ(b.world.run(b.live.after(1, 3, {}))->size(), 3u);  // and gives no more than asked for
}

TEST(Live, SaysThatTheLedgerCannotBeRead) {
  Bench b;
  b.journal.write();
  b.journal.failing_reads = 1;
  auto first = b.world.run(b.live.after(0, 10, {}));
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().error_class, ErrorClass::retryable);
  EXPECT_EQ(b.world.run(b.live.after(0, 10, {}))->size(), 1u);
}

struct Idler {
  Position went_on = -1;
  static Async<void> wait(Live& live, Position from, Live::Interest interest, std::stop_token stop, Idler& idler) { idler.went_on = co_await live.idle(from, std::move(interest), stop); }
};

TEST(Live, LeavesWhoWaitsForOthersAlone) {
  Bench b;
  b.write(1);
  const auto run = RunId{1, 77};
  Idler of_a, of_b, of_run, of_all;
  const auto wait = [&](Live::Interest interest, Idler& idler) { spawn(b.world.io().get_executor(), Idler::wait(b.live, 1, std::move(interest), b.stop.get_token(), idler)); };
  wait({"a", {}}, of_a), wait({"b", {}}, of_b), wait({{}, run}, of_run), wait({}, of_all);
  b.world.settle();
  b.journal.write(&b.live);
  b.world.settle();
  EXPECT_EQ(of_all.went_on, 1);
  EXPECT_EQ(of_a.went_on, -1);
  b.journal.write_of("a", {}, &b.live);
  b.world.settle();
  EXPECT_EQ(of_a.went_on, 2);  // what came before was not of interest
  EXPECT_EQ(of_b.went_on, -1);
  b.journal.write_of("c", run, &b.live);
  b.world.settle();
  EXPECT_EQ(of_run.went_on, 3);
  b.stop.request_stop();
  b.world.settle();
  EXPECT_EQ(of_b.went_on, 4);  // nothing of interest was there until now
}

TEST(Live, DoesNotWaitWhereThereIsSomethingAlready) {
  Bench b;
  b.write(3);
  EXPECT_EQ(b.world.run(b.live.idle(2, {"a", {}}, {})), 2);
}

TEST(Live, LetsAWaitingReaderGoWhenAskedToStop) {
  Bench b;
  std::stop_source stop;
  b.world.after(Millis(10), [&] { stop.request_stop(); });
  EXPECT_TRUE(b.world.run(b.live.after(0, 10, stop.get_token()))->empty());
}

}  // namespace
}  // namespace agentd::event
