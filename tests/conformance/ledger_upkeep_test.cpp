// What every ledger promises of removing what is old: whole runs, nothing that is still needed, and nothing else changes.
#include <algorithm>

#include "core/plugin/ledger_files.hpp"
#include "tests/conformance/ledger_fixture.hpp"

namespace agentd::conformance {
namespace {

class LedgerUpkeepSuite : public LedgerSuite {
 protected:
  LedgerUpkeepSuite() : LedgerSuite(memory_disk()) {}
  Prune older_than(Millis age, std::size_t most = 256) { return {.before = ledger().world().now() - age, .most = most}; }
  // A whole sweep.
  Pruned prune(Prune what) {
    Pruned all;
    for (bool more = true; more;) {
      const auto step = ledger().get(ledger().upkeep().prune(what));
      all.runs += step.runs, all.records += step.records, more = step.more;
    }
    return all;
  }
  Pruned prune(Millis age) { return prune(older_than(age)); }
  std::string forget(RunId run) {
    const auto done = ledger().run(ledger().upkeep().forget(run));
    return done ? "done" : done.error().fault == LedgerFault::stale ? "it lives" : done.error().fault == LedgerFault::not_found ? "not found" : done.error().message;
  }
  RunId ended(const std::string& agent = "a", RunStatus status = RunStatus::completed, int steps = 1) {
    const auto run = ledger().enter(agent);
    const auto claim = ledger().claim_one();
    EXPECT_EQ(claim.run, run);
    for (int i = 1; i < steps; ++i) ledger().commit(ledger().step(claim, "\"" + std::string(1000, 'x') + "\""));
    ledger().finish(claim, status, status == RunStatus::completed ? "" : "broken");
    return run;
  }
  void pass(Millis time) { ledger().world().jump(time); }
  std::vector<Position> listed(const std::string& agent = "a") {
    std::vector<Position> positions;
    for (const auto& row : ledger().get(ledger()->list({.agent_id = agent}))) positions.push_back(row.run.position);
    return positions;
  }
  // Each of two model calls and a tool call, all in two groups.
  void run_many(int count) {
    std::vector<Entry> entries;
    for (int i = 0; i < count; ++i) {
      entries.push_back(ledger().entry("a"));
      entries.back().payload = "\"" + std::string(2'000, 'x') + "\"";
      entries.back().max_concurrent = 1000;
    }
    ledger().get(ledger()->enqueue(std::move(entries)));
    std::vector<Async<LedgerResult<Position>>> ends;
    for (const auto& claim : ledger().claim()) {
      auto end = ledger().step(claim, "\"" + std::string(6'000, 'y') + "\"", RunStatus::completed);
      end.records.resize(3, end.records.front());
      ends.push_back(ledger()->commit(std::move(end)));
    }
    EXPECT_EQ(ledger().together(std::move(ends)).size(), static_cast<std::size_t>(count));
  }
  // What a look at every row finds.
  std::vector<std::string> faults() {
    const auto& kind = GetParam();
    auto& library = library_of(kind.file);
    auto files = plugin::ledger_files({&library, library.component(plugin::Kind::ledger, kind.component)}, kind.settings(folder_.path()));
    std::vector<std::string> found;
    for (const auto& one : (*files)->check().found) found.push_back(std::to_string(one.position) + " " + one.text);
    return found;
  }
  bool is_there(RunId run) { return ledger().run(ledger()->load(run)).has_value(); }
};
INSTANTIATE_TEST_SUITE_P(Ledgers, LedgerUpkeepSuite, testing::ValuesIn(ledger_kinds()), [](const auto& info) { return std::string(info.param.name); });

using Positions = std::vector<Position>;
using Faults = std::vector<std::string>;
constexpr Millis kHour{3'600'000};

TEST_P(LedgerUpkeepSuite, EndedRunsGoWholeAndWhatIsYoungerStays) {
  const auto old = ended("a", RunStatus::failed, 5);
  ledger().commit({.records = {{20, "{}"}}});
  pass(kHour);
  const auto young = ended();
  const auto removed = prune(kHour / 2);
  EXPECT_EQ(removed.runs, 1);
  EXPECT_EQ(removed.records, 1);
  EXPECT_FALSE(is_there(old));
  EXPECT_TRUE(is_there(young));
  EXPECT_EQ(listed(), Positions{young.position});
  const auto events = ledger().events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].position, young.position);
  EXPECT_EQ(faults(), Faults());
  EXPECT_EQ(prune(kHour / 2).runs, 0);
}

TEST_P(LedgerUpkeepSuite, ARunCountsFromItsEnd) {
  ledger().enter("a");
  const auto claim = ledger().claim_one();
  pass(kHour * 10);
  ledger().finish(claim);
  EXPECT_EQ(prune(kHour).runs, 0);
  pass(kHour * 2);
  EXPECT_EQ(prune(kHour).runs, 1);
}

TEST_P(LedgerUpkeepSuite, WhatLivesOrWaitsForAPersonStays) {
  for (const char* agent : {"queued", "running", "waiting", "quarantined", "given back"}) serve(agent);
  const auto waiting = ledger().enter("waiting");
  auto parked = ledger().step(ledger().claim_one(), "{}", RunStatus::waiting);
  parked.due_at = ledger().world().now() + kHour * 1000;
  ledger().commit(std::move(parked));
  const auto quarantined = ended("quarantined", RunStatus::quarantined);
  const auto running = ledger().enter("running");
  const auto claim = ledger().claim_one();
  ledger().commit(ledger().step(claim));
  const auto given_back = ledger().enter("given back");
  ledger().commit(ledger().step(ledger().claim_one(), "{}", RunStatus::queued));
  const auto queued = ledger().enter("queued");
  pass(kHour * 100);
  const auto before = ledger().events().size();
  EXPECT_EQ(prune(kHour).runs, 0);
  for (const auto run : {waiting, quarantined, running, given_back, queued}) EXPECT_TRUE(is_there(run)) << run.position;
  EXPECT_EQ(ledger().events().size(), before);
  ledger().finish(claim);
  reopen();
  EXPECT_EQ(ledger()->queued("queued"), 1u);
  EXPECT_EQ(faults(), Faults());
}

TEST_P(LedgerUpkeepSuite, CountsAndAccountsStayAsTheyWere) {
  ended("a", RunStatus::failed);
  ledger().enter("a");
  const auto claim = ledger().claim_one();
  auto step = ledger().step(claim);
  step.raises = {{"host", 5, {3, 3}}, {"host", 4, {2, 2}}};
  ledger().commit(std::move(step));
  ledger().finish(claim, RunStatus::failed, "broken");
  pass(kHour);
  auto what = older_than(Millis(1));
  what.window_before = 5;
  EXPECT_EQ(prune(what).runs, 2);
  for (int i = 0; i < 2; ++i) {
    const auto stats = ledger()->stats("a");
    EXPECT_EQ(stats.run_count, 2);
    EXPECT_EQ(stats.error_count, 2);
    EXPECT_EQ(stats.consecutive_failures, 2);
    EXPECT_EQ(stats.last_error, "broken");
    EXPECT_EQ(ledger()->account("host", 5).raised, (Spend{3, 3}));
    reopen();
  }
  EXPECT_EQ(ledger()->account("host", 4).raised, Spend());
}

TEST_P(LedgerUpkeepSuite, AnAgentsListGoesOnOverWhatWasRemoved) {
  serve("b");
  Positions kept;
  for (int i = 0; i < 6; ++i) {
    if (i % 2 == 0) kept.insert(kept.begin(), ended("a", RunStatus::quarantined).position);
    for (int j = 0; j < 3; ++j) ended();
    ended("b");
  }
  pass(kHour);
  const auto young = ended();
  EXPECT_EQ(prune(kHour / 2).runs, 24);
  kept.insert(kept.begin(), young.position);
  EXPECT_EQ(listed(), kept);
  EXPECT_EQ(listed("b"), Positions());
  EXPECT_EQ(ledger().get(ledger()->list({})).size(), 4u);
  EXPECT_EQ(faults(), Faults());
  for (int i = 0; i < 5; ++i) {  // what is left of runs does not gather
    ended();
    pass(kHour);
    prune(kHour / 2);
    EXPECT_EQ(faults(), Faults());
  }
  reopen();
  EXPECT_EQ(listed().size(), 3u);
  EXPECT_EQ(ledger().claim().size(), 0u);
  for (const auto position : kept)
    for (const auto& row : ledger().get(ledger()->list({})))
      if (row.run.position == position) EXPECT_EQ(forget(row.run), "done");
  EXPECT_EQ(listed(), Positions());
  EXPECT_EQ(faults(), Faults());
}

TEST_P(LedgerUpkeepSuite, AKeyIsFreeAgainWithItsRun) {
  const auto first = ledger().enter("a", "key");
  ledger().finish(ledger().claim_one());
  EXPECT_EQ(ledger().enter(ledger().entry("a", "key")).kind, Admission::Kind::duplicate);
  pass(kHour);
  prune(Millis(1));
  const auto again = ledger().enter(ledger().entry("a", "key"));
  EXPECT_EQ(again.kind, Admission::Kind::accepted);
  EXPECT_NE(again.run, first);
}

TEST_P(LedgerUpkeepSuite, WhatAnEventStoreHasNotCopiedStays) {
  ended();
  const auto upto = ledger()->last_position();
  const auto later = ended();
  ledger().commit({.records = {{20, "{}"}}});
  pass(kHour);
  auto what = older_than(Millis(1));
  what.upto = upto;
  const auto removed = prune(what);
  EXPECT_EQ(removed.runs, 1);
  EXPECT_EQ(removed.records, 0);
  EXPECT_EQ(listed(), Positions{later.position});
}

TEST_P(LedgerUpkeepSuite, WhatAClockThatWasAheadWroteHoldsNothingElseBack) {
  constexpr Millis kAhead = kHour * 24 * 3650;
  const auto host_record = [&] { ledger().commit({.records = {{20, "{}"}}}); };
  const auto before = ended();
  host_record();
  pass(kAhead);
  RunId ahead;
  for (int i = 0; i < 100; ++i) ahead = ended(), host_record();
  reopen();  // a world begins where the last one did
  const auto after = ended();
  host_record();
  pass(kHour * 2);
  const auto young = ended();
  host_record();
  const auto what = older_than(kHour, 7);
  std::int64_t runs = 0, records = 0;
  for (bool more = true; more;) {
    const auto step = ledger().get(ledger().upkeep().prune(what));
    runs += step.runs, records += step.records, more = step.more;
  }
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(records, 2);
  EXPECT_FALSE(is_there(before) || is_there(after));
  EXPECT_TRUE(is_there(ahead) && is_there(young));
  EXPECT_EQ(faults(), Faults());
}

TEST_P(LedgerUpkeepSuite, EachStepIsSmallAndALongRunTakesSeveral) {
  const auto run = ended("a", RunStatus::completed, 40);
  pass(kHour);
  const auto what = older_than(Millis(1), 5);
  int steps = 0;
  std::int64_t runs = 0;
  for (bool more = true; more; ++steps) {
    const auto step = ledger().get(ledger().upkeep().prune(what));
    runs += step.runs, more = step.more;
    EXPECT_EQ(faults(), Faults()) << "after step " << steps;
    EXPECT_FALSE(is_there(run)) << "it is gone with the first of its records";
    EXPECT_TRUE(ledger().events().empty()) << "or half of it would be shown";
    if (steps == 3) reopen();
  }
  EXPECT_GE(steps, 8);
  EXPECT_EQ(runs, 1);
}

TEST_P(LedgerUpkeepSuite, NoPositionIsGivenAgain) {
  ended();
  const auto newest = ended();
  const auto last = ledger()->last_position();
  EXPECT_EQ(forget(newest), "done");
  pass(kHour);
  prune(Millis(1));
  EXPECT_TRUE(ledger().events().empty());
  reopen();
  EXPECT_EQ(ledger()->last_position(), last);
  EXPECT_EQ(ledger().enter("a").position, last + 1);
  EXPECT_EQ(faults(), Faults());
}

TEST_P(LedgerUpkeepSuite, ARunIsForgottenOnceItHasEnded) {
  const auto before = ended();
  const auto run = ledger().enter("a", "key");
  EXPECT_EQ(forget(run), "it lives");
  const auto claim = ledger().claim_one();
  EXPECT_EQ(forget(run), "it lives");
  for (int i = 0; i < 3000; i += 100) {
    auto step = ledger().step(claim);
    step.records.resize(100, step.records.front());
    ledger().commit(std::move(step));
  }
  ledger().finish(claim);
  const auto after = ended();
  EXPECT_EQ(forget({run.position, run.nonce + 1}), "not found");
  EXPECT_EQ(forget(run), "done");
  EXPECT_EQ(forget(run), "not found");
  EXPECT_FALSE(is_there(run));
  EXPECT_EQ(listed(), (Positions{after.position, before.position}));
  for (const auto& event : ledger().events()) EXPECT_NE(event.run.position, run.position);
  EXPECT_EQ(ledger()->stats("a").run_count, 3);
  EXPECT_EQ(faults(), Faults());
  EXPECT_EQ(ledger().enter(ledger().entry("a", "key")).kind, Admission::Kind::accepted);
}

class EmbeddedUpkeep : public LedgerUpkeepSuite {};
INSTANTIATE_TEST_SUITE_P(Ledgers, EmbeddedUpkeep, testing::ValuesIn(embedded_ledger_kinds()), [](const auto& info) { return std::string(info.param.name); });

TEST_P(EmbeddedUpkeep, OverMonthsTheFileStaysAsLargeAsAMonth) {
  const auto size = [&] { return std::filesystem::file_size(folder_.path() / "ledger.db"); };
  std::uintmax_t after_two_months = 0;
  for (int day = 1; day <= 180; ++day) {
    run_many(20);
    pass(Millis(std::chrono::days(1)));
    prune(Millis(std::chrono::days(30)));
    if (day == 60) after_two_months = size();
  }
  EXPECT_LT(size(), after_two_months * 5 / 4);
  EXPECT_EQ(faults(), Faults());
  pass(Millis(std::chrono::days(90)));
  EXPECT_EQ(prune(Millis(std::chrono::days(30))).runs, 600);
  reopen();
  EXPECT_LT(size(), after_two_months / 2) << "what is free is given back to the disk, but for what is worth keeping";
  EXPECT_EQ(ledger()->stats("a").run_count, 3600);
}

}  // namespace
}  // namespace agentd::conformance
