#include "host/retention.hpp"

#include <algorithm>

#include "core/budget/days.hpp"
#include "core/event/record.hpp"

namespace agentd::host {
namespace {

constexpr Millis kSweepEvery{std::chrono::hours(1)};
constexpr Millis kBetweenSteps{50};
constexpr std::chrono::days kDaysOfSpending{2};  // that a call under way, or a person, may still ask for
constexpr std::size_t kLiveAtOnce = 500;
constexpr const char* kPruneLease = "prune";
constexpr const char* kPrunedCursor = "schedule-pruned";
constexpr const char* kSeenCursor = "retention-clock";   // the clock at the last look
constexpr const char* kDoubtCursor = "retention-doubt";  // since when it says what is hard to believe; 0: it does not
constexpr Millis kShortestLeap{std::chrono::hours(2)}, kLongestLeap{std::chrono::hours(48)};
constexpr Millis kBelievedAfter{std::chrono::hours(24)};

}  // namespace

Retention::Retention(World world, port::Ledger& ledger, port::LedgerUpkeep& upkeep, Rules rules, std::function<void(const std::string&)> tell)
    : world_(world), ledger_(ledger), upkeep_(upkeep), rules_(std::move(rules)), tell_(std::move(tell)) {}

void Retention::start() { spawn(world_.executor, follow()); }
void Retention::start(Leases& leases) { spawn(world_.executor, follow(leases)); }

Async<void> Retention::follow() {
  while (!until_.stop_requested()) {
    co_await sweep();
    co_await sleep(world_.timers, kSweepEvery, until_);
  }
}

Async<void> Retention::follow(Leases& leases) {
  while (true) {
    const auto tenure = co_await leases.hold(kPruneLease, stopping_.get_token());
    if (!tenure) co_return;
    until_ = tenure->until();
    fence_ = tenure->fence();
    co_await follow();
  }
}

Async<std::optional<Instant>> Retention::dealt_with_until(port::Ledger& ledger) {
  std::vector<std::string> names = {kPrunedCursor};
  const auto found = co_await ledger.cursors(std::move(names));
  if (!found || found->front() <= 0) co_return std::nullopt;
  co_return Instant(Millis(found->front()));
}

// A clock that is far ahead makes everything old, and what is removed for its age does not come back when the clock is put right: keys,
// what was spent today. So one that has leapt ahead, or whose host was away for long, is believed when it has stood so for a day.
Async<bool> Retention::is_believed(Instant now) {
  std::vector<std::string> names = {kSeenCursor, kDoubtCursor};
  const auto found = co_await ledger_.cursors(std::move(names));
  if (!found) {
    tell_("what is old could not be removed: " + found.error().message);
    co_return false;
  }
  const Instant seen{Millis((*found)[0])}, doubted{Millis((*found)[1])};
  const bool knows = (*found)[0] != 0;
  bool doubts = (*found)[1] != 0 && now >= doubted && now < doubted + kBelievedAfter;
  const bool was_settled = (*found)[1] == 0;
  auto since = doubts ? doubted : Instant();
  if (knows && was_settled && now - seen > std::clamp(rules_.keep / 2, kShortestLeap, kLongestLeap)) {
    doubts = true;
    since = now;
    tell_("the clock is " + format_duration(std::chrono::floor<std::chrono::hours>(now - seen)) + " past when this ledger was last looked after: nothing is removed for its age until " + format_instant_s(now + kBelievedAfter) + ", should the clock be wrong");
  }
  std::vector<port::Cursor> marks = {{kSeenCursor, now.time_since_epoch().count(), fence_}, {kDoubtCursor, since.time_since_epoch().count(), fence_}};
  const auto kept = co_await ledger_.put_cursors(std::move(marks));
  if (!kept) tell_("what is old could not be removed: " + kept.error().message);
  co_return kept && !doubts;
}

// What the schedule goes on from is kept before the runs go that said so.
Async<void> Retention::sweep() {
  const auto now = world_.clock.now();
  const bool believed = co_await is_believed(now);
  if (!believed) co_return;
  const auto before = now - rules_.keep;
  const auto done = co_await done_with();
  if (!done) co_return;
  std::vector<port::Cursor> mark = {{kPrunedCursor, std::max<std::int64_t>(1, before.time_since_epoch().count()), fence_}};
  const auto marked = co_await ledger_.put_cursors(std::move(mark));
  if (!marked) co_return tell_("what is old could not be removed: " + marked.error().message);
  const auto window_before = budget::day_of(std::min(before, now - kDaysOfSpending));
  port::Pruned all;
  bool went_well = true;
  if (*done < INT64_MAX || !rules_.copies.empty() || !rules_.sinks.empty()) {
    co_await tell_lost(before - rules_.keep);
    went_well = co_await prune({.before = before - rules_.keep, .window_before = window_before, .fence = fence_}, all);
  }
  if (went_well) co_await prune({.before = before, .upto = *done, .window_before = window_before, .fence = fence_}, all);
  // A sweep that found nothing but what the one before had said of itself has nothing to say.
  if (all.runs > 0 || all.records > 1) co_await record(before, all);
}

Async<std::optional<std::vector<Position>>> Retention::positions(std::string kind, std::vector<std::string> names) {
  for (auto& name : names) name.insert(0, kind);
  if (names.empty()) co_return std::vector<Position>();
  const auto found = co_await ledger_.cursors(std::move(names));
  if (found) co_return std::vector<Position>(found->begin(), found->end());
  tell_("what is old could not be removed: " + found.error().message);
  co_return std::nullopt;
}

// Up to where no run is that a run for memory has yet to read.
Async<std::optional<Position>> Retention::digested() {
  Position until = INT64_MAX;
  for (const auto status : {port::RunStatus::queued, port::RunStatus::running, port::RunStatus::waiting}) {
    for (port::RunFilter live{.status = status, .limit = kLiveAtOnce}; true;) {
      const auto rows = co_await ledger_.list(live);
      if (!rows) {
        tell_("what is old could not be removed: " + rows.error().message);
        co_return std::nullopt;
      }
      for (const auto& row : *rows) {
        const auto decoded = event::decode(event::Entered::kKind, row.payload);
        const auto* entered = decoded ? std::get_if<event::Entered>(&decoded->body) : nullptr;
        if (!entered || !entered->digest) continue;
        if (const auto of = parse_run_id(entered->digest->of)) until = std::min(until, of->position - 1);
      }
      if (rows->size() < live.limit) break;
      live.before = rows->back().run.position;
    }
  }
  co_return until;
}

// Up to where every store has what there is, every sink knows it and memory has learnt of it. Nothing: it cannot be known now.
Async<std::optional<Position>> Retention::done_with() {
  auto reading_copies = positions("events:", rules_.copies);
  const auto copied = co_await std::move(reading_copies);
  if (!copied) co_return std::nullopt;
  auto reading_tidings = positions("deliver:", rules_.sinks);
  const auto told = co_await std::move(reading_tidings);
  if (!told) co_return std::nullopt;
  auto reading_digests = digested();
  const auto digests_read = co_await std::move(reading_digests);
  if (!digests_read) co_return std::nullopt;
  auto done = *digests_read;
  for (const auto& all : {*copied, *told})
    for (const auto position : all) done = std::min(done, position);
  co_return done;
}

Async<bool> Retention::lacks(Position done, Instant before) {
  const auto next = co_await ledger_.events_after(done, 1);
  co_return next && !next->empty() && next->front().at < before;
}

Async<void> Retention::tell_lost(Instant before) {
  auto reading_copies = positions("events:", rules_.copies);
  const auto copied = co_await std::move(reading_copies);
  if (copied && !copied->empty()) {
    const bool lost = co_await lacks(std::ranges::min(*copied), before);
    if (lost) tell_("an event store has not had a copy of what is twice as old as ledger.retention says; it is removed without one");
  }
  auto reading_tidings = positions("deliver:", rules_.sinks);
  const auto told = co_await std::move(reading_tidings);
  if (told && !told->empty()) {
    const bool lost = co_await lacks(std::ranges::min(*told), before);
    if (lost) tell_("a sink has not been told of what is twice as old as ledger.retention says; it is removed all the same");
  }
}

Async<bool> Retention::prune(port::Prune what, port::Pruned& all) {
  for (bool more = true; more && !until_.stop_requested();) {
    const auto step = co_await upkeep_.prune(what);
    if (!step) {
      tell_("what is old could not be removed: " + step.error().message);
      co_return false;
    }
    all.runs += step->runs, all.records += step->records, more = step->more;
    if (more) co_await sleep(world_.timers, kBetweenSteps, until_);
  }
  co_return true;
}

Async<void> Retention::record(Instant before, port::Pruned removed) {
  event::EventsPruned pruned{before, removed.runs + removed.records};
  port::Transition said{.records = {event::to_record(pruned)}, .fence = fence_};
  const auto committed = co_await ledger_.commit(std::move(said));
  if (!committed) tell_("what was removed could not be recorded: " + committed.error().message);
}

}  // namespace agentd::host
