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
  using port::LedgerFault;
  for (const auto fault : {LedgerFault::unavailable, LedgerFault::stale, LedgerFault::corrupt, LedgerFault::disk_full})
    for (const bool happened : {false, true}) {
      if (happened && fault != LedgerFault::unavailable) continue;  // of the others the ledger knows that nothing happened
      for (std::size_t n = 3; n <= operations; ++n) {
        SCOPED_TRACE("operation " + std::to_string(n) + " fails with " + std::to_string(static_cast<int>(fault)) + (happened ? ", but happened" : ""));
        Bench bench(everything());
        bench.ledger().fail(n, {fault, happened});
        const auto run = bench.ask();
        bench.until_end(run);
        bench.pass(10s);
        if (fault == LedgerFault::disk_full) expect_sound(bench, run, 0);
        else restart_and_check(bench, run, 1);
      }
    }
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
