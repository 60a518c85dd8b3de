// What a host removes from its ledger, when, and what it waits for.
#include "host/retention.hpp"

#include <gtest/gtest.h>

#include "core/event/record.hpp"
#include "tests/support/bench/fake_ledger.hpp"

namespace agentd::host {
namespace {

using namespace std::chrono_literals;
using namespace support;

// Notes what it is asked to remove; each sweep takes so many steps.
class Upkeep final : public port::LedgerUpkeep {
 public:
  std::vector<port::Prune> asked;
  std::vector<port::Pruned> answers;  // from the front; then nothing is found
  bool is_full = false;

  Async<port::LedgerResult<port::Pruned>> prune(port::Prune what) override {
    asked.push_back(what);
    if (is_full) co_return std::unexpected(port::LedgerError{port::LedgerFault::disk_full, "the disk is full"});
    if (answers.empty()) co_return port::Pruned{};
    const auto next = answers.front();
    answers.erase(answers.begin());
    co_return next;
  }
  Async<port::LedgerResult<void>> forget(RunId) override { std::abort(); }
  Async<port::LedgerResult<void>> backup(std::string) override { std::abort(); }
};

struct Bench {
  VirtualWorld world;
  LedgerStore store;
  FakeLedger ledger{world, store};
  Upkeep upkeep;
  std::vector<std::string> told;
  std::optional<Retention> retention;

  void start(std::vector<std::string> copies = {}, std::vector<std::string> sinks = {}) {
    Retention::Rules rules{24h, std::move(copies), std::move(sinks)};
    retention.emplace(world.world(), ledger, upkeep, std::move(rules), [this](const std::string& text) { told.push_back(text); });
    retention->start();
    world.settle();
  }
  void copied(const std::string& store_name, Position position) { store.cursors["events:" + store_name] = position; }
  Position old_record() {
    std::vector<port::Record> records = {event::to_record(event::HostStarted{"1"})};
    port::Transition t{.records = std::move(records)};
    const auto at = world.run(ledger.commit(std::move(t)));
    return at.value();
  }
  void enters(event::Entered entered) {
    std::vector<port::Entry> entries = {{.agent_id = "worker", .payload = event::to_record(entered).payload}};
    ASSERT_TRUE(world.run(ledger.enqueue(std::move(entries))));
  }
  std::vector<event::EventsPruned> pruned() const {
    std::vector<event::EventsPruned> all;
    for (const auto& record : store.log)
      if (record.kind == event::EventsPruned::kKind) all.push_back(std::get<event::EventsPruned>(event::decode(record.kind, record.payload)->body));
    return all;
  }
  ~Bench() {
    retention->stop();
    world.advance(2s);
  }
};

TEST(Retention, LooksAtTheStartAndEveryHourAfter) {
  Bench b;
  b.start();
  ASSERT_EQ(b.upkeep.asked.size(), 1u);
  EXPECT_EQ(b.upkeep.asked[0].before, b.world.now() - 24h);
  EXPECT_EQ(b.upkeep.asked[0].upto, INT64_MAX);
  b.world.advance(59min);
  EXPECT_EQ(b.upkeep.asked.size(), 1u);
  b.world.advance(2min);
  EXPECT_EQ(b.upkeep.asked.size(), 2u);
}

// What is removed for its age by a clock that is wrong does not come back when it is put right.
TEST(Retention, BelievesAClockThatHasLeaptWhenItHasStoodForADay) {
  for (const bool restarts : {false, true}) {
    Bench b;
    b.start();
    const auto look_again = [&] {
      b.retention->stop();
      b.world.advance(2s);
      b.start();
    };
    b.world.jump(400 * 24h);
    if (restarts) look_again();
    else b.world.advance(1h);
    EXPECT_EQ(b.upkeep.asked.size(), 1u);
    ASSERT_EQ(b.told.size(), 1u);
    EXPECT_NE(b.told[0].find("nothing is removed for its age until"), std::string::npos) << b.told[0];
    b.world.advance(22h);
    if (restarts) look_again();
    EXPECT_EQ(b.upkeep.asked.size(), 1u);
    b.world.advance(3h);
    EXPECT_GT(b.upkeep.asked.size(), 1u);
    EXPECT_EQ(b.told.size(), 1u);
  }
}

TEST(Retention, GoesOnWhenTheClockIsPutRight) {
  Bench b;
  b.start();
  b.world.jump(400 * 24h);
  b.world.advance(1h);
  EXPECT_EQ(b.upkeep.asked.size(), 1u);
  b.world.jump(-400 * 24h);
  b.world.advance(1h);
  ASSERT_EQ(b.upkeep.asked.size(), 2u);
  EXPECT_LE(b.upkeep.asked[1].before, b.world.now() - 23h);
}

TEST(Retention, PausesBetweenSteps) {
  Bench b;
  b.upkeep.answers = {{1, 0, true}, {1, 0, true}, {0, 5, false}};
  b.start();
  EXPECT_EQ(b.upkeep.asked.size(), 1u);
  b.world.advance(1s);
  EXPECT_EQ(b.upkeep.asked.size(), 3u);
  ASSERT_EQ(b.pruned().size(), 1u);
  EXPECT_EQ(b.pruned()[0].count, 7);
}

TEST(Retention, SaysNothingWhereNothingWasRemovedButItsOwnWords) {
  Bench b;
  b.upkeep.answers = {{0, 1, false}};
  b.start();
  b.world.advance(2h);
  EXPECT_TRUE(b.pruned().empty());
}

TEST(Retention, KeepsWhatAnEventStoreLacksForAsLongAgainAndSaysSoWhenThatIsOver) {
  Bench b;
  const auto first = b.old_record();
  b.old_record();
  b.copied("quick", 2), b.copied("slow", first);
  b.start({"quick", "slow"});
  ASSERT_EQ(b.upkeep.asked.size(), 2u);
  EXPECT_EQ(b.upkeep.asked[0].before, b.world.now() - 48h);
  EXPECT_EQ(b.upkeep.asked[0].upto, INT64_MAX);
  EXPECT_EQ(b.upkeep.asked[1].before, b.world.now() - 24h);
  EXPECT_EQ(b.upkeep.asked[1].upto, first);
  EXPECT_TRUE(b.told.empty());
  b.world.advance(49h);
  ASSERT_FALSE(b.told.empty());
  EXPECT_EQ(b.told[0], "an event store has not had a copy of what is twice as old as ledger.retention says; it is removed without one");
}

TEST(Retention, KeepsWhatASinkHasNotBeenToldForAsLongAgainAndSaysSoWhenThatIsOver) {
  Bench b;
  const auto first = b.old_record();
  b.old_record();
  b.copied("store", 2);
  b.store.cursors["deliver:ops"] = first;
  b.start({"store"}, {"ops"});
  ASSERT_EQ(b.upkeep.asked.size(), 2u);
  EXPECT_EQ(b.upkeep.asked[0].before, b.world.now() - 48h);
  EXPECT_EQ(b.upkeep.asked[1].upto, first);
  EXPECT_TRUE(b.told.empty());
  b.world.advance(49h);
  ASSERT_FALSE(b.told.empty());
  EXPECT_EQ(b.told[0], "a sink has not been told of what is twice as old as ledger.retention says; it is removed all the same");
}

TEST(Retention, KeepsARunThatARunForMemoryHasYetToRead) {
  Bench b;
  const RunId read{5, 7}, read_later{9, 7};
  for (const auto of : {read_later, read}) b.enters({.trigger = "memory", .digest = event::Digest{event::Digest::What::lessons, to_text(of)}});
  b.enters({.trigger = "manual"});
  b.start();
  ASSERT_EQ(b.upkeep.asked.size(), 2u);
  EXPECT_EQ(b.upkeep.asked[0].before, b.world.now() - 48h);
  EXPECT_EQ(b.upkeep.asked[0].upto, INT64_MAX);
  EXPECT_EQ(b.upkeep.asked[1].before, b.world.now() - 24h);
  EXPECT_EQ(b.upkeep.asked[1].upto, read.position - 1);
}

TEST(Retention, AFullDiskIsToldAndTriedAgainLater) {
  Bench b;
  b.upkeep.is_full = true;
  b.start();
  EXPECT_EQ(b.told, std::vector<std::string>{"what is old could not be removed: the disk is full"});
  b.upkeep.is_full = false;
  b.upkeep.answers = {{1, 0, false}};
  b.world.advance(61min);
  EXPECT_EQ(b.pruned().size(), 1u);
}

TEST(Retention, KeepsUpToWhereSlotsHaveBeenDealtWithBeforeItRemoves) {
  Bench b;
  b.start();
  EXPECT_EQ(b.world.run(Retention::dealt_with_until(b.ledger)), b.world.now() - 24h);
}

}  // namespace
}  // namespace agentd::host
