#include "core/run/worker.hpp"

#include <algorithm>

#include "core/budget/limits.hpp"

namespace agentd::run {
namespace {

constexpr std::size_t kMostOfAClaim = 256;
constexpr Millis kClaimAgainAfterAnError{1'000};
constexpr Millis kAskAgainAfter{2'000};
constexpr Millis kLongestSleep{60'000};  // the wall's clock, which says what is due, may be set unnoticed for so long

}  // namespace

void Worker::start() {
  started_ = true;
  around_.ledger.on_due([this] { wake(); });
  wake();
}

void Worker::wake() {
  if (!started_ || draining_) return;
  if (claiming_) {
    asked_again_ = true;
    return;
  }
  claiming_ = true;
  spawn(around_.world.executor, claim());
}

// Until the ledger has no more to give, or no place is free: then the end of a run wakes again.
Async<void> Worker::claim() {
  auto& timers = around_.world.timers;
  do {
    asked_again_ = false;
    const auto places = std::min(most_ - flights_.size(), kMostOfAClaim);
    if (places == 0) break;
    auto claims = co_await around_.ledger.claim(places);
    timers.cancel(std::exchange(alarm_, 0));
    if (!claims) {
      around_.warn("nothing could be claimed: " + claims.error().message);
      alarm_ = timers.after(kClaimAgainAfterAnError, [this] { wake(); });
      break;
    }
    asked_again_ = asked_again_ || claims->runs.size() == places;
    for (auto& claimed : claims->runs) take_off(std::move(claimed));
    if (claims->next_due) {
      const Millis left = *claims->next_due - around_.world.clock.now();
      alarm_ = timers.after(std::clamp(left, Millis(1), kLongestSleep), [this] { wake(); });
    }
  } while (asked_again_ && !draining_);
  claiming_ = false;
  if (flights_.empty())
    for (auto& waiting : std::exchange(waiting_for_idle_, {})) waiting.set(true);
}

void Worker::take_off(port::Claim claim) {
  const RunId run = claim.run;
  auto story = std::make_unique<Run>(around_, std::move(claim));
  if (draining_) story->control().drain();
  if (leaving_) story->control().interrupt(Control::Why::released, "drain");
  if (const auto asked = asked_.find(run); asked != asked_.end()) story->control().interrupt(Control::Why::cancelled, asked->second.reason);
  auto& flight = *story;
  flights_.emplace(run, std::move(story));
  spawn(around_.world.executor, fly(run, flight));
}

Async<void> Worker::fly(RunId run, Run& story) {
  co_await story.story();
  co_await story.hand_back();
  const bool was_full = flights_.size() >= most_;
  const auto [first, last] = flights_.equal_range(run);
  flights_.erase(std::find_if(first, last, [&story](const auto& flight) { return flight.second.get() == &story; }));
  if (was_full) wake();
  if (flights_.empty() && !claiming_)
    for (auto& waiting : std::exchange(waiting_for_idle_, {})) waiting.set(true);
}

Async<void> Worker::drain(Millis timeout) {
  draining_ = true;
  around_.world.timers.cancel(std::exchange(alarm_, 0));
  for (auto& [id, run] : flights_) run->control().drain();
  const auto hurry = around_.world.timers.after(timeout, [this] {
    leaving_ = true;
    for (auto& [id, run] : flights_) run->control().interrupt(Control::Why::released, "drain");
  });
  while (!flights_.empty() || claiming_) {
    auto start = [this](Promise<bool> promise) { waiting_for_idle_.push_back(std::move(promise)); };
    auto waiting = suspend<bool>(start);
    co_await std::move(waiting);
  }
  around_.world.timers.cancel(hurry);
}

// What the run's own revision says, also where its agent is gone. Null: it cannot be had.
Async<AgentRef> Worker::revision_of(RunId run) {
  if (!around_.recipients) co_return nullptr;
  port::RunFilter filter{.agent_id = {}, .status = {}, .before = run.position + 1, .limit = 1};
  const auto rows = co_await around_.ledger.list(std::move(filter));
  if (!rows || rows->empty() || rows->front().run != run) co_return nullptr;
  auto finding = around_.agents.agent(rows->front().agent_id, rows->front().revision);
  auto agent = co_await std::move(finding);
  co_return agent ? std::move(*agent) : nullptr;
}

Async<Result<bool>> Worker::cancel(RunId run, std::string reason) {
  const auto [first, last] = flights_.equal_range(run);
  for (auto flight = first; flight != last; ++flight) {
    if (flight->second->control().why() == Control::Why::lost) co_return fail(ErrorClass::retryable, "the run is between two workers; ask again");
    flight->second->control().interrupt(Control::Why::cancelled, reason);
  }
  if (first != last) co_return true;
  const auto agent = co_await revision_of(run);
  auto records = co_await around_.ledger.load(run);
  if (!records) co_return fail(records.error().message);
  auto state = fold(*records);
  if (!state) co_return std::unexpected(state.error());
  if (state->ended || port::is_final(records->front().status)) co_return false;
  around_.cleaner.clean(reason);
  const auto& agent_id = records->front().agent_id;
  const auto stats = around_.ledger.stats(agent_id);
  const auto& [replay, digest] = std::tie(state->entry.replay, state->entry.digest);
  const bool is_aside = event::is_aside(state->entry);
  event::Ended ended{.status = port::RunStatus::cancelled, .reason = std::move(reason), .attempt = state->attempt, .steps = state->step, .totals = state->totals,
                     .run_count = stats.run_count + (is_aside ? 0 : 1), .error_count = stats.error_count, .replay_of = replay ? replay->of : std::string(), .digest = digest};
  if (state->held && state->calling) {  // its worker died over it
    ended.unsure = state->calling;
    budget::add_unknown(ended.totals);
  }
  port::Transition transition{.run = run, .next = port::RunStatus::cancelled};
  const RunEnd told{.agent_id = agent_id, .run = run, .status = ended.status, .result = {}, .spec = agent ? &agent->spec : nullptr, .traceparent = state->entry.traceparent};
  if (around_.followers && !is_aside) transition.follow_ups = around_.followers(told);
  if (around_.recipients && !is_aside) ended.deliver = around_.recipients(told);
  transition.records.push_back(event::to_record(ended, state->session.empty() ? state->entry.session : state->session, state->entry.traceparent));
  auto committed = co_await around_.ledger.commit(std::move(transition));
  if (committed) co_return true;
  if (!around_.sharing || committed.error().fault != port::LedgerFault::stale) co_return fail(ErrorClass::retryable, committed.error().message);
  auto asking = ask_its_worker(agent_id, run, std::move(ended.reason));
  co_return co_await std::move(asking);
}

// By a record, which all of them hear of. Asked again and again, it is said once in a while.
Async<Result<bool>> Worker::ask_its_worker(std::string agent_id, RunId run, std::string reason) {
  const auto now = around_.world.clock.tick();
  if (const auto asked = asked_.find(run); asked != asked_.end() && now - asked->second.at < kAskAgainAfter) co_return true;
  port::Transition transition{.agent_id = std::move(agent_id), .records = {event::to_record(event::CancelAsked{to_text(run), reason})}};
  const auto said = co_await around_.ledger.commit(std::move(transition));
  if (!said) co_return fail(ErrorClass::retryable, said.error().message);
  co_return true;
}

void Worker::heed(const event::CancelAsked& asked) {
  const auto run = parse_run_id(asked.run_id);
  if (!run) return;
  const auto [first, last] = flights_.equal_range(*run);
  for (auto flight = first; flight != last; ++flight) flight->second->control().interrupt(Control::Why::cancelled, asked.reason);
  if (asked_.size() >= kMostAsked) asked_.erase(asked_.begin());
  asked_[*run] = {asked.reason, around_.world.clock.tick()};
}

}  // namespace agentd::run
