#include "core/event/copier.hpp"

#include <gtest/gtest.h>

#include "tests/support/virtual_world.hpp"
#include "tests/unit/event/journal.hpp"

namespace agentd::event {
namespace {

using namespace std::chrono_literals;
using support::VirtualWorld;

class Store final : public port::EventStore {
 public:
  explicit Store(Timers& timers) : timers_(timers) {}
  std::vector<std::string> ids;
  int calls = 0, failures = 0;
  std::optional<Millis> retry_after;
  Millis takes{0};

  Async<Result<void>> append(std::vector<port::Event> events) override {
    ++calls;
    if (takes > Millis(0)) co_await sleep(timers_, takes, {});
    if (failures > 0) {
      --failures;
      co_return std::unexpected(Error{ErrorClass::retryable, "connection refused", retry_after});
    }
    for (const auto& event : events) ids.push_back(event.id);
    co_return Result<void>();
  }

 private:
  Timers& timers_;
};

struct Bench {
  VirtualWorld world;
  Journal journal;
  std::optional<Live> live{std::in_place, world.world(), journal};
  Store store{world};
  std::optional<Copier> copier;
  std::stop_source stop;
  std::vector<std::string> log;

  void start() {
    stop = {};
    const auto note = [this](const std::string& text) { log.push_back(text); };
    copier.emplace(world.world(), journal, *live, store, "team", Copier::Listener{note, note});
    spawn(world.io().get_executor(), copier->follow(stop.get_token()));
    world.settle();
  }
  void end() {
    stop.request_stop();
    world.advance(1h);
    copier.reset();
    live.emplace(world.world(), journal);  // a new process knows nothing of the old one
  }
  void write(int n) {
    for (int i = 0; i < n; ++i) journal.write(&*live);
    world.settle();
  }
  ~Bench() { end(); }
};

std::vector<std::string> ids(Position first, Position last) {
  std::vector<std::string> out;
  for (auto position = first; position <= last; ++position) out.push_back(event_id(position, 0));
  return out;
}

TEST(Copier, CopiesEveryEventInOrder) {
  Bench b;
  b.journal.write();
  b.start();
  b.write(3);
  EXPECT_EQ(b.store.ids, ids(1, 4));
  EXPECT_EQ(b.copier->lag_seconds(), 0);
}

TEST(Copier, GoesOnWhereItStoodAfterARestart) {
  Bench b;
  b.start();
  b.write(3);
  b.end();
  EXPECT_EQ(b.journal.kept["events:team"], 3);
  for (int i = 0; i < 2; ++i) b.journal.write();  // while nobody copied
  b.start();
  b.write(1);
  EXPECT_EQ(b.store.ids, ids(1, 6));
}

TEST(Copier, SendsAgainWhatWasNotAcknowledged) {
  Bench b;
  b.store.failures = 2;
  b.start();
  b.write(1);
  b.world.advance(5s);  // after 1 s, then after 2 s more
  EXPECT_EQ(b.store.calls, 3);
  EXPECT_EQ(b.store.ids, ids(1, 1));
}

TEST(Copier, NeverPutsItsCursorBeforeAnAcknowledgement) {
  Bench b;
  b.store.failures = 1'000'000;
  b.start();
  b.write(1);
  b.world.advance(10min);
  b.end();
  EXPECT_EQ(b.journal.kept["events:team"], 0);
  b.store.failures = 0;
  b.start();
  b.world.settle();
  EXPECT_EQ(b.store.ids, ids(1, 1));
}

TEST(Copier, AsksAFailingStoreEverMoreSlowlyButAtLeastOnceAMinute) {
  Bench b;
  b.store.failures = 1'000'000;
  b.start();
  b.write(1);
  b.world.advance(63s);
  EXPECT_EQ(b.store.calls, 7);  // at 0, 1, 3, 7, 15, 31 and 63 s
  b.world.advance(10min);
  EXPECT_EQ(b.store.calls, 17);
  EXPECT_GE(b.copier->lag_seconds(), 600);
  EXPECT_EQ(b.copier->last_error(), "connection refused");
}

TEST(Copier, WaitsAsLongAsTheStoreAsksFor) {
  Bench b;
  b.store.failures = 1;
  b.store.retry_after = 30s;
  b.start();
  b.write(1);
  b.world.advance(29s);
  EXPECT_EQ(b.store.calls, 1);
  b.world.advance(2s);
  EXPECT_EQ(b.store.ids, ids(1, 1));
  EXPECT_EQ(b.copier->last_error(), "");
}

TEST(Copier, SavesItsCursorAtMostOnceASecond) {
  Bench b;
  b.start();
  for (int i = 0; i < 100; ++i) {
    b.write(1);
    b.world.advance(50ms);
  }
  EXPECT_EQ(b.store.ids, ids(1, 100));
  EXPECT_LE(b.journal.saves, 6);
  EXPECT_GE(b.journal.saves, 4);
}

TEST(Copier, GetsOnWithoutARecordThatCannotBeRead) {
  Bench b;
  b.journal.write();
  b.journal.write();
  b.journal.records[0].payload = "{";
  b.start();
  EXPECT_EQ(b.store.ids, ids(2, 2));
  ASSERT_EQ(b.log.size(), 1u);
  EXPECT_EQ(b.log[0].find("event store \"team\" goes without a record: the ledger's record 1 cannot be read"), 0u) << b.log[0];
}

TEST(Copier, TellsATroubleOnceAndOnceThatItIsOver) {
  Bench b;
  b.store.failures = 3;
  b.start();
  b.write(1);
  EXPECT_EQ(b.log, (std::vector<std::string>{"event store \"team\": no events are copied: connection refused"}));
  b.world.advance(1min);
  b.write(3);
  EXPECT_EQ(b.store.ids, ids(1, 4));
  EXPECT_EQ(b.log, (std::vector<std::string>{"event store \"team\": no events are copied: connection refused", "event store \"team\": no events are copied: that is over"}));
}

TEST(Copier, LagsWhileTheLedgerCannotBeRead) {
  Bench b;
  b.journal.write();
  b.journal.failing_reads = 1'000'000;
  b.start();
  b.world.advance(1min);
  EXPECT_GE(b.copier->lag_seconds(), 60);
  EXPECT_EQ(b.log, (std::vector<std::string>{"event store \"team\": no events are copied: the ledger is busy"}));
  b.journal.failing_reads = 0;
  b.world.advance(2s);
  EXPECT_EQ(b.copier->lag_seconds(), 0);
}

TEST(Copier, IsStoppedByNoSlowStore) {
  Bench b;
  b.store.takes = 10s;
  b.start();
  b.write(1);
  b.stop.request_stop();
  b.write(1000);  // nobody waits for the store
  b.world.advance(11s);
  EXPECT_EQ(b.store.ids, ids(1, 1));
  EXPECT_EQ(b.journal.kept["events:team"], 1);
}

TEST(Copier, TriesAgainWhenTheLedgerCannotBeRead) {
  Bench b;
  b.journal.write();
  b.journal.failing_reads = 2;
  b.start();
  b.world.advance(3s);
  EXPECT_EQ(b.store.ids, ids(1, 1));
}

}  // namespace
}  // namespace agentd::event
