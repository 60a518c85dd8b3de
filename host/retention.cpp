#include "host/retention.hpp"

#include <algorithm>

#include "core/budget/days.hpp"
#include "core/event/record.hpp"

namespace agentd::host {
namespace {

constexpr Millis kSweepEvery{std::chrono::hours(1)};
constexpr Millis kBetweenSteps{50};
constexpr std::chrono::days kDaysOfSpending{2};  // that a call under way, or a person, may still ask for
constexpr const char* kPrunedCursor = "schedule-pruned";

}  // namespace

Retention::Retention(World world, port::Ledger& ledger, port::LedgerUpkeep& upkeep, Rules rules, std::function<void(const std::string&)> tell)
    : world_(world), ledger_(ledger), upkeep_(upkeep), rules_(std::move(rules)), tell_(std::move(tell)) {}

void Retention::start() { spawn(world_.executor, follow()); }

Async<void> Retention::follow() {
  while (!stopping_.stop_requested()) {
    co_await sweep();
    co_await sleep(world_.timers, kSweepEvery, stopping_.get_token());
  }
}

Async<std::optional<Instant>> Retention::dealt_with_until(port::Ledger& ledger) {
  std::vector<std::string> names = {kPrunedCursor};
  const auto found = co_await ledger.cursors(std::move(names));
  if (!found || found->front() <= 0) co_return std::nullopt;
  co_return Instant(Millis(found->front()));
}

// What the schedule goes on from is kept before the runs go that said so.
Async<void> Retention::sweep() {
  const auto now = world_.clock.now();
  const auto before = now - rules_.keep;
  const auto have = co_await copied();
  if (!have) co_return;
  std::vector<port::Cursor> mark = {{kPrunedCursor, std::max<std::int64_t>(1, before.time_since_epoch().count())}};
  const auto marked = co_await ledger_.put_cursors(std::move(mark));
  if (!marked) co_return tell_("what is old could not be removed: " + marked.error().message);
  const auto window_before = budget::day_of(std::min(before, now - kDaysOfSpending));
  port::Pruned all;
  bool went_well = true;
  if (!rules_.copies.empty()) {
    co_await tell_lost(*have, before - rules_.keep);
    went_well = co_await prune({.before = before - rules_.keep, .window_before = window_before}, all);
  }
  if (went_well) co_await prune({.before = before, .upto = *have, .window_before = window_before}, all);
  // A sweep that found nothing but what the one before had said of itself has nothing to say.
  if (all.runs > 0 || all.records > 1) co_await record(before, all);
}

// Up to where every store has what there is. Nothing: it cannot be known now.
Async<std::optional<Position>> Retention::copied() {
  if (rules_.copies.empty()) co_return INT64_MAX;
  std::vector<std::string> names;
  for (const auto& name : rules_.copies) names.push_back("events:" + name);
  const auto found = co_await ledger_.cursors(std::move(names));
  if (found) co_return std::ranges::min(*found);
  tell_("what is old could not be removed: " + found.error().message);
  co_return std::nullopt;
}

Async<void> Retention::tell_lost(Position copied, Instant before) {
  const auto next = co_await ledger_.events_after(copied, 1);
  if (!next || next->empty() || next->front().at >= before) co_return;
  tell_("an event store has not had a copy of what is twice as old as ledger.retention says; it is removed without one");
}

Async<bool> Retention::prune(port::Prune what, port::Pruned& all) {
  for (bool more = true; more && !stopping_.stop_requested();) {
    const auto step = co_await upkeep_.prune(what);
    if (!step) {
      tell_("what is old could not be removed: " + step.error().message);
      co_return false;
    }
    all.runs += step->runs, all.records += step->records, more = step->more;
    if (more) co_await sleep(world_.timers, kBetweenSteps, stopping_.get_token());
  }
  co_return true;
}

Async<void> Retention::record(Instant before, port::Pruned removed) {
  event::EventsPruned pruned{before, removed.runs + removed.records};
  port::Transition said{.records = {event::to_record(pruned)}};
  const auto committed = co_await ledger_.commit(std::move(said));
  if (!committed) tell_("what was removed could not be recorded: " + committed.error().message);
}

}  // namespace agentd::host
