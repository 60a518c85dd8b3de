// What a run asks of its ledger, for as long as it takes.
#include <algorithm>

#include "core/run/backoff.hpp"
#include "core/run/clean.hpp"
#include "core/run/run.hpp"

namespace agentd::run {
namespace {

constexpr Millis kLongestLedgerWait{5'000};
constexpr Millis kHandBackAfter{5'000};
constexpr Millis kLookAgainAfter{200};

// Nothing has happened, and the same may happen later.
bool may_pass(const port::LedgerError& error) {
  return error.fault == port::LedgerFault::disk_full || error.fault == port::LedgerFault::unavailable;
}

}  // namespace

// False: this process ends, and the ledger is asked no more.
Async<bool> Run::wait_for_ledger(int tries) {
  const Millis delay = std::min(step_delay(tries, std::nullopt, around_.world.random.next()), kLongestLedgerWait);
  co_await sleep(around_.world.timers, delay, control_.leaving_token());
  co_return !control_.leaving();
}

Async<port::LedgerResult<std::vector<port::StoredRecord>>> Run::load(RunId run) {
  for (int tries = 1;; ++tries) {
    auto records = co_await around_.ledger.load(run);
    if (records || !may_pass(records.error())) co_return records;
    const bool again = co_await wait_for_ledger(tries);
    if (!again) co_return records;
  }
}

Async<port::LedgerResult<std::string>> Run::agent_state() {
  for (int tries = 1;; ++tries) {
    auto kept = co_await around_.ledger.agent_state(claim_.agent_id);
    if (kept || !may_pass(kept.error())) co_return kept;
    const bool again = co_await wait_for_ledger(tries);
    if (!again) co_return kept;
  }
}

port::Transition Run::transition_of(const Said& said, const Fate& fate) const {
  port::Transition transition{.run = claim_.run,
                              .generation = claim_.generation,
                              .next = fate.next,
                              .due_at = fate.due,
                              .follow_ups = fate.follow_ups,
                              .agent_state = fate.agent_state,
                              .error = fate.error};
  transition.records.reserve(said.size());
  for (const auto& one : said) transition.records.push_back(event::to_record(one.body, one.session, one.traceparent));
  account_for(said, transition);
  return transition;
}

Async<port::LedgerResult<Position>> Run::commit(const Said& said, const Fate& fate) {
  auto transition = transition_of(said, fate);
  std::optional<event::Unread::Of> unread;
  if (around_.unread) unread.emplace(*around_.unread, claim_.run, said, transition.records);
  auto committing = around_.ledger.commit(std::move(transition));
  co_return co_await std::move(committing);
}

// A run that holds what it cannot write yet is not active: its alarm rests meanwhile. Its deadline goes on.
Async<port::LedgerResult<Position>> Run::commit_in_the_end(const Said& said, const Fate& fate,
                                                           port::LedgerError error) {
  const bool was_active = active_since_.has_value();
  rest();
  for (int tries = 1;; ++tries) {
    const bool again = co_await wait_for_ledger(tries);
    if (!again) co_return std::unexpected(std::move(error));
    auto committed = co_await commit(said, fate);
    if (!committed && may_pass(committed.error())) continue;
    if (was_active) arm(active_);
    co_return committed;
  }
}

Async<bool> Run::write(std::vector<event::Body> bodies, Fate fate) {
  Said said;
  said.reserve(bodies.size());
  for (auto& body : bodies) {
    clean_faults(around_.cleaner, body);
    said.push_back({std::move(body), session_, state_.entry.traceparent});
  }
  around_.cleaner.clean(fate.error);
  auto committed = co_await commit(said, fate);
  bool asked_again = false;
  while (!committed && (may_pass(committed.error()) || committed.error().fault == port::LedgerFault::over_budget)) {
    auto error = std::move(committed.error());
    if (error.fault == port::LedgerFault::over_budget) {
      const auto refused = transition_of(said, fate);
      if (std::exchange(asked_again, true) || lacking(refused)) plan_no_call(said, refused);
      committed = co_await commit(said, fate);
    } else {
      committed = co_await commit_in_the_end(said, fate, std::move(error));
      if (!committed && may_pass(committed.error())) break;  // this process ends
    }
  }
  if (!committed) {
    lose(committed.error().message);
    co_return false;
  }
  const Instant now = around_.world.clock.now();
  for (auto& one : said) {
    if (replay_) replay_->see(one.body);
    apply(state_, std::move(one.body), now);
  }
  co_return true;
}

Async<bool> Run::may_begin() {
  while (around_.sharing && !done_) {
    const auto claim = around_.sharing->claim_state(claim_.run, claim_.generation);
    if (claim == port::ClaimState::held) break;
    if (claim == port::ClaimState::lost) {
      lose("this worker's lease was over, and others have taken its runs");
      break;
    }
    const bool whole = co_await sleep(around_.world.timers, kLookAgainAfter, control_.token());
    if (!whole) co_return false;
  }
  co_return !done_;
}

void Run::lose(const std::string& why) {
  around_.warn("the run " + to_text(claim_.run) + " of " + claim_.agent_id + " is left to a later claim: " + why);
  control_.interrupt(Control::Why::lost);
  done_ = true;
}

// Not at once: a ledger that fails is not asked again without a pause.
Async<void> Run::hand_back() {
  if (control_.why() != Control::Why::lost) co_return;
  if (!control_.draining()) co_await sleep(around_.world.timers, kHandBackAfter, control_.leaving_token());
  around_.ledger.abandon(claim_.run, claim_.generation);
}

}  // namespace agentd::run
