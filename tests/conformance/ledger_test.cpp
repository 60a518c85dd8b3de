// What every ledger promises. Run over each implementation through its shared object.
#include "tests/conformance/ledger_fixture.hpp"

namespace agentd::conformance {
namespace {

INSTANTIATE_TEST_SUITE_P(Ledgers, LedgerSuite, testing::ValuesIn(ledger_kinds()), [](const auto& info) { return std::string(info.param.name); });

using Kind = Admission::Kind;

Entry with(Entry e, Overlap overlap) {
  e.overlap = overlap;
  return e;
}
Entry wide(Entry e, std::uint32_t max_concurrent = 100) {
  e.max_concurrent = max_concurrent;
  e.queue_size = 10'000;
  return e;
}
std::vector<Position> positions(const std::vector<StoredRecord>& records) {
  std::vector<Position> all;
  for (const auto& r : records) all.push_back(r.position);
  return all;
}
std::vector<Position> up_to(Position last) {
  std::vector<Position> all;
  for (Position p = 1; p <= last; ++p) all.push_back(p);
  return all;
}
std::vector<RunId> runs(const std::vector<Claim>& claims) {
  std::vector<RunId> all;
  for (const auto& c : claims) all.push_back(c.run);
  return all;
}

// ---- positions

TEST_P(LedgerSuite, PositionsHaveNoGapsOverEntriesAndRecordsTogether) {
  auto& l = ledger();
  l.enter("a");
  const auto claim = l.claim_one();
  EXPECT_EQ(l.commit(l.step(claim)), 2);
  l.enter("a");
  l.finish(claim);

  EXPECT_EQ(positions(l.events()), up_to(4));
  EXPECT_EQ(l->last_position(), 4);
}

TEST_P(LedgerSuite, ARunIsNamedByThePositionOfItsEntry) {
  auto& l = ledger();
  l.enter("a");
  EXPECT_EQ(l.enter("a").position, 2);
  EXPECT_EQ(l.events()[1].run.position, 2);
  EXPECT_EQ(l.events()[1].kind, 0);
}

TEST_P(LedgerSuite, WhatIsFedIsWhatIsReadBack) {
  auto& l = ledger();
  l.enter("a", "k");
  l.finish(l.claim_one(), RunStatus::failed, "why");
  Transition host;
  host.records = {{7, "\"host\""}};
  l.commit(host);
  host.agent_id = "b";
  l.commit(host);

  const auto read = l.events();
  ASSERT_EQ(read.size(), l.fed().size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].position, l.fed()[i].position);
    EXPECT_EQ(read[i].run, l.fed()[i].run);
    EXPECT_EQ(read[i].agent_id, l.fed()[i].agent_id);
    EXPECT_EQ(read[i].kind, l.fed()[i].kind);
    EXPECT_EQ(read[i].status, l.fed()[i].status);
    EXPECT_EQ(read[i].at, l.fed()[i].at);
    EXPECT_EQ(read[i].payload, l.fed()[i].payload);
  }
  EXPECT_EQ(read[2].agent_id, "");
  EXPECT_EQ(read[3].agent_id, "b");
  EXPECT_FALSE(read[3].run);
}

TEST_P(LedgerSuite, EventsComeInPages) {
  auto& l = ledger();
  for (int i = 0; i < 5; ++i) l.enter(wide(l.entry("a")));
  EXPECT_EQ(positions(l.get(l->events_after(1, 3))), (std::vector<Position>{2, 3, 4}));
  EXPECT_TRUE(l.get(l->events_after(5, 3)).empty());
}

TEST_P(LedgerSuite, ContentComesBackByteForByte) {
  auto& l = ledger();
  auto e = l.entry("a", std::string("k\0k", 3));
  e.payload = std::string("\0\xff{\"x\":\"\xf0\x9f\x8c\x8d\"}", 14) + std::string(100'000, 'x');
  const auto payload = e.payload;
  const auto run = l.enter(std::move(e)).run;
  const auto read = l.get(l->load(run));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].payload, payload);
}

// ---- keys

TEST_P(LedgerSuite, ADuplicateKeyGivesTheFirstRun) {
  auto& l = ledger();
  const auto first = l.enter("a", "slot");
  auto again = l.enter(l.entry("a", "slot"));
  EXPECT_EQ(again.kind, Kind::duplicate);
  EXPECT_EQ(again.run, first);
  l.finish(l.claim_one());
  EXPECT_EQ(l.enter(l.entry("a", "slot")).run, first);
  reopen();
  again = ledger().enter(ledger().entry("a", "slot"));
  EXPECT_EQ(again.kind, Kind::duplicate);
  EXPECT_EQ(again.run, first);
  EXPECT_EQ(positions(ledger().events()), up_to(2));
}

TEST_P(LedgerSuite, ADuplicateInOneCallGivesTheFirstOfThem) {
  auto& l = ledger();
  const auto got = l.get(l->enqueue({l.entry("a", "k"), l.entry("a", "k"), l.entry("b", "k")}));
  EXPECT_EQ(got[0].kind, Kind::accepted);
  EXPECT_EQ(got[1].kind, Kind::duplicate);
  EXPECT_EQ(got[1].run, got[0].run);
  EXPECT_EQ(got[2].kind, Kind::accepted);
}

TEST_P(LedgerSuite, ADuplicateIsNoSkippedRun) {
  auto& l = ledger();
  const auto first = l.enter("a", "slot");
  const auto again = l.enter(with(l.entry("a", "slot"), Overlap::skip));
  EXPECT_EQ(again.kind, Kind::duplicate);
  EXPECT_EQ(again.run, first);
  auto silent = with(l.entry("a", "slot"), Overlap::skip);
  silent.leaves_record = false;
  EXPECT_EQ(l.enter(silent).kind, Kind::duplicate);
  EXPECT_EQ(l->last_position(), 1);
}

TEST_P(LedgerSuite, RunsWithoutAKeyAreNoDuplicates) {
  auto& l = ledger();
  EXPECT_EQ(l.enter(l.entry("a")).kind, Kind::accepted);
  EXPECT_EQ(l.enter(l.entry("a")).kind, Kind::accepted);
}

// ---- overlap and bounds

TEST_P(LedgerSuite, SkipLeavesARecordOfTheRunThatDidNotHappen) {
  auto& l = ledger();
  l.enter("a");
  const auto skipped = l.enter(with(l.entry("a", "k"), Overlap::skip));
  EXPECT_EQ(skipped.kind, Kind::skipped);
  const auto rows = l.get(l->list({"a", RunStatus::skipped}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].run, skipped.run);
  EXPECT_EQ(l.events()[1].status, RunStatus::skipped);
  EXPECT_EQ(l.claim().size(), 1u);
}

TEST_P(LedgerSuite, SkipSeesRunsOfTheSameCallThatRunAndThatWait) {
  auto& l = ledger();
  const auto batch = l.get(l->enqueue({with(l.entry("a"), Overlap::skip), with(l.entry("a"), Overlap::skip)}));
  EXPECT_EQ(batch[0].kind, Kind::accepted);
  EXPECT_EQ(batch[1].kind, Kind::skipped);
  const auto claim = l.claim_one();
  EXPECT_EQ(l.enter(with(l.entry("a"), Overlap::skip)).kind, Kind::skipped);
  auto park = l.step(claim, "{}", RunStatus::waiting);
  park.due_at = l.world().now() + Millis(1000);
  l.commit(park);
  EXPECT_EQ(l.enter(with(l.entry("a"), Overlap::skip)).kind, Kind::skipped);
  l.world().advance(Millis(1000));
  l.finish(l.claim_one());
  EXPECT_EQ(l.enter(with(l.entry("a"), Overlap::skip)).kind, Kind::accepted);
}

TEST_P(LedgerSuite, CancelPreviousNamesEveryLiveRun) {
  auto& l = ledger();
  const auto one = l.enter("a"), two = l.enter("a");
  l.claim_one();
  const auto third = l.enter(with(l.entry("a"), Overlap::cancel_previous));
  EXPECT_EQ(third.kind, Kind::accepted);
  EXPECT_EQ(third.cancel, (std::vector<RunId>{one, two}));
}

TEST_P(LedgerSuite, AQueuedRunIsEndedWithGenerationZero) {
  auto& l = ledger();
  const auto run = l.enter("a");
  Transition cancel;
  cancel.run = run;
  cancel.records = {{9, "{}"}};
  cancel.next = RunStatus::cancelled;
  l.commit(cancel);
  EXPECT_TRUE(l.claim().empty());
  EXPECT_EQ(l->queued("a"), 0u);
  EXPECT_EQ(l->stats("a").run_count, 0);  // it never started
}

TEST_P(LedgerSuite, AFullQueueRefuses) {
  auto& l = ledger();
  auto e = l.entry("a");
  e.queue_size = 2;
  l.enter(e), l.enter(e);
  const auto refused = l.enter(e);
  EXPECT_EQ(refused.kind, Kind::full);
  EXPECT_EQ(l.get(l->list({"a", RunStatus::dropped})).size(), 1u);
  e.leaves_record = false;
  const auto silent = l.enter(e);
  EXPECT_EQ(silent.kind, Kind::full);
  EXPECT_FALSE(silent.run);
  EXPECT_EQ(l->last_position(), 3);
  l.claim_one();  // what is in flight is not in the queue
  EXPECT_EQ(l.enter(e).kind, Kind::accepted);
}

// Or they would gather without end where more comes in than a budget lets through.
TEST_P(LedgerSuite, RunsThatWaitHaveTheirPlaceInTheQueue) {
  auto e = ledger().entry("a");
  e.queue_size = 1;
  const auto run = ledger().enter(e).run;
  auto park = ledger().step(ledger().claim_one(), "{}", RunStatus::waiting);
  park.due_at = ledger().world().now() + Millis(1000);
  ledger().commit(park);
  EXPECT_EQ(ledger()->queued("a"), 0u);
  EXPECT_EQ(ledger().enter(e).kind, Kind::full);
  reopen();
  EXPECT_EQ(ledger().enter(e).kind, Kind::full);
  Transition cancel;
  cancel.run = run;
  cancel.records = {{9, "{}"}};
  cancel.next = RunStatus::cancelled;
  ledger().commit(cancel);
  EXPECT_EQ(ledger().enter(e).kind, Kind::accepted);
}

TEST_P(LedgerSuite, ASlotThatGaveNoRunIsKept) {
  auto& l = ledger();
  auto missed = l.entry("a", "m");
  missed.status = RunStatus::missed;
  EXPECT_EQ(l.enter(missed).kind, Kind::accepted);
  EXPECT_TRUE(l.claim().empty());
  EXPECT_EQ(l.events()[0].status, RunStatus::missed);
}

// ---- claims

TEST_P(LedgerSuite, ClaimsGoRoundOverAgentsAndInOrderWithinOne) {
  auto& l = ledger();
  serve("b");
  std::vector<RunId> a, b;
  for (int i = 0; i < 2; ++i) a.push_back(l.enter(wide(l.entry("a"))).run);
  for (int i = 0; i < 2; ++i) b.push_back(l.enter(wide(l.entry("b"))).run);
  EXPECT_EQ(runs(l.claim(3)), (std::vector<RunId>{a[0], b[0], a[1]}));
  EXPECT_EQ(runs(l.claim()), (std::vector<RunId>{b[1]}));
  EXPECT_EQ(l->running("a"), 2u);
}

TEST_P(LedgerSuite, NoMoreAtOnceThanMaxConcurrent) {
  auto& l = ledger();
  for (int i = 0; i < 3; ++i) l.enter(wide(l.entry("a"), 2));
  auto claims = l.claim();
  EXPECT_EQ(claims.size(), 2u);
  EXPECT_TRUE(l.claim().empty());
  l.finish(claims[0]);
  EXPECT_EQ(l.claim().size(), 1u);
}

TEST_P(LedgerSuite, NothingIsClaimedBeforeItIsDue) {
  auto& l = ledger();
  auto e = l.entry("a");
  e.due_at = l.world().now() + Millis(500);
  l.enter(e);
  const auto early = l.get(l->claim(1));
  EXPECT_TRUE(early.runs.empty());
  EXPECT_EQ(early.next_due, e.due_at);
  l.world().advance(Millis(500));
  EXPECT_EQ(l.claim().size(), 1u);
  EXPECT_EQ(l.get(l->claim(1)).next_due, std::nullopt);
}

TEST_P(LedgerSuite, OnlyServedAgentsAreClaimed) {
  auto& l = ledger();
  l.enter("b");
  EXPECT_TRUE(l.claim().empty());
  serve("b");
  EXPECT_EQ(l.claim().size(), 1u);
  l->serve("b", false);
  l.enter(wide(l.entry("b")));
  EXPECT_TRUE(l.claim().empty());
}

TEST_P(LedgerSuite, WakesWhenAClaimFindsMoreThanBefore) {
  auto& l = ledger();
  l.enter("a");
  EXPECT_EQ(l.wakes(), 1);
  const auto claim = l.claim_one();
  l.enter("a");
  EXPECT_EQ(l.wakes(), 1);  // no room for it
  l.commit(l.step(claim));
  EXPECT_EQ(l.wakes(), 1);
  l.finish(claim);
  EXPECT_EQ(l.wakes(), 2);
}

TEST_P(LedgerSuite, AClaimCarriesWhatTheEntrySaid) {
  auto& l = ledger();
  auto e = l.entry("a");
  e.revision = 5;
  const auto run = l.enter(e).run;
  const auto claim = l.claim_one();
  EXPECT_EQ(claim.run, run);
  EXPECT_EQ(claim.agent_id, "a");
  EXPECT_EQ(claim.revision, 5);
  EXPECT_EQ(claim.payload, e.payload);
  EXPECT_FALSE(claim.has_records);
}

// ---- fencing

TEST_P(LedgerSuite, AStaleGenerationRefusesItsTransitionAlone) {
  auto& l = ledger();
  l.enter(wide(l.entry("a"))), l.enter(wide(l.entry("a")));
  auto claims = l.claim();
  auto stale = l.step(claims[0]);
  stale.generation += 1000;
  std::vector<Async<LedgerResult<Position>>> both;
  both.push_back(l->commit(stale));
  both.push_back(l->commit(l.step(claims[1])));
  both.push_back(l->commit(l.step(claims[0])));
  const auto results = l.together(std::move(both));
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().fault, LedgerFault::stale);
  EXPECT_EQ(results[1].value(), 3);
  EXPECT_EQ(results[2].value(), 4);
  EXPECT_EQ(positions(l.events()), up_to(4));
}

TEST_P(LedgerSuite, AnEndedRunTakesNothingMore) {
  auto& l = ledger();
  l.enter("a");
  const auto claim = l.claim_one();
  std::vector<Async<LedgerResult<Position>>> both;
  both.push_back(l->commit(l.step(claim, "{}", RunStatus::completed)));
  both.push_back(l->commit(l.step(claim)));
  const auto results = l.together(std::move(both));
  EXPECT_TRUE(results[0]);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().fault, LedgerFault::stale);
}

TEST_P(LedgerSuite, WhoGaveARunBackHoldsItNoMore) {
  auto& l = ledger();
  l.enter("a");
  const auto first = l.claim_one();
  auto back = l.step(first, "{}", RunStatus::queued);
  back.due_at = l.world().now();
  l.commit(back);
  const auto second = l.claim_one();
  EXPECT_GT(second.generation, first.generation);
  EXPECT_TRUE(second.has_records);
  EXPECT_EQ(l.run(l->commit(l.step(first))).error().fault, LedgerFault::stale);
  EXPECT_TRUE(l.run(l->commit(l.step(second))));
}

TEST_P(LedgerSuite, AnAbandonedRunIsClaimedAgainAtAHigherGeneration) {
  auto& l = ledger();
  l.enter("a");
  const auto lost = l.claim_one();
  l.commit(l.step(lost));
  const int wakes = l.wakes();
  l->abandon(lost.run, lost.generation + 1);
  l->abandon({lost.run.position, lost.run.nonce + 1}, lost.generation);
  EXPECT_TRUE(l.claim().empty()) << "nobody else gives it up";
  l->abandon(lost.run, lost.generation);
  l.world().settle();
  EXPECT_EQ(l.wakes(), wakes + 1);
  EXPECT_EQ(l.run(l->commit(l.step(lost))).error().fault, LedgerFault::stale);
  const auto found = l.claim_one();
  EXPECT_EQ(found.run, lost.run);
  EXPECT_GT(found.generation, lost.generation);
  EXPECT_TRUE(found.has_records);
  EXPECT_EQ(found.deaths, 0);
  EXPECT_EQ(l->running("a"), 1u);
  l->abandon(lost.run, lost.generation);  // says what it knew
  l.finish(found);
  l->abandon(found.run, found.generation);
  EXPECT_TRUE(l.claim().empty());
}

TEST_P(LedgerSuite, AWaitingRunHoldsNoPlaceAndComesBackWhenDue) {
  auto& l = ledger();
  l.enter("a");
  auto park = l.step(l.claim_one(), "{}", RunStatus::waiting);
  park.due_at = l.world().now() + Millis(60'000);
  l.commit(park);
  EXPECT_EQ(l->running("a"), 0u);
  EXPECT_EQ(l->queued("a"), 0u);
  EXPECT_EQ(l.get(l->list({"a", RunStatus::waiting})).size(), 1u);
  EXPECT_TRUE(l.claim().empty());
  l.world().advance(Millis(60'000));
  EXPECT_TRUE(l.claim_one().has_records);
}

TEST_P(LedgerSuite, FollowUpsStartWithTheirTransition) {
  auto& l = ledger();
  serve("b");
  l.enter("a");
  auto end = l.step(l.claim_one(), "{}", RunStatus::completed);
  end.follow_ups = {l.entry("b"), with(l.entry("a"), Overlap::skip)};
  l.commit(end);
  EXPECT_EQ(l.claim().size(), 2u);  // the run that ended is no overlap any more
}

TEST_P(LedgerSuite, FollowUpsComeInWithTheStateOfSomethingThatIsNoRun) {
  auto& l = ledger();
  Transition both{.agent_id = "a/inbox", .records = {}, .follow_ups = {l.entry("a", "file:1"), l.entry("a", "file:1")}, .agent_state = R"({"f":1})"};
  l.get(l->commit(both));
  EXPECT_EQ(l.fed().size(), 1u);  // a key is a key
  both.agent_state = R"({"f":2})";
  l.get(l->commit(both));
  EXPECT_EQ(l.fed().size(), 1u);
  reopen();
  EXPECT_EQ(ledger().get(ledger()->agent_state("a/inbox")), R"({"f":2})");
  EXPECT_EQ(ledger().get(ledger()->agent_state("a")), "null");
  EXPECT_EQ(ledger().get(ledger()->list({.agent_id = "a"})).size(), 1u);
}

// ---- quarantine

// What a person says to a run whose latest record is known.
Transition review(const Claim& claim, Position latest, std::optional<RunStatus> next) {
  Transition t{.run = claim.run, .next = next, .in_quarantine = latest};
  t.records = {{30, "{\"by\":\"ana\"}"}};
  return t;
}
// Claimed, and ended in quarantine; the position of its end.
std::pair<Claim, Position> quarantined(OpenLedger& l) {
  auto claim = l.claim_one();
  const auto end = l.commit(l.step(claim, "{\"end\":true}", RunStatus::quarantined));
  return {std::move(claim), end};
}

TEST_P(LedgerSuite, ARunInQuarantineGoesBackIntoTheQueueOnce) {
  auto& l = ledger();
  l.enter("a", "k");
  const auto [first, end] = quarantined(l);
  EXPECT_TRUE(l.claim().empty());
  const auto wakes = l.wakes();
  l.commit(review(first, end, RunStatus::queued));
  EXPECT_GT(l.wakes(), wakes);
  EXPECT_EQ(l->queued("a"), 1u);
  EXPECT_EQ(l.run(l->commit(review(first, end, RunStatus::queued))).error().fault, LedgerFault::stale);  // somebody clicked later
  const auto again = l.claim_one();
  EXPECT_EQ(again.run, first.run);
  EXPECT_EQ(again.payload, first.payload);
  EXPECT_GT(again.generation, first.generation);
  EXPECT_TRUE(again.has_records);
  EXPECT_EQ(l.run(l->commit(l.step(first))).error().fault, LedgerFault::stale);
  l.finish(again);
  EXPECT_EQ(l.get(l->load(first.run)).size(), 4u);
  EXPECT_EQ(l.enter(l.entry("a", "k")).kind, Admission::Kind::duplicate);
}

TEST_P(LedgerSuite, WhatIsSaidInQuarantineKeepsARunThereAndIsFenced) {
  auto& l = ledger();
  l.enter("a");
  const auto [claim, end] = quarantined(l);
  const auto edited = l.commit(review(claim, end, {}));
  EXPECT_EQ(l.run(l->commit(review(claim, end, {}))).error().fault, LedgerFault::stale);
  EXPECT_EQ(l.run(l->commit(review(claim, end, RunStatus::queued))).error().fault, LedgerFault::stale);
  const auto rows = l.get(l->list({.agent_id = {}, .status = RunStatus::quarantined}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].last, edited);
  EXPECT_EQ(rows[0].last_kind, 30);
  l.commit(review(claim, edited, RunStatus::queued));
  EXPECT_TRUE(l.get(l->list({.agent_id = {}, .status = RunStatus::quarantined})).empty());
}

TEST_P(LedgerSuite, ARunInQuarantineIsGivenUpForGood) {
  auto& l = ledger();
  l.enter("a", "k");
  const auto [claim, end] = quarantined(l);
  const auto dropped = l.commit(review(claim, end, RunStatus::dropped));
  EXPECT_TRUE(l.get(l->list({.agent_id = {}, .status = RunStatus::quarantined})).empty());
  for (const auto next : {RunStatus::queued, RunStatus::dropped, RunStatus::quarantined})
    EXPECT_EQ(l.run(l->commit(review(claim, dropped, next))).error().fault, LedgerFault::stale);
  EXPECT_EQ(l->stats("a").run_count, 1);
  reopen();
  EXPECT_TRUE(ledger().claim().empty());
  ASSERT_EQ(ledger().get(ledger()->list({.agent_id = "a", .status = RunStatus::dropped})).size(), 1u);
  EXPECT_EQ(ledger().enter(ledger().entry("a", "k")).kind, Admission::Kind::duplicate);
}

TEST_P(LedgerSuite, NoRunComesOutOfAnotherFinalStatus) {
  auto& l = ledger();
  for (const auto status : {RunStatus::completed, RunStatus::failed, RunStatus::timed_out, RunStatus::cancelled}) {
    l.enter("a");
    const auto claim = l.claim_one();
    const auto end = l.commit(l.step(claim, "{}", status));
    EXPECT_EQ(l.run(l->commit(review(claim, end, RunStatus::queued))).error().fault, LedgerFault::stale) << name(status);
    EXPECT_EQ(l.run(l->commit(review(claim, end, {}))).error().fault, LedgerFault::stale) << name(status);
  }
  l.enter("a");
  const auto [claim, end] = quarantined(l);
  for (const auto next : {RunStatus::completed, RunStatus::waiting, RunStatus::cancelled})
    EXPECT_EQ(l.run(l->commit(review(claim, end, next))).error().fault, LedgerFault::stale) << name(next);
  auto plain = review(claim, end, RunStatus::queued);
  plain.in_quarantine = 0;
  EXPECT_EQ(l.run(l->commit(plain)).error().fault, LedgerFault::stale);
  EXPECT_TRUE(l.claim().empty());
}

TEST_P(LedgerSuite, ARunThatCameOutOfQuarantineOutlivesARestartHoweverOldItIs) {
  ledger().enter("a");
  auto [claim, end] = quarantined(ledger());
  for (int i = 0; i < 2; ++i) {  // so that a start looks no further back than to these
    std::vector<Entry> many(1'100, ledger().entry("a"));
    for (auto& entry : many) entry.status = RunStatus::skipped;
    ledger().get(ledger()->enqueue(std::move(many)));
  }
  ledger().commit(review(claim, end, RunStatus::queued));
  reopen();
  const auto again = ledger().claim_one();
  EXPECT_EQ(again.run, claim.run);
  EXPECT_EQ(again.deaths, 0);
}

TEST_P(LedgerSuite, ARunThatCameOutOfQuarantineOutlivesARestartAlsoWhereItsGroupMovesTheMarks) {
  ledger().enter("a");
  const auto [claim, end] = quarantined(ledger());
  auto long_review = review(claim, end, RunStatus::queued);
  long_review.records.resize(1'100, long_review.records.front());
  ledger().commit(std::move(long_review));
  reopen();
  EXPECT_EQ(ledger().claim_one().run, claim.run);
}

TEST_P(LedgerSuite, DeathsAreCountedFromZeroWhenARunComesOutOfQuarantine) {
  ledger().enter("a");
  for (int deaths = 0; deaths < 3; ++deaths) {
    EXPECT_EQ(ledger().claim_one().deaths, deaths);
    reopen();
  }
  const auto [claim, end] = quarantined(ledger());
  EXPECT_EQ(claim.deaths, 3);
  ledger().commit(review(claim, end, RunStatus::queued));
  EXPECT_EQ(ledger().claim_one().deaths, 0);
  reopen();
  EXPECT_EQ(ledger().claim_one().deaths, 1);
}

TEST_P(LedgerSuite, QuarantineIsListedWholeHoweverLongAgoItBegan) {
  auto& l = ledger();
  serve("b");
  l.enter("a");
  const auto [old, end] = quarantined(l);
  std::vector<Entry> many(10'500, l.entry("a"));
  for (auto& entry : many) entry.status = RunStatus::skipped;
  l.get(l->enqueue(std::move(many)));
  l.enter("b");
  const auto [young, later] = quarantined(l);
  const auto runs = [&](RunFilter filter) {
    std::vector<RunId> found;
    for (const auto& row : l.get(l->list(std::move(filter)))) found.push_back(row.run);
    return found;
  };
  const auto status = RunStatus::quarantined;
  EXPECT_EQ(runs({.agent_id = {}, .status = status}), (std::vector{young.run, old.run}));
  EXPECT_EQ(runs({.agent_id = {}, .status = status, .limit = 1}), std::vector{young.run});
  EXPECT_EQ(runs({.agent_id = {}, .status = status, .before = young.run.position}), std::vector{old.run});
  EXPECT_EQ(runs({.agent_id = "a", .status = status}), std::vector{old.run});
  EXPECT_TRUE(runs({.agent_id = "nobody", .status = status}).empty());
}

// ---- restarts

TEST_P(LedgerSuite, AnEpochIsTheLedgersLife) {
  const auto epoch = ledger()->epoch();
  EXPECT_FALSE(epoch.empty());
  reopen();
  EXPECT_EQ(ledger()->epoch(), epoch);
}

TEST_P(LedgerSuite, AReopenedLedgerGoesOnWhereItStopped) {
  const auto run = ledger().enter("a");
  const auto before = ledger().claim_one();
  ledger().commit(ledger().step(before, "\"one\""));
  ledger().commit(ledger().step(before, "\"two\""));
  reopen();

  auto& l = ledger();
  EXPECT_EQ(l->last_position(), 3);
  EXPECT_EQ(l.run(l->commit(l.step(before))).error().fault, LedgerFault::stale);
  const auto after = l.claim_one();
  EXPECT_EQ(after.run, run);
  EXPECT_TRUE(after.has_records);
  EXPECT_GT(after.generation, before.generation);
  const auto records = l.get(l->load(run));
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].kind, 0);
  EXPECT_EQ(records[1].payload, "\"one\"");
  EXPECT_EQ(records[2].payload, "\"two\"");
  EXPECT_EQ(l.commit(l.step(after)), 4);
  EXPECT_EQ(l.get(l->load(run)).size(), 4u);
}

TEST_P(LedgerSuite, EveryStateSurvivesARestart) {
  {
    auto& l = ledger();
    for (int i = 0; i < 4; ++i) l.enter(wide(l.entry("a")));
    const auto claims = l.claim(3);
    l.commit(l.step(claims[0], "{}", RunStatus::completed));
    auto park = l.step(claims[1], "{}", RunStatus::waiting);
    park.due_at = l.world().now() + Millis(1000);
    l.commit(park);
  }
  reopen();
  auto& l = ledger();
  EXPECT_EQ(l->queued("a"), 2u);  // one that was claimed and wrote nothing, one that never was
  EXPECT_EQ(l.get(l->list({"a", RunStatus::waiting})).size(), 1u);
  EXPECT_EQ(l.get(l->list({"a", RunStatus::completed})).size(), 1u);
  EXPECT_EQ(l.claim().size(), 2u);  // max_concurrent is remembered
  l.world().advance(Millis(1000));
  EXPECT_EQ(l.claim().size(), 1u);
}

// ---- deaths

TEST_P(LedgerSuite, EveryClaimThatItsWorkerDiedOverIsADeathWhateverWasWritten) {
  ledger().enter(wide(ledger().entry("a"))), ledger().enter(wide(ledger().entry("a")));
  for (int deaths = 0; deaths < 3; ++deaths) {
    const auto claims = ledger().claim();
    ASSERT_EQ(claims.size(), 2u);
    EXPECT_EQ(claims[0].deaths, deaths);
    EXPECT_EQ(claims[1].deaths, deaths);
    ledger().commit(ledger().step(claims[0]));
    reopen();
  }
  reopen();  // nobody claimed anything
  EXPECT_EQ(ledger().claim_one().deaths, 3);
}

TEST_P(LedgerSuite, NoWorkerDiesOverARunThatItDoesNotHold) {
  auto& l = ledger();
  for (int i = 0; i < 5; ++i) l.enter(wide(l.entry("a")));
  const auto claims = l.claim(4);
  l.commit(l.step(claims[0], "{}", RunStatus::completed));
  for (const auto next : {RunStatus::waiting, RunStatus::queued}) {
    auto back = l.step(claims[next == RunStatus::waiting ? 1 : 2], "{}", next);
    back.due_at = l.world().now();
    l.commit(back);
  }
  l.commit(l.step(claims[3]));
  l->abandon(claims[3].run, claims[3].generation);
  reopen();
  const auto left = ledger().claim();
  ASSERT_EQ(left.size(), 4u);
  for (const auto& claim : left) EXPECT_EQ(claim.deaths, 0) << claim.run.position;
}

TEST_P(LedgerSuite, ARunThatWasWaitingDiesOnlyWithItsNextClaim) {
  auto park = ledger().step((ledger().enter("a"), ledger().claim_one()), "{}", RunStatus::waiting);
  park.due_at = ledger().world().now() + Millis(1000);
  ledger().commit(park);
  reopen();
  ledger().world().advance(Millis(1000));
  EXPECT_EQ(ledger().claim_one().deaths, 0);
  reopen();
  ledger().world().advance(Millis(1000));
  EXPECT_EQ(ledger().claim_one().deaths, 1);
}

// ---- a clock that is set

TEST_P(LedgerSuite, NothingWaitsForLongerBecauseTheClockWasSetBack) {
  auto& l = ledger();
  l.enter(wide(l.entry("a"))), l.enter(wide(l.entry("a")));
  auto park = l.step(l.claim_one(), "{}", RunStatus::waiting);
  park.due_at = l.world().now() + Millis(60'000);
  l.commit(park);
  l.world().jump(-std::chrono::hours(5));
  EXPECT_EQ(l.claim().size(), 1u) << "the one that was due";
  EXPECT_EQ(l.get(l->claim(1)).next_due, l.world().now() + Millis(60'000));
  l.world().advance(Millis(60'000));
  EXPECT_EQ(l.claim().size(), 1u);
}

TEST_P(LedgerSuite, NothingWaitsForLongerBecauseTheClockWasSetBackWhileNobodyRan) {
  auto park = ledger().step((ledger().enter("a"), ledger().claim_one()), "{}", RunStatus::waiting);
  park.due_at = ledger().world().now() + Millis(60'000);
  ledger().commit(park);
  reopen();
  ledger().world().jump(-std::chrono::hours(5));
  EXPECT_EQ(ledger().get(ledger()->claim(1)).next_due, ledger().world().now() + Millis(60'000));
}

TEST_P(LedgerSuite, ManyRestartsLoseNothing) {
  for (int round = 0; round < 4; ++round) {
    auto& l = ledger();
    std::vector<Entry> entries;
    for (int i = 0; i < 400; ++i) entries.push_back(wide(l.entry("a", std::to_string(round) + "/" + std::to_string(i)), 10'000));
    l.get(l->enqueue(std::move(entries)));
    const auto claims = l.claim(200);
    EXPECT_EQ(claims.size(), 200u);
    std::vector<Async<LedgerResult<Position>>> steps;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      steps.push_back(l->commit(l.step(claims[i])));
      if (i % 2 == 0) steps.push_back(l->commit(l.step(claims[i], "{}", RunStatus::completed)));
    }
    for (const auto& committed : l.together(std::move(steps))) EXPECT_TRUE(committed);
    reopen();
  }
  auto& l = ledger();
  EXPECT_EQ(positions(l.events()), up_to(l->last_position()));
  const auto left = l.claim(10'000);
  EXPECT_EQ(left.size(), 4u * 400 - 4u * 100);
  for (const auto& claim : left) {
    const auto records = l.get(l->load(claim.run));
    EXPECT_EQ(records.size() > 1, claim.has_records);
  }
}

// ---- the rest of what it keeps

TEST_P(LedgerSuite, ASpecIsARevisionWhenItChanged) {
  auto& l = ledger();
  EXPECT_EQ(l.keep("a", "one"), 1);
  EXPECT_EQ(l.keep("a", "one"), 1);
  EXPECT_EQ(l.keep("a", "two"), 2);
  EXPECT_EQ(l.keep("a", "one"), 3);
  EXPECT_EQ(l.keep("b", "one"), 1);
  reopen();
  auto& m = ledger();
  EXPECT_EQ(m.get(m->spec("a", 0))->revision, 3);
  EXPECT_EQ(m.get(m->spec("a", 2))->content, "two");
  EXPECT_EQ(m.get(m->spec("a", 9)), std::nullopt);
  EXPECT_EQ(m.get(m->spec("nobody", 0)), std::nullopt);
}

TEST_P(LedgerSuite, SpecsOfManyAgentsAreKeptAtOnceAndEachIsAnsweredFor) {
  auto& l = ledger();
  l.keep("known", "old");
  l.keep("same", "old");
  const auto kept = l.get(l->put_specs({{"known", "new"}, {"same", "old"}, {"fresh", "new"}, {"fresh", "newer"}}));
  ASSERT_EQ(kept.size(), 4u);
  using Change = KeptSpec::Change;
  EXPECT_TRUE(kept[0].change == Change::updated && kept[0].revision == 2 && kept[0].before == "old");
  EXPECT_TRUE(kept[1].change == Change::none && kept[1].revision == 1);
  EXPECT_TRUE(kept[2].change == Change::created && kept[2].revision == 1);
  EXPECT_TRUE(kept[3].change == Change::updated && kept[3].revision == 2 && kept[3].before == "new");
  reopen();
  EXPECT_EQ(ledger().get(ledger()->spec("fresh", 0))->content, "newer");
  EXPECT_TRUE(ledger().get(ledger()->put_specs({})).empty());
}

TEST_P(LedgerSuite, ContentThatWasCurrentBeforeChangesNothingUnlessItIsTheNewest) {
  auto& l = ledger();
  using Change = KeptSpec::Change;
  const auto put = [&](std::string content, bool is_newest) { return l.get(l->put_specs({{"a", std::move(content), is_newest}})).at(0); };
  EXPECT_EQ(put("one", false).change, Change::created);
  EXPECT_EQ(put("two", false).change, Change::updated) << "nobody has seen it";
  const auto old = put("one", false);
  EXPECT_TRUE(old.change == Change::superseded && old.revision == 2 && old.before == "two");
  EXPECT_EQ(put("two", false).change, Change::none);
  const auto back = put("one", true);
  EXPECT_TRUE(back.change == Change::updated && back.revision == 3 && back.before == "two");
  EXPECT_EQ(put("two", false).revision, 3);
}

TEST_P(LedgerSuite, CursorsAreKept) {
  using Positions = std::vector<Position>;
  auto& l = ledger();
  EXPECT_EQ(l.get(l->cursors({"jsonl"})), Positions{0});
  l.get(l->put_cursors({{"jsonl", 5}, {"team", 3}}));
  l.get(l->put_cursors({{"jsonl", 9}}));
  reopen();
  EXPECT_EQ(ledger().get(ledger()->cursors({"team", "nobody", "jsonl"})), (Positions{3, 0, 9}));
}

TEST_P(LedgerSuite, AThousandCursorsComeBackInTheirOrder) {
  std::vector<Cursor> cursors;
  std::vector<std::string> names;
  std::vector<Position> expected;
  for (int i = 1000; i > 0; --i) {
    cursors.push_back({"c" + std::to_string(i), i});
    names.push_back(cursors.back().name);
    expected.push_back(i);
  }
  auto& l = ledger();
  l.get(l->put_cursors(cursors));
  EXPECT_EQ(l.get(l->cursors(names)), expected);
}

TEST_P(LedgerSuite, AnAgentsStateIsKeptWithItsTransition) {
  auto& l = ledger();
  EXPECT_EQ(l.get(l->agent_state("a")), "null");
  l.enter("a");
  auto end = l.step(l.claim_one(), "{}", RunStatus::completed);
  end.agent_state = "{\"n\":1}";
  l.commit(end);
  reopen();
  EXPECT_EQ(ledger().get(ledger()->agent_state("a")), "{\"n\":1}");
}

TEST_P(LedgerSuite, CountsSurviveRestarts) {
  auto& l = ledger();
  for (const auto status : {RunStatus::completed, RunStatus::failed, RunStatus::timed_out}) {
    l.enter("a");
    l.world().advance(Millis(10));
    l.finish(l.claim_one(), status, "broke");
  }
  const auto ended = l.world().now();
  reopen();
  const auto stats = ledger()->stats("a");
  EXPECT_EQ(stats.run_count, 3);
  EXPECT_EQ(stats.error_count, 2);
  EXPECT_EQ(stats.consecutive_failures, 2);
  EXPECT_EQ(stats.last_error, "broke");
  EXPECT_EQ(stats.last_run, ended);
  auto& m = ledger();
  m.enter("a");
  m.finish(m.claim_one());
  EXPECT_EQ(m->stats("a").consecutive_failures, 0);
  EXPECT_EQ(m->stats("a").last_error, "broke");
}

// ---- runs aside

TEST_P(LedgerSuite, NoOverlapSeesARunThatIsAside) {
  auto& l = ledger();
  const auto aside = l.enter(with(l.entry("a"), Overlap::aside));
  EXPECT_EQ(aside.kind, Kind::accepted);
  const auto batch = l.get(l->enqueue({with(l.entry("a"), Overlap::aside), with(wide(l.entry("a")), Overlap::skip), with(l.entry("a"), Overlap::skip)}));
  EXPECT_EQ(batch[1].kind, Kind::accepted);
  EXPECT_EQ(batch[2].kind, Kind::skipped);
  EXPECT_EQ(l.enter(with(l.entry("a"), Overlap::cancel_previous)).cancel, std::vector<RunId>{batch[1].run});
}

TEST_P(LedgerSuite, ARunThatIsAsideComesBesideOneThatLives) {
  auto& l = ledger();
  l.enter("a");
  EXPECT_EQ(l.enter(with(l.entry("a"), Overlap::aside)).kind, Kind::accepted);
}

TEST_P(LedgerSuite, ARunStaysAsideOverARestartUntilItEnds) {
  const auto aside = ledger().enter(with(wide(ledger().entry("a")), Overlap::aside)).run;
  auto park = ledger().step(ledger().claim_one(), "{}", RunStatus::waiting);
  park.due_at = ledger().world().now() + Millis(1000);
  ledger().commit(park);
  reopen();
  ledger().world().advance(Millis(2000));
  auto& l = ledger();
  const auto own = l.enter(with(wide(l.entry("a")), Overlap::skip));
  ASSERT_EQ(own.kind, Kind::accepted);
  const auto claims = l.claim();
  ASSERT_EQ(runs(claims), (std::vector<RunId>{aside, own.run}));
  l.finish(claims[0], RunStatus::failed, "it broke");
  EXPECT_EQ(l.enter(with(l.entry("a"), Overlap::skip)).kind, Kind::skipped) << "the other one lives";
  l.finish(claims[1]);
  EXPECT_EQ(l.enter(with(l.entry("a"), Overlap::skip)).kind, Kind::accepted);
}

TEST_P(LedgerSuite, TheEndOfARunThatIsAsideCountsNowhere) {
  ledger().enter("a");
  ledger().finish(ledger().claim_one(), RunStatus::failed, "broke");
  const auto before = ledger()->stats("a");
  for (const auto status : {RunStatus::completed, RunStatus::failed}) {
    ledger().world().advance(Millis(10));
    ledger().enter(with(ledger().entry("a"), Overlap::aside));
    ledger().finish(ledger().claim_one(), status, "aside");
  }
  for (int restarts = 0; restarts < 2; ++restarts, reopen()) {
    const auto stats = ledger()->stats("a");
    EXPECT_EQ(stats.run_count, 1);
    EXPECT_EQ(stats.error_count, 1);
    EXPECT_EQ(stats.consecutive_failures, 1);
    EXPECT_EQ(stats.last_error, "broke");
    EXPECT_EQ(stats.last_run, before.last_run);
  }
}

TEST_P(LedgerSuite, OneRunThatIsAsideHasAPlaceBesideTheAgentsOwn) {
  auto& l = ledger();
  const auto first = l.enter(with(l.entry("a"), Overlap::aside)).run;
  const auto second = l.enter(with(l.entry("a"), Overlap::aside)).run;
  const auto own = l.enter("a");
  l.enter("a");
  auto claims = l.claim();
  EXPECT_EQ(std::set({claims[0].run, claims[1].run}), std::set({first, own})) << "of those that are due at once";
  ASSERT_EQ(claims.size(), 2u) << "one of each";
  EXPECT_TRUE(l.claim().empty());
  l.finish(claims[claims[0].run == first ? 0 : 1]);
  claims = l.claim();
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].run, second) << "the agent's own place is taken";
}

TEST_P(LedgerSuite, ARunThatIsAsideIsClaimedWhereTheAgentsOwnHaveNoRoom) {
  auto& l = ledger();
  l.enter("a");
  const auto own = l.claim_one();
  const auto aside = l.enter(with(l.entry("a"), Overlap::aside)).run;
  EXPECT_EQ(l.claim_one().run, aside);
  l.enter("a");
  EXPECT_TRUE(l.claim().empty());
  l.finish(own);
  EXPECT_EQ(l.claim().size(), 1u);
}

TEST_P(LedgerSuite, RunsAsideQueueBesideTheAgentsOwn) {
  const auto entry = [this](Overlap overlap) {
    auto one = with(ledger().entry("a"), overlap);
    one.queue_size = 2;
    return one;
  };
  const auto kinds = [](const auto& admissions) {
    std::vector<Kind> all;
    for (const auto& one : admissions) all.push_back(one.kind);
    return all;
  };
  const std::vector in_turn = {entry(Overlap::aside), entry(Overlap::queue), entry(Overlap::aside), entry(Overlap::queue), entry(Overlap::aside), entry(Overlap::queue)};
  EXPECT_EQ(kinds(ledger().get(ledger()->enqueue(in_turn))), (std::vector{Kind::accepted, Kind::accepted, Kind::accepted, Kind::accepted, Kind::full, Kind::full}));
  reopen();
  EXPECT_EQ(kinds(ledger().get(ledger()->enqueue({entry(Overlap::aside), entry(Overlap::queue)}))), (std::vector{Kind::full, Kind::full}));
  const auto claims = ledger().claim();
  ASSERT_EQ(claims.size(), 2u);
  for (const auto& claim : claims) ledger().finish(claim);
  EXPECT_EQ(kinds(ledger().get(ledger()->enqueue({entry(Overlap::aside), entry(Overlap::queue), entry(Overlap::aside), entry(Overlap::queue)}))),
            (std::vector{Kind::accepted, Kind::accepted, Kind::full, Kind::full}));
}

TEST_P(LedgerSuite, ListsAreNewestFirstAndFiltered) {
  auto& l = ledger();
  std::vector<RunId> all;
  for (int i = 0; i < 6; ++i) all.push_back(l.enter(wide(l.entry(i % 2 ? "b" : "a", i < 3 ? std::to_string(i) : ""))).run);
  const auto ids = [&](RunFilter filter) {
    std::vector<RunId> got;
    for (const auto& row : l.get(l->list(filter))) got.push_back(row.run);
    return got;
  };
  EXPECT_EQ(ids({}), (std::vector<RunId>{all[5], all[4], all[3], all[2], all[1], all[0]}));
  EXPECT_EQ(ids({.agent_id = "a"}), (std::vector<RunId>{all[4], all[2], all[0]}));
  EXPECT_EQ(ids({"a", {}, all[4].position, 1}), (std::vector<RunId>{all[2]}));
  EXPECT_EQ(ids({"", {}, all[2].position}), (std::vector<RunId>{all[1], all[0]}));
  EXPECT_TRUE(ids({.agent_id = "nobody"}).empty());
  const auto claim = l.claim_one();
  l.commit(l.step(claim, "\"latest\""));
  EXPECT_EQ(ids({"", RunStatus::running}), (std::vector<RunId>{claim.run}));
  EXPECT_EQ(ids({"", RunStatus::queued}).size(), 5u);
  const auto row = l.get(l->list({"", RunStatus::running}))[0];
  EXPECT_EQ(row.last_payload, "\"latest\"");
  EXPECT_EQ(row.last_kind, 1);
  EXPECT_EQ(row.last, 7);
  EXPECT_EQ(row.key, "0");
  l.finish(claim);
  EXPECT_EQ(ids({"a", RunStatus::completed}), (std::vector<RunId>{claim.run}));
}

TEST_P(LedgerSuite, AnAgentsRunsAreListedOverRestartsFromAnyPlace) {
  std::vector<Position> of_a;
  for (int round = 0; round < 3; ++round) {
    auto& l = ledger();
    for (int i = 0; i < 4; ++i) {
      auto e = wide(l.entry("a", i % 2 ? std::to_string(round * 10 + i) : ""));
      if (i == 2) e.status = RunStatus::missed;
      of_a.insert(of_a.begin(), l.enter(e).run.position);
      l.enter(wide(l.entry("b")));
    }
    Transition cancel;
    cancel.run = l.enter(wide(l.entry("a"))).run;
    cancel.records = {{9, "{}"}};
    cancel.next = RunStatus::cancelled;
    l.commit(cancel);
    of_a.insert(of_a.begin(), cancel.run.position);
    l.finish(l.claim_one());
    reopen();
  }
  auto& l = ledger();
  for (Position before = 0; before <= of_a.front() + 1; ++before) {
    std::vector<Position> expected, got;
    for (const auto position : of_a)
      if ((before == 0 || position < before) && expected.size() < 3) expected.push_back(position);
    for (const auto& row : l.get(l->list({"a", {}, before, 3}))) got.push_back(row.run.position);
    EXPECT_EQ(got, expected) << "before " << before;
  }
  EXPECT_EQ(l.get(l->list({.agent_id = "a", .limit = 1000})).size(), of_a.size());
}

TEST_P(LedgerSuite, RunsAreListedByTheirKeys) {
  auto& l = ledger();
  for (const char* key : {"s@2", "s@10", "", "t@9", "s@1", "s", "r@5"}) l.enter(wide(l.entry("a", key)));
  l.enter(wide(l.entry("b", "s@7")));
  const auto keys = [&](std::string from, std::string before, std::size_t limit) {
    std::vector<std::string> got;
    for (const auto& row : l.get(l->list({.agent_id = "a", .limit = limit, .key_from = from, .key_before = before}))) got.push_back(row.key);
    return got;
  };
  EXPECT_EQ(keys("s@", "sA", 100), (std::vector<std::string>{"s@2", "s@10", "s@1"}));
  EXPECT_EQ(keys("s@", "sA", 1), (std::vector<std::string>{"s@2"}));
  EXPECT_EQ(keys("s@1", "s@2", 9), (std::vector<std::string>{"s@10", "s@1"}));
  EXPECT_TRUE(keys("q", "r", 1).empty());
  EXPECT_TRUE(l.get(l->list({.agent_id = "nobody", .key_from = "s@", .key_before = "t"})).empty());
}

TEST_P(LedgerSuite, NoRunIsFoundUnderAnotherNonce) {
  auto& l = ledger();
  auto run = l.enter("a");
  run.nonce += 1;
  EXPECT_EQ(l.run(l->load(run)).error().fault, LedgerFault::not_found);
}

class EmbeddedLedgers : public LedgerSuite {};
INSTANTIATE_TEST_SUITE_P(Ledgers, EmbeddedLedgers, testing::ValuesIn(embedded_ledger_kinds()), [](const auto& info) { return std::string(info.param.name); });

TEST_P(EmbeddedLedgers, OneProcessAtATime) {
  const OpenLedger second(GetParam(), folder_.path());
  EXPECT_FALSE(second);
  EXPECT_NE(second.error().find("ledger.db is in use by process " + std::to_string(::getpid())), std::string::npos) << second.error();
}

}  // namespace
}  // namespace agentd::conformance
