// Every place at which a process can die or a ledger can fail, one after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::Effect;
using port::LedgerFault;
using port::RunStatus;

// Two steps with tools of every effect, more calls than places, then an answer.
Scene everything() {
  auto thinking = calls({{"geometry.look", "{}"}, {"geometry.pay", "{}"}, {"geometry.put", "{}"}, {"geometry.pay", R"({"n":2})"}});
  auto checking = calls({{"geometry.book", "{}"}, {"geometry.look", "{}"}});
  auto done = say("done");
  thinking.takes = checking.takes = done.takes = 1s;
  return {.answers = {thinking, checking, done},
          .tools = {{.name = "look", .effect = Effect::pure, .takes = 100ms},
                    {.name = "put", .effect = Effect::idempotent, .takes = 200ms},
                    {.name = "pay", .effect = Effect::once, .takes = 300ms},
                    {.name = "book", .effect = Effect::once, .reconciles = true, .takes = 300ms}},
          .spec = [](auto& spec) {
            spec.limits.parallel_tools = 2;
            spec.limits.max_crashes = 3;
          }};
}

// What must hold however it went.
void expect_sound(Bench& bench, RunId run, std::size_t deaths) {
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::completed) << (end.fault ? end.fault->message : "");
  EXPECT_EQ(end.result, "\"done\"");
  std::map<std::string, int> happened, requests;
  for (const auto& id : bench.toolset().happened) ++happened[id];
  for (const auto& request : bench.provider().requests) ++requests[request.call_id];
  const auto name = to_text(run);
  for (const auto& once : {name + "/1/1", name + "/1/3", name + "/2/0"}) EXPECT_LE(happened[once], 1) << once;
  for (const auto& again : {name + "/1/0", name + "/1/2", name + "/2/1"}) EXPECT_GE(happened[again], 1) << again;
  for (const auto& [id, times] : requests) EXPECT_LE(times, 1 + static_cast<int>(deaths)) << id;
  EXPECT_LE(bench.provider().requests.size(), 3 + deaths);
  EXPECT_EQ(bench.memory().entries.size(), 2) << "remembering twice changes nothing";
  // A call that the journal names may have been paid for, also when the process died before it was sent.
  EXPECT_GE(end.totals.requests, static_cast<std::int64_t>(bench.provider().requests.size()));
  EXPECT_LE(end.totals.requests, static_cast<std::int64_t>(3 + deaths));
}

// No answer is asked for again that the journal holds when the process dies.
void expect_journalled_answers_kept(Bench& bench, RunId run, std::size_t requests_before, const std::set<int>& answered_before) {
  for (std::size_t i = requests_before; i < bench.provider().requests.size(); ++i)
    for (const int step : answered_before) EXPECT_NE(bench.provider().requests[i].call_id, to_text(run) + '/' + std::to_string(step));
}

std::set<int> answered_steps(Bench& bench, RunId run) {
  std::set<int> steps;
  for (const auto& answered : bench.records<event::Answered>(run)) steps.insert(answered.step);
  return steps;
}

void restart_and_check(Bench& bench, RunId run, std::size_t deaths) {
  const auto requests = bench.provider().requests.size();
  const auto answered = answered_steps(bench, run);
  bench.restart();
  expect_sound(bench, run, deaths);
  expect_journalled_answers_kept(bench, run, requests, answered);
}

Async<bool> drained(Worker& worker, Millis timeout) {
  co_await worker.drain(timeout);
  co_return true;
}

TEST(Fault, DeathAtEveryRecord) {
  std::size_t records = 0;
  {
    Bench whole(everything());
    expect_sound(whole, whole.ask(), 0);
    records = whole.store().log.size();
  }
  ASSERT_GT(records, 8);
  for (std::size_t n = 2; n < records; ++n) {
    SCOPED_TRACE("death after record " + std::to_string(n));
    Bench bench(everything());
    bench.ledger().cut_after(n);
    const auto run = bench.ask();
    bench.until_end(run);
    ASSERT_TRUE(bench.ledger().is_cut());
    restart_and_check(bench, run, 1);
  }
}

TEST(Fault, DeathBetweenEveryRequestAndItsAnswer) {
  for (std::size_t n = 1; n <= 3; ++n) {
    SCOPED_TRACE("death after request " + std::to_string(n));
    Bench bench(everything());
    bench.provider().on_request = [&](std::size_t nth) { if (nth == n) bench.die(); };
    const auto run = bench.ask();
    bench.until_end(run);
    bench.pass(5s);
    restart_and_check(bench, run, 1);
    EXPECT_EQ(bench.standing(run).totals.unknown, 1);
  }
}

TEST(Fault, DeathBeforeAndAfterEveryToolDidItsWork) {
  for (const bool after : {false, true})
    for (std::size_t n = 1; n <= 6; ++n) {
      SCOPED_TRACE((after ? "death after the work of call " : "death before the work of call ") + std::to_string(n));
      Bench bench(everything());
      auto& hook = after ? bench.toolset().after_body : bench.toolset().before_body;
      hook = [&](std::size_t nth) { if (nth == n) bench.die(); };
      const auto run = bench.ask();
      bench.until_end(run);
      bench.pass(5s);
      hook = nullptr;
      restart_and_check(bench, run, 1);
    }
}

TEST(Fault, EveryLedgerOperationFails) {
  std::size_t operations = 0;
  {
    Bench whole(everything());
    whole.until_end(whole.ask());
    operations = whole.ledger().operations();
  }
  const std::vector<LedgerFailure> failures = {{LedgerFault::unavailable}, {LedgerFault::disk_full}, {LedgerFault::unknown_outcome, false}, {LedgerFault::unknown_outcome, true}, {LedgerFault::stale}};
  for (const auto& failure : failures)
    for (std::size_t n = 3; n <= operations; ++n) {
      SCOPED_TRACE("operation " + std::to_string(n) + " fails with " + std::to_string(static_cast<int>(failure.fault)) + (failure.happened ? ", but happened" : ""));
      Bench bench(everything());
      bench.ledger().fail(n, failure);
      const auto run = bench.ask();
      bench.until_end(run);
      const bool nothing_happened = failure.fault == LedgerFault::unavailable || failure.fault == LedgerFault::disk_full;
      expect_sound(bench, run, nothing_happened ? 0 : 1);
      for (const auto& line : bench.warnings) EXPECT_TRUE(!nothing_happened || line.contains("claimed")) << "the ledger tells the log itself, and not: " << line;
      bench.pass(10s);
      EXPECT_EQ(bench.worker().in_flight(), 0) << "nothing is left claimed";
      for (const auto& started : bench.records<event::Started>(run)) EXPECT_EQ(started.crashes, 0) << "nobody died";
    }
}

TEST(Fault, ARunWhoseRecordsAreDamagedFailsAndSaysSo) {
  auto busy = say("ok");
  busy.failures = {server_error(1h)};
  Bench bench({.answers = {busy}});
  const auto run = bench.ask();
  bench.pass(1min);
  bench.ledger().damage(run);
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->error_class, ErrorClass::internal);
}

TEST(Fault, AFileThatIsLockedForLongIsWaitedFor) {
  Bench bench(everything());
  bench.provider().on_request = [&](std::size_t nth) { if (nth == 2) bench.ledger().lock(true); };
  const auto run = bench.ask();
  bench.pass(1min);
  const auto before = bench.ledger().operations();
  bench.pass(1h);  // far beyond the attempt's timeout
  EXPECT_LT(bench.ledger().operations() - before, 3600) << "with a pause between one try and the next";
  EXPECT_EQ(bench.worker().in_flight(), 1);
  EXPECT_TRUE(bench.warnings.empty());
  bench.ledger().lock(false);
  expect_sound(bench, run, 0);
}

TEST(Fault, ALockedFileIsWaitedForBeforeARunGoesOn) {
  auto busy = say("ok");
  busy.failures = {server_error(1h)};
  Bench bench({.answers = {busy}});
  const auto run = bench.ask();
  bench.pass(1min);
  bench.ledger().lock(true);
  bench.pass(2h);
  bench.ledger().lock(false);
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
}

TEST(Fault, ALockedFileIsWaitedForBeforeATaskIsGivenItsState) {
  Bench bench({.native = true});
  bench.task().body = [](const port::TaskRun& run) { return port::Outcome{port::Status::ok, R"({"result":)" + run.state + R"(,"state":1})", {}}; };
  bench.run();
  bench.ledger().fail(bench.ledger().operations() + 4, {LedgerFault::unavailable});  // an entry, a claim, the start, the state
  EXPECT_EQ(bench.run().result, "1");
}

TEST(Fault, AFullDiskHoldsTheAnswerUntilThereIsSpace) {
  Bench bench(everything());
  bench.provider().on_request = [&](std::size_t nth) { if (nth == 2) bench.ledger().fill_disk(true); };
  const auto run = bench.ask();
  bench.pass(1h);  // far beyond the attempt's timeout: a run that cannot write is not active
  EXPECT_EQ(bench.provider().requests.size(), 2);
  EXPECT_EQ(bench.worker().in_flight(), 1);
  bench.ledger().fill_disk(false);
  expect_sound(bench, run, 0);
}

TEST(Fault, APoisonousRunIsQuarantined) {
  Bench bench(everything());
  const auto run = bench.ask();
  for (int deaths = 0; deaths < 3; ++deaths) {
    bench.pass(100ms);
    bench.restart();
  }
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::quarantined);
  EXPECT_EQ(end.fault->error_class, ErrorClass::crash);
}

// Why a run has stopped is one thing, that its process ends another.
TEST(Fault, DrainEndsAWaitForSpaceWhateverStoppedTheRunBefore) {
  enum class Before { nothing, timeout, cancel };
  for (const auto before : {Before::nothing, Before::timeout, Before::cancel}) {
    SCOPED_TRACE(static_cast<int>(before));
    Scene scene = everything();
    scene.answers[1].takes = 1h;
    scene.spec = [](auto& spec) { spec.task.timeout = 10s; };
    Bench bench(std::move(scene));
    const auto run = bench.ask();
    bench.pass(5s);
    bench.ledger().fill_disk(true);
    if (before == Before::cancel) bench.world().run(bench.worker().cancel(run, "by hand"));
    if (before != Before::nothing) bench.pass(1min);
    const auto asked = bench.world().tick();
    bench.world().run(drained(bench.worker(), 25s));
    EXPECT_LE(bench.world().tick() - asked, 25s);
    EXPECT_EQ(bench.worker().in_flight(), 0);
    bench.ledger().fill_disk(false);
    bench.provider().turns[1].takes = 1s;
    bench.restart();
    EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
    EXPECT_EQ(bench.records<event::Started>(run).back().crashes, 0) << "the process ended in peace";
  }
}

TEST(Fault, ADeathBeforeTheFirstRecordIsACrashToo) {
  Bench bench(everything());
  bench.memory().on_read = [&] { bench.die(); };
  const auto run = bench.ask();
  for (int deaths = 0; deaths < 3; ++deaths) {
    bench.pass(1s);
    ASSERT_TRUE(bench.ledger().is_cut());
    EXPECT_EQ(bench.kinds(run), "0");
    bench.restart();
  }
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::quarantined);
  EXPECT_EQ(end.fault->error_class, ErrorClass::crash);
  EXPECT_FALSE(bench.ledger().is_cut());
}

TEST(Fault, AWaitIsNoCrash) {
  auto busy = say("ok");
  busy.failures = {server_error(1h)};
  Bench bench({.answers = {busy}});
  const auto run = bench.ask();
  bench.pass(1min);
  for (int i = 0; i < 5; ++i) bench.restart();
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::completed);
  EXPECT_EQ(bench.records<event::Started>(run).back().crashes, 0);
}

TEST(Fault, TheRebuiltConversationHasTheSameBytes) {
  std::vector<std::string> whole;
  {
    Bench bench(everything());
    bench.run();
    whole = bench.provider().requests.back().messages;
  }
  Bench bench(everything());
  bench.provider().on_request = [&](std::size_t nth) { if (nth == 3) bench.die(); };
  const auto run = bench.ask();
  bench.until_end(run);
  bench.restart();
  bench.until_end(run);
  EXPECT_EQ(bench.provider().requests.back().messages, whole);
}

}  // namespace
}  // namespace agentd::run
