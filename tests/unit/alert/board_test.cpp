// Each thing that is wrong is raised once and cleared once, whatever fails or dies in between.
#include "core/alert/board.hpp"

#include <gtest/gtest.h>

#include "tests/support/bench/fake_ledger.hpp"

namespace agentd::alert {
namespace {

using namespace std::chrono_literals;
using support::FakeLedger;

const Name kFailures{"failures", "a", ""}, kDown{"provider_down", "", "openai"};

Alert alert(std::string summary = "it fails") { return {.severity = "warning", .summary = std::move(summary), .sinks = {"ops"}}; }

struct Bench {
  struct Process {
    explicit Process(Bench& bench) : ledger(bench.world, bench.store), board(bench.world.world(), ledger, [&bench](const std::string& text) { bench.log.push_back(text); }) {}
    FakeLedger ledger;
    Board board;
  };
  support::VirtualWorld world;
  support::LedgerStore store;
  std::vector<std::string> log;
  std::vector<std::unique_ptr<Process>> processes;
  bool loaded = false;

  Bench() { start(); }
  ~Bench() { end(); }
  Board& board() { return processes.back()->board; }
  FakeLedger& ledger() { return processes.back()->ledger; }
  void start() {
    processes.push_back(std::make_unique<Process>(*this));
    auto loading = [](Bench& self) -> Async<void> { self.loaded = (co_await self.board().load()).has_value(); };
    spawn(world.io().get_executor(), loading(*this));
    world.settle();
  }
  void end() {
    auto stopping = [](Board& board) -> Async<void> { co_await board.stop(); };
    spawn(world.io().get_executor(), stopping(board()));
    world.advance(1min);
  }
  void restart() {
    ledger().cut();
    end();
    start();
  }
  // "raised failures, cleared failures"
  std::string history() const {
    std::string all;
    for (const auto& record : store.log) {
      const auto decoded = event::decode(record.kind, record.payload);
      if (const auto* raised = std::get_if<event::AlertRaised>(&decoded->body)) all += "raised " + raised->rule + ", ";
      if (const auto* cleared = std::get_if<event::AlertCleared>(&decoded->body)) all += "cleared " + cleared->rule + ", ";
    }
    return all;
  }
};

TEST(Board, RaisesOnceAndClearsOnce) {
  Bench b;
  for (int i = 0; i < 3; ++i) b.board().raise(kFailures, alert()), b.world.settle();
  ASSERT_EQ(b.board().firing().size(), 1U);
  EXPECT_EQ(b.board().firing()[0].alert.summary, "it fails");
  for (int i = 0; i < 3; ++i) b.board().clear(kFailures), b.world.settle();
  EXPECT_TRUE(b.board().firing().empty());
  EXPECT_EQ(b.history(), "raised failures, cleared failures, ");
}

TEST(Board, KnowsWhatAnEarlierHostRaised) {
  Bench b;
  b.board().raise(kFailures, alert());
  b.board().raise(kDown, alert("it is down"));
  b.world.settle();
  const auto before = b.board().firing();
  b.restart();
  EXPECT_TRUE(b.loaded);
  const auto after = b.board().firing();
  ASSERT_EQ(after.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(after[i].name, before[i].name);
    EXPECT_EQ(after[i].since, before[i].since);
    EXPECT_EQ(after[i].alert.sinks, std::vector<std::string>{"ops"});
  }
  b.board().raise(kFailures, alert());
  b.board().clear(kDown);
  b.world.settle();
  EXPECT_EQ(b.history(), "raised failures, raised provider_down, cleared provider_down, ");
}

TEST(Board, TellsThoseWhoWereToldThatItIsOver) {
  Bench b;
  b.board().raise(kFailures, alert());
  b.world.settle();
  b.restart();
  b.board().clear(kFailures);
  b.world.settle();
  const auto decoded = event::decode(b.store.log.back().kind, b.store.log.back().payload);
  const auto& cleared = std::get<event::AlertCleared>(decoded->body);
  EXPECT_EQ(cleared.deliver, std::vector<event::Recipient>{{"ops"}});
  EXPECT_EQ(cleared.severity, "warning");
}

TEST(Board, WritesNothingOfWhatCameAndWentBeforeItCouldBeWritten) {
  Bench b;
  b.board().raise(kFailures, alert());
  b.board().clear(kFailures);
  b.board().raise(kDown, alert());
  b.world.settle();
  EXPECT_EQ(b.history(), "raised provider_down, ");
  b.board().clear(kDown);
  b.board().raise(kDown, alert());
  b.world.settle();
  EXPECT_EQ(b.history(), "raised provider_down, ");
  EXPECT_EQ(b.board().firing().size(), 1U);
}

TEST(Board, DiesAtAnyMomentAndStillRaisesOnce) {
  for (const bool happened : {false, true}) {
    Bench b;
    b.ledger().fail(b.ledger().operations() + 1, {.fault = port::LedgerFault::unavailable, .happened = happened});
    b.board().raise(kFailures, alert());
    b.world.settle();
    b.restart();
    b.board().raise(kFailures, alert());
    b.world.settle();
    EXPECT_EQ(b.history(), "raised failures, ") << happened;
  }
}

TEST(Board, AsksWhatBecameOfAWriteThatFailed) {
  for (const bool happened : {false, true}) {
    Bench b;
    b.ledger().fail(b.ledger().operations() + 1, {.fault = port::LedgerFault::unknown_outcome, .happened = happened});
    b.board().raise(kFailures, alert());
    b.world.advance(1min);
    EXPECT_EQ(b.history(), "raised failures, ") << happened;
    EXPECT_EQ(b.board().firing().size(), 1U);
  }
}

TEST(Board, WaitsForALedgerThatCannotWrite) {
  Bench b;
  b.ledger().fill_disk(true);
  b.board().raise(kFailures, alert());
  b.world.settle();
  EXPECT_TRUE(b.board().firing().empty());
  b.world.advance(10s);
  b.ledger().fill_disk(false);
  b.world.advance(1min);
  EXPECT_EQ(b.history(), "raised failures, ");
  EXPECT_EQ(b.log.size(), 1U);
}

TEST(Board, RestsWhileAnotherReplicasBoardWritesAndGoesByWhatThatOneSays) {
  Bench b;
  b.board().rest();
  b.board().raise(kFailures, alert());
  b.world.settle();
  EXPECT_EQ(b.history(), "");
  b.board().see({.position = 1, .at = b.world.now()}, event::AlertRaised{.rule = "provider_down", .subject = "openai", .severity = "critical", .summary = "it refuses", .deliver = {{"ops"}}});
  ASSERT_EQ(b.board().firing().size(), 1u);
  EXPECT_EQ(b.board().firing()[0].alert.sinks, std::vector<std::string>{"ops"});
  b.board().see({.position = 2}, event::AlertCleared{.rule = "provider_down", .subject = "openai"});
  EXPECT_TRUE(b.board().firing().empty());
}

TEST(Board, RestsWhenItsLeaseIsAnothers) {
  Bench b;
  b.ledger().fail(b.ledger().operations() + 1, {.fault = port::LedgerFault::stale});
  b.board().raise(kFailures, alert());
  b.world.advance(1min);
  EXPECT_EQ(b.history(), "");
  EXPECT_TRUE(b.board().is_written());
  b.board().raise(kDown, alert());
  b.world.advance(1min);
  EXPECT_EQ(b.history(), "") << "it rests";
}

}  // namespace
}  // namespace agentd::alert
