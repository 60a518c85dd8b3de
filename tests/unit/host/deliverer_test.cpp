// A sink is told each thing once it can be, whatever dies or fails in between.
#include "host/deliverer.hpp"

#include <gtest/gtest.h>

#include "host/recipients.hpp"
#include "host/tidings.hpp"
#include "tests/support/bench/fake_ledger.hpp"
#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::host {
namespace {

using namespace std::chrono_literals;
using support::FakeLedger;
using support::VirtualWorld;

class FakeSink final : public Sink {
 public:
  explicit FakeSink(Timers& timers) : timers_(timers) {}
  std::vector<std::string> told;                         // titles
  std::map<std::string, std::vector<Error>> refusals;    // by title, one after the other
  int at_once = 0, most_at_once = 0;

  Async<Result<void>> send(Message message, std::stop_token stop) override {
    most_at_once = std::max(most_at_once, ++at_once);
    const bool whole = co_await sleep(timers_, 10ms, stop);
    --at_once;
    if (!whole) co_return fail(ErrorClass::retryable, "aborted");
    auto& refused = refusals[message.title];
    if (!refused.empty()) {
      auto error = std::move(refused.front());
      refused.erase(refused.begin());
      co_return std::unexpected(std::move(error));
    }
    told.push_back(message.title);
    co_return Result<void>();
  }

 private:
  Timers& timers_;
};

struct Bench {
  struct Process {
    Process(Bench& bench) : ledger(bench.world, bench.store), live(bench.world.world(), ledger), deliverer(ground(bench), "ops", bench.sink) {
      ledger.on_group([this](std::span<const port::StoredRecord> group) { live.feed(group); });
    }
    Deliverer::Ground ground(Bench& bench) {
      const auto note = [&bench](const std::string& text) { bench.log.push_back(text); };
      return {bench.world.world(), ledger, live, bench.cleaner, note, note};
    }
    FakeLedger ledger;
    event::Live live;
    Deliverer deliverer;
    std::stop_source stop;
  };

  VirtualWorld world;
  support::LedgerStore store;
  support::PlainCleaner cleaner{"hush"};
  FakeSink sink{world};
  std::vector<std::string> log;
  std::vector<std::unique_ptr<Process>> processes;

  Bench() { start(); }
  ~Bench() { end(); }
  Process& now() { return *processes.back(); }
  void start() {
    processes.push_back(std::make_unique<Process>(*this));
    spawn(world.io().get_executor(), now().deliverer.follow(now().stop.get_token()));
    world.advance(1ms);
  }
  void end() {
    now().stop.request_stop();
    world.advance(1s);
  }
  void die() {
    now().ledger.cut();
    end();
  }

  void write(event::Body body, std::string agent = "a") {
    auto writing = [](FakeLedger& ledger, port::Transition transition) -> Async<void> { (void)co_await ledger.commit(std::move(transition)); };
    spawn(world.io().get_executor(), writing(now().ledger, {.agent_id = std::move(agent), .records = {event::to_record(body)}}));
    world.settle();
  }
  void raise(const std::string& summary, std::vector<event::Recipient> to = {{"ops"}}) { write(event::AlertRaised{"rule", "a", "", "warning", summary, std::move(to), {}}); }
  void refuse(const std::string& title, int times, ErrorClass how = ErrorClass::retryable) {
    for (int i = 0; i < times; ++i) sink.refusals[title].push_back({how, "it is down", {}});
  }
  template <class T>
  std::vector<T> records() const {
    std::vector<T> found;
    for (const auto& record : store.log)
      if (record.kind == T::kKind) found.push_back(std::get<T>(event::decode(record.kind, record.payload)->body));
    return found;
  }
};

TEST(Deliverer, TellsItsSinkAndSaysSo) {
  Bench b;
  b.raise("one");
  b.raise("for others", {{"mail"}});
  b.raise("for nobody", {});
  b.world.advance(1s);
  EXPECT_EQ(b.sink.told, std::vector<std::string>{"warning: one"});
  const auto delivered = b.records<event::Delivered>();
  ASSERT_EQ(delivered.size(), 1U);
  EXPECT_EQ(delivered[0].sink, "ops");
  EXPECT_EQ(delivered[0].position, 1);
  EXPECT_EQ(delivered[0].attempt, 1);
}

TEST(Deliverer, TriesAgainEverMoreSlowlyAndGivesUpInTheEnd) {
  Bench b;
  b.refuse("warning: one", 100);
  b.raise("one");
  b.world.advance(4h);
  const auto refused = b.records<event::Undelivered>();
  ASSERT_EQ(refused.size(), static_cast<std::size_t>(Deliverer::kMostTries));
  for (std::size_t i = 0; i < refused.size(); ++i) EXPECT_EQ(refused[i].attempt, static_cast<int>(i) + 1);
  EXPECT_GE(refused[0].retry_after_ms, 5'000);
  EXPECT_GE(refused[1].retry_after_ms, 10'000);
  EXPECT_EQ(refused.back().retry_after_ms, -1);
  EXPECT_EQ(refused.back().error, "it is down");
  EXPECT_EQ(b.log.size(), 1U);
  b.end();
  b.start();
  b.world.advance(4h);
  EXPECT_TRUE(b.sink.told.empty());
  EXPECT_EQ(b.records<event::Undelivered>().size(), refused.size());
}

TEST(Deliverer, DoesNotTryAgainWhatIsRefusedForGood) {
  Bench b;
  b.refuse("warning: one", 1, ErrorClass::terminal);
  b.raise("one");
  b.world.advance(1h);
  ASSERT_EQ(b.records<event::Undelivered>().size(), 1U);
  EXPECT_EQ(b.records<event::Undelivered>()[0].retry_after_ms, -1);
}

TEST(Deliverer, LetsThoseThatAreRefusedHoldUpNoOthers) {
  Bench b;
  for (int i = 0; i < 20; ++i) b.refuse("warning: n" + std::to_string(i), 1);
  for (int i = 0; i < 50; ++i) b.raise("n" + std::to_string(i));
  b.world.advance(2s);
  EXPECT_EQ(b.sink.told.size(), 30U);
  EXPECT_LE(b.sink.most_at_once, 8);
  b.world.advance(10s);
  EXPECT_EQ(b.sink.told.size(), 50U);
}

// Whoever dies at any moment: what was sent but not written down may be told twice, nothing is never told, and nothing that is written
// down as told is told again.
TEST(Deliverer, GoesOnAfterADeathAtAnyMoment) {
  for (Millis until_death = 0ms; until_death < 40ms; until_death += 1ms) {
    Bench b;
    for (int i = 0; i < 20; ++i) b.raise("n" + std::to_string(i));
    b.world.advance(until_death);
    b.die();
    const auto known = b.records<event::Delivered>().size();
    const auto told_before = b.sink.told.size();
    b.start();
    b.world.advance(1min);
    EXPECT_EQ(b.sink.told.size() - told_before, 20 - known) << until_death.count();
    EXPECT_EQ(b.records<event::Delivered>().size(), 20U);
    const std::set<std::string> different(b.sink.told.begin(), b.sink.told.end());
    EXPECT_EQ(different.size(), 20U);
  }
}

TEST(Deliverer, CountsTheTriesOfAnEarlierHost) {
  Bench b;
  b.refuse("warning: one", 2);
  b.raise("one");
  b.world.advance(1s);
  b.die();
  b.start();
  b.world.advance(1min);
  const auto refused = b.records<event::Undelivered>();
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[1].attempt, 2);
  EXPECT_EQ(b.records<event::Delivered>().at(0).attempt, 3);
}

TEST(Deliverer, SaysSoWhereWhatItWasToTellIsGone) {
  Bench b;
  b.refuse("warning: one", 1);
  b.raise("one");
  b.world.advance(1s);
  b.store.log.front().position = 0;  // another record stands there: it was pruned
  b.world.advance(1min);
  EXPECT_TRUE(b.sink.told.empty());
  const auto refused = b.records<event::Undelivered>();
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[1].position, 1);
  EXPECT_EQ(refused[1].retry_after_ms, -1);
  EXPECT_EQ(refused[1].error, "the alert has been removed");
  EXPECT_EQ(b.log, std::vector<std::string>{"sink \"ops\" was not told of an alert: the alert has been removed"});
}

TEST(Deliverer, NotesWhereItStandsAlsoWhereNothingMoreComes) {
  Bench b;
  for (const char* what : {"one", "two"}) b.raise(what);
  b.world.advance(1min);
  EXPECT_EQ(b.store.cursors["deliver:ops"], b.now().ledger.last_position());
}

TEST(Deliverer, BoundsWhatItHoldsInMemory) {
  Bench b;
  for (int i = 0; i < 600; ++i) b.refuse("warning: n" + std::to_string(i), 1);
  for (int i = 0; i < 600; ++i) b.raise("n" + std::to_string(i));
  b.world.advance(1h);
  EXPECT_EQ(b.sink.told.size(), 600U);
}

TEST(Words, AreShortenedAtACharacter) {
  Message message;
  message.title = "title";
  for (int i = 0; i < 100; ++i) message.text += "\xc3\xa9";
  const auto words = words_of(message, 50);
  EXPECT_LE(words.size(), 50U);
  EXPECT_TRUE(words.ends_with("\xc3\xa9\n[shortened]")) << words;
  EXPECT_EQ(words_of(message, 1000), "title\n" + message.text);
}

}  // namespace
}  // namespace agentd::host
