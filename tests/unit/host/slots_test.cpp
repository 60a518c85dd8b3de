// From schedules to runs in the ledger, on a virtual clock.
#include "host/slots.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/event/expand.hpp"
#include "core/metrics/metrics.hpp"
#include "host/journal.hpp"
#include "host/overtaking.hpp"
#include "host/redactor.hpp"
#include "tests/support/bench/bench.hpp"
#include "tests/support/shared_ledger.hpp"

namespace agentd::host {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::Overlap;
using port::RunStatus;
using schedule::Policy;

manifest::LogSection quiet() {
  manifest::LogSection log;
  log.level = "off";
  return log;
}

Member every(std::string id, Millis interval, Policy policy = {}) {
  Member member;
  member.agent_id = std::move(id);
  member.policy = policy;
  member.schedule = schedule::Schedule{.when = schedule::Interval{interval}, .start = {}, .end = {}};
  member.overlap = Overlap::skip;
  member.queue_size = 100, member.max_concurrent = 1;
  return member;
}

// A host's slots over a ledger that outlives it.
struct Bench {
  VirtualWorld world{1, *parse_instant("2026-01-01T12:00:30Z")};
  LedgerStore store;
  Redactor redactor;
  Log log{quiet(), redactor};
  Members members;
  std::vector<Member> agents;
  std::unique_ptr<FakeLedger> ledger;
  SharedLedger shared;
  std::unique_ptr<Slots> slots;

  void start() {
    start_when([](FakeLedger&) {});
  }
  template <class Change>
  void start_when(Change change) {
    for (const auto& agent : agents) members.add(agent);
    if (ledger) ledger->cut();
    ledger = std::make_unique<FakeLedger>(world, store);
    change(*ledger);
    slots = std::make_unique<Slots>(world.world(), *ledger, members, log, &shared);
    auto starting = [](Slots& all) -> Async<bool> {
      co_await all.start();
      co_return true;
    };
    world.run(starting(*slots));
  }
  ~Bench() {
    if (slots) slots->stop();
    world.advance(2s);
  }
  // "12:10 queued", the oldest first.
  std::vector<std::string> runs(const std::string& agent) const {
    std::vector<std::string> all;
    for (const auto& [position, row] : store.runs) {
      if (row.entry.agent_id != agent) continue;
      const auto entered = std::get<event::Entered>(event::decode(0, row.entry.payload)->body);
      const auto at = entered.scheduled_at ? entered.scheduled_at : entered.last;
      all.push_back((at ? format_instant_s(*at).substr(11, 5) : entered.trigger) + " " + port::name(row.status) +
                    (entered.count > 0 ? " x" + std::to_string(entered.count) : ""));
    }
    return all;
  }
  std::vector<std::string> reasons(const std::string& agent) const {
    std::vector<std::string> all;
    for (const auto& [position, row] : store.runs)
      if (row.entry.agent_id == agent && port::is_final(row.status))
        all.push_back(event::reason(std::get<event::Entered>(event::decode(0, row.entry.payload)->body), row.status));
    return all;
  }
};

using Runs = std::vector<std::string>;

TEST(Slots, OfAnAgentThatIsStillBusyAreSkippedAndSayWhy) {
  Bench b;
  b.agents.push_back(every("a", 10min));
  b.start();
  b.world.advance(20min);
  EXPECT_EQ(b.runs("a"), (Runs{"12:10 queued", "12:20 skipped"}));
  EXPECT_EQ(b.reasons("a"), Runs{"a run of the agent was alive, and overlap = \"skip\""});
}

TEST(Slots, ThatAFullQueueDropsSayWhy) {
  Bench b;
  auto member = every("a", 10min);
  member.overlap = Overlap::queue, member.queue_size = 1;
  b.agents.push_back(std::move(member));
  b.start();
  b.world.advance(20min);
  EXPECT_EQ(b.runs("a"), (Runs{"12:10 queued", "12:20 dropped"}));
  EXPECT_EQ(b.reasons("a"), Runs{"the agent's queue was full"});
}

TEST(Slots, ThatWereAllMissedQueueOneBehindTheOther) {
  Bench b;
  b.agents.push_back(every("a", 10min, {.misfire = Policy::Misfire::all, .catchup_window = 40min}));
  b.start();
  b.slots->stop();
  b.world.advance(1h + 5min);  // 13:05:30
  b.start();
  b.world.advance(10ms);
  EXPECT_EQ(b.runs("a"), (Runs{"12:20 missed x2", "12:30 queued", "12:40 queued", "12:50 queued", "13:00 queued"}));
  std::set<std::string> keys;
  for (const auto& [position, row] : b.store.runs) keys.insert(row.entry.key);
  EXPECT_TRUE(keys.contains("a@2026-01-01T12:30:00Z"));
  EXPECT_EQ(keys.size(), b.store.runs.size());
  b.start();  // nothing of it comes again
  b.world.advance(10ms);
  EXPECT_EQ(b.store.runs.size(), 5u);
}

TEST(Slots, WhoseRunsWereRemovedForTheirAgeAreNotMissed) {
  for (const bool is_marked : {true, false}) {
    Bench b;
    b.agents.push_back(every("a", 10min));
    b.start();
    b.world.advance(35min);
    b.slots->stop();
    b.store.runs.clear();
    if (is_marked) b.store.cursors["schedule-pruned"] = b.world.now().time_since_epoch().count();
    b.start();
    b.world.advance(10ms);
    EXPECT_EQ(b.runs("a").empty(), is_marked);
  }
}

TEST(Slots, WhoseRunIsForgottenDoNotComeAgain) {
  Bench b;
  b.agents.push_back(every("a", 10min));
  b.start();
  b.world.advance(10min);
  const auto payload = b.store.runs.begin()->second.entry.payload;
  EXPECT_TRUE(b.world.run(b.slots->keep_dealt_with("a", payload)));
  b.slots->stop();
  b.store.runs.clear();
  b.start();
  b.world.advance(10ms);
  EXPECT_EQ(b.runs("a"), Runs());
}

TEST(Slots, ThatWereMissedAndDoNotFitTheQueueAreDroppedInOneRecord) {
  Bench b;
  b.agents.push_back(every("a", 10min, {.misfire = Policy::Misfire::all, .most_at_once = 2, .catchup_window = 7h}));
  b.start();
  b.slots->stop();
  b.world.advance(1h + 5min);
  b.start();
  b.world.advance(10ms);
  EXPECT_EQ(b.runs("a"), (Runs{"12:40 dropped x4", "12:50 queued", "13:00 queued"}));
  EXPECT_EQ(b.reasons("a"), Runs{"more slots were missed than the agent's queue holds"});
}

TEST(Slots, ThatALaterOneStandsForAreCountedAsCoalesced) {
  Bench b;
  b.agents.push_back(every("a", 10min));
  metrics::Metrics metrics({"v", "r", "c"});
  b.start();
  b.ledger->on_group([&](auto group) {
    for (const auto& record : group) metrics.observe(record, *event::decode(record.kind, record.payload));
  });
  b.slots->stop();
  b.world.advance(35min);
  b.start();
  b.ledger->on_group([&](auto group) {
    for (const auto& record : group) metrics.observe(record, *event::decode(record.kind, record.payload));
  });
  b.world.advance(10ms);
  EXPECT_EQ(b.runs("a"), (Runs{"12:20 missed x2", "12:30 queued"}));
  const auto text = metrics.render({});
  EXPECT_NE(text.find(R"(agentd_slots_total{disposition="coalesced"} 2)"), std::string::npos);
  EXPECT_NE(text.find(R"(agentd_slots_total{disposition="started"} 1)"), std::string::npos);
  EXPECT_NE(text.find(R"(agentd_slots_total{disposition="missed"} 0)"), std::string::npos);
}

// From the first start on, whether the host that saw it lived long enough to keep that or not.
TEST(Slots, OfANewScheduleAreOwedFromItsFirstStartOn) {
  Bench b;
  b.agents.push_back(every("a", 10min));
  b.start();
  b.slots->stop();
  b.world.advance(5min);
  b.ledger->cut();
  b.world.advance(5min);  // 12:10 comes and goes
  b.start();
  b.world.advance(10ms);
  EXPECT_EQ(b.runs("a"), Runs{"12:10 queued"});
}

TEST(Slots, OfANewScheduleThatCouldNotBeKeptAreOwedFromThereOn) {
  Bench b;
  b.agents.push_back(every("a", 10min));
  b.start_when([](FakeLedger& ledger) { ledger.fail(3, {}); });
  b.world.advance(2s);
  b.slots->stop();
  b.world.advance(15min);
  b.start();
  b.world.advance(10ms);
  EXPECT_EQ(b.runs("a"), Runs{"12:10 queued"});
}

TEST(Slots, OfANewScheduleAreOwedWhileTheLedgerIsAsked) {
  Bench b;
  auto member = every("a", 1ms);
  member.overlap = Overlap::allow;
  b.agents.push_back(std::move(member));
  b.start();
  b.world.advance(20ms);
  ASSERT_FALSE(b.store.runs.empty());
  EXPECT_EQ(b.store.runs.begin()->second.entry.key, "a@2026-01-01T12:00:30.001Z");
}

// One that a host wrote down before it died, without having begun it.
TEST(Slots, BeginAnewWithAnotherScheduleWhateverTheLedgerHasOfTheOldOne) {
  Bench b;
  b.agents.push_back(every("a", 10min, {.misfire = Policy::Misfire::all}));
  b.start();
  b.slots->stop();
  b.world.advance(1h);
  b.agents.front() = every("a", 7min, {.misfire = Policy::Misfire::all});
  b.agents.front().manifest = R"({"schedule":{"interval":"7m"}})";
  b.start();
  b.world.advance(10min);
  EXPECT_EQ(b.runs("a"), Runs{"13:04 queued"});
}

// As a manifest that was edited brings it: each text a revision.
Member revised(Bench& b, Member member) {
  manifest::AgentSpec spec;
  spec.schedule.when = manifest::Interval{std::get<schedule::Interval>(member.schedule->when).every};
  if (member.policy.misfire == Policy::Misfire::all) spec.schedule.misfire = manifest::Misfire::all;
  spec.schedule.jitter = member.schedule->jitter;
  member.manifest = manifest::canonical(spec);
  auto& kept = b.store.specs[member.agent_id];
  member.revision = std::ssize(kept) + 1;
  kept.push_back({member.revision, member.manifest});
  return member;
}

TEST(Slots, OfAScheduleThatWasChangedWhileNoHostRanAreMissedWithARecord) {
  for (const bool died : {false, true}) {
    Bench b;
    b.agents.push_back(revised(b, every("a", 10min)));
    b.start();
    b.world.advance(10min);
    b.slots->stop();
    b.world.advance(1h);  // 13:10:30
    revised(b, every("a", 3min));  // read once by a host that died at once
    b.agents.front() = revised(b, every("a", 7min));
    if (died) {
      for (const auto& agent : b.agents) b.members.add(agent);
      b.ledger = std::make_unique<FakeLedger>(b.world, b.store);
      b.ledger->cut_after(b.store.log.size());
      b.slots = std::make_unique<Slots>(b.world.world(), *b.ledger, b.members, b.log);
      spawn(b.world.world().executor, b.slots->start());
      b.world.advance(10ms);
      b.slots->stop();
      b.world.advance(2s);
    }
    b.start();
    b.start();
    b.world.advance(4min);
    EXPECT_EQ(b.runs("a"), (Runs{"12:10 queued", "13:10 missed x6", "13:11 skipped"}));
  }
}

TEST(Slots, GoOnWhereOnlyTheirMisfireWasChanged) {
  Bench b;
  b.agents.push_back(revised(b, every("a", 10min)));
  b.start();
  b.slots->stop();
  b.world.advance(25min);
  b.agents.front() = revised(b, every("a", 10min, {.misfire = Policy::Misfire::all}));
  b.start();
  b.world.advance(10ms);
  EXPECT_EQ(b.runs("a"), (Runs{"12:10 queued", "12:20 queued"}));
}

// What only its jitter held back is in the ledger before the ledger says that its schedule is gone.
TEST(Slots, ThatAChangeFindsWaitingOutliveADeath) {
  for (std::size_t writes = 0; writes < 4; ++writes) {
    Bench b;
    auto member = every("a", 10min);
    member.schedule->jitter = 9min;
    const auto jitter = schedule::jitter_of("a", 9min);
    ASSERT_GT(jitter, 1min);
    b.agents.push_back(revised(b, member));
    b.start();
    b.world.advance(10min);  // 12:10:30: the slot waits
    member.schedule = every("a", 5h).schedule;
    b.agents.front() = revised(b, member);
    b.members.add(b.agents.front());
    b.ledger->fail(b.ledger->operations() + 2 + writes, {});  // the reads of the marks come first
    for (std::size_t more = 0; more < 9; ++more) b.ledger->fail(b.ledger->operations() + 2 + writes + more, {});
    spawn(b.world.world().executor, b.slots->take(b.members.find("a")));
    b.world.advance(10ms);
    b.ledger->cut();
    b.slots->stop();
    b.world.advance(2s);
    b.start();
    b.world.advance(10ms);
    ASSERT_EQ(b.runs("a").size(), 1u) << writes;
    EXPECT_EQ(b.runs("a").front().substr(0, 5), "12:10") << writes;
  }
}

// A later one in the ledger says that those before it are there, also to the next host.
TEST(Slots, DoNotOvertakeThoseThatTheLedgerCouldNotTake) {
  Bench b;
  auto member = every("a", 500ms);
  member.overlap = Overlap::allow;
  b.agents.push_back(std::move(member));
  b.start();
  b.ledger->fail(b.ledger->operations() + 1, {});
  b.world.advance(2s);
  std::vector<std::string> keys;
  for (const auto& [position, row] : b.store.runs) keys.push_back(row.entry.key);
  EXPECT_EQ(keys, (Runs{"a@2026-01-01T12:00:30.500Z", "a@2026-01-01T12:00:31Z", "a@2026-01-01T12:00:31.500Z",
                        "a@2026-01-01T12:00:32Z"}));
}

TEST(Slots, StandStillByAClockThatIsNotTheLedgers) {
  Bench b;
  b.agents.push_back(every("a", 10min));
  b.shared.agree = false;
  b.world.jump(1h);
  b.start();
  b.world.advance(20min);  // 13:20:30, by the clock that is wrong
  EXPECT_EQ(b.runs("a"), Runs());
  b.world.jump(-1h);
  b.shared.agree = true;
  b.world.advance(10min);
  EXPECT_EQ(b.runs("a"), (Runs{"12:30 queued"})) << "its schedule comes into force by the right clock";
}

TEST(Slots, OfAClockThatWentWrongAreNotKeptForWhenItIsRight) {
  for (const auto wrong : {1h, -1h}) {
    Bench b;
    auto member = every("a", 10min);
    member.overlap = Overlap::allow;
    b.agents.push_back(member);
    b.start();
    b.world.advance(10min);  // 12:10:30
    b.world.jump(wrong);
    b.shared.agree = false;
    b.world.advance(15min);
    b.world.jump(-wrong);
    b.shared.agree = true;
    b.world.advance(10min);  // 12:35:30
    EXPECT_EQ(b.runs("a"), (Runs{"12:10 queued", "12:20 queued", "12:30 queued"}));
  }
}

TEST(RunOnStart, IsOnceInALedgersLife) {
  Bench b;
  auto member = every("a", 10h);
  member.run_on_start = true;
  b.agents.push_back(member);
  member.agent_id = "by_hand", member.schedule.reset();
  b.agents.push_back(member);
  member.agent_id = "off", member.enabled = false;
  b.agents.push_back(member);
  b.start();
  b.start();
  EXPECT_EQ(b.runs("a"), Runs{"start queued"});
  EXPECT_EQ(b.runs("by_hand"), Runs{"start queued"});
  EXPECT_EQ(b.runs("off"), Runs{});
  b.store.runs.clear();  // pruned long since
  b.start();
  EXPECT_EQ(b.runs("a"), Runs{});
  b.store.epoch = "epoch-2";  // it goes on from a backup
  b.start();
  EXPECT_EQ(b.runs("a"), Runs{"start queued"});
}

TEST(RunOnStart, IsOnceAlsoWhenTheHostDiesInBetween) {
  for (std::size_t records = 1; records < 3; ++records) {
    Bench b;
    auto member = every("a", 10h);
    member.run_on_start = true;
    b.agents.push_back(member);
    b.members.add(b.agents[0]);
    b.ledger = std::make_unique<FakeLedger>(b.world, b.store);
    b.ledger->cut_after(records);
    b.slots = std::make_unique<Slots>(b.world.world(), *b.ledger, b.members, b.log);
    spawn(b.world.world().executor, b.slots->start());
    b.world.advance(10ms);
    b.slots->stop();
    b.world.advance(2s);
    b.start();
    EXPECT_EQ(b.runs("a"), Runs{"start queued"});
  }
}

// ---- overlap = "cancel_previous", with a worker at work

struct Busy {
  support::Bench bench{{.answers = {Turn{.answer = say("late").answer, .failures = {}, .takes = 10h}},
                        .spec = [](auto& spec) { spec.task.timeout = 0ms; }}};
  Members members;
  Redactor redactor;
  Log log{quiet(), redactor};
  metrics::Metrics metrics{{"v", "r", "c"}};
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Overtaking> overtaking;

  explicit Busy(Overlap overlap, Policy policy = {}) {
    auto member = every("surveyor", 10h, policy);
    member.overlap = overlap;
    members.add(std::move(member));
  }
  ~Busy() { overtaking->stop(), bench.pass(1s); }
  void watch() {
    if (overtaking) overtaking->stop();
    journal = std::make_unique<Journal>(bench.world().world(), bench.ledger(), metrics, log);
    overtaking = std::make_unique<Overtaking>(bench.world().world(), bench.ledger(), members, bench.worker(), log);
    journal->on_entry([this](const port::StoredRecord& record, const event::Entered& entered) { overtaking->see(record, entered); });
    spawn(bench.world().world().executor, overtaking->start());
    bench.pass(1s);
  }
  RunId enter(const char* trigger, std::optional<Instant> slot = {}) {
    const auto run = bench.ask({.trigger = trigger, .scheduled_at = slot});
    bench.pass(3s);
    return run;
  }
};

TEST(CancelPrevious, EndsTheSlotBeforeASlotAFileOrAChain) {
  for (const char* trigger : {"schedule", "file", "agent"}) {
    Busy busy(Overlap::cancel_previous);
    busy.watch();
    const auto first = busy.enter("schedule"), second = busy.enter("api");
    EXPECT_EQ(busy.bench.standing(first).status, RunStatus::running) << "people's runs push nothing aside";
    const auto third = busy.enter(trigger);
    EXPECT_EQ(busy.bench.standing(first).status, RunStatus::cancelled) << trigger;
    EXPECT_EQ(busy.bench.standing(second).status, RunStatus::running) << trigger;
    EXPECT_EQ(busy.bench.standing(first).reason, "overtaken by run " + to_text(third));
    EXPECT_EQ(busy.bench.standing(third).status, RunStatus::running);
  }
}

TEST(CancelPrevious, SparesWhatPeopleAndBatchesAskedFor) {
  for (const char* trigger : {"api", "manual", "batch", "webhook", "retry"}) {
    Busy busy(Overlap::cancel_previous);
    busy.watch();
    const auto asked = busy.enter(trigger);
    busy.enter("schedule");
    EXPECT_EQ(busy.bench.standing(asked).status, RunStatus::running) << trigger;
  }
}

TEST(CancelPrevious, SparesSlotsThatAreMadeUpForOneAfterTheOther) {
  Busy busy(Overlap::cancel_previous, {.misfire = Policy::Misfire::all});
  busy.watch();
  const auto now = busy.bench.world().now();
  const auto first = busy.enter("schedule", now - 2h);
  busy.enter("schedule", now - 1h);
  EXPECT_EQ(busy.bench.standing(first).status, RunStatus::running);
  busy.enter("schedule", now);  // in time, it pushes aside what is before it
  EXPECT_EQ(busy.bench.standing(first).status, RunStatus::cancelled);
}

TEST(CancelPrevious, FinishesAfterADeathWhatItBegan) {
  Busy busy(Overlap::cancel_previous);
  const auto first = busy.enter("schedule"),
             second = busy.enter("schedule");  // nobody watches: as if the host had died before it could
  busy.bench.restart();
  busy.watch();
  busy.bench.pass(3s);
  EXPECT_EQ(busy.bench.standing(first).status, RunStatus::cancelled);
  EXPECT_EQ(busy.bench.standing(second).status, RunStatus::running);
}

TEST(CancelPrevious, IsForAgentsThatSaySo) {
  Busy busy(Overlap::queue);
  busy.watch();
  const auto first = busy.enter("schedule");
  busy.enter("schedule");
  EXPECT_EQ(busy.bench.standing(first).status, RunStatus::running);
}

}  // namespace
}  // namespace agentd::host
