#include "host/fleet.hpp"

#include <algorithm>

namespace agentd::host {
namespace {

constexpr Millis kTryAgain{1'000};
constexpr std::size_t kMostCancelled = 1'000;

}  // namespace

Async<void> Fleet::start() {
  ground_.engine.journal().on_record([this](const port::StoredRecord& record, const event::Body& body) { see(record, body); });
  std::vector<std::string> failing;
  for (const auto& [agent_id, member] : ground_.engine.roster().members())
    if (has_failed_too_often(*member)) failing.push_back(agent_id);
  for (auto& agent_id : failing) {
    ++pausing_;
    auto pausing = pause_by_itself(std::move(agent_id));
    co_await std::move(pausing);
  }
}

Async<void> Fleet::stop() {
  stopping_.request_stop();
  while (pausing_ > 0) co_await sleep(ground_.world.timers, Millis(1), {});
  const auto last = co_await turns_.take();
}

// ---- retry.pause_after_failures

void Fleet::see(const port::StoredRecord& record, const event::Body& body) {
  if (const auto* change = std::get_if<event::AgentChanged>(&body); change && record.elsewhere) return see_elsewhere(record, *change);
  if (!std::holds_alternative<event::Ended>(body) || record.elsewhere || stopping_.stop_requested()) return;
  const auto member = ground_.engine.roster().find(record.agent_id);
  if (!member || !has_failed_too_often(*member)) return;
  ++pausing_;
  spawn(ground_.world.executor, pause_by_itself(record.agent_id));
}

// ---- what other replicas did

void Fleet::see_elsewhere(const port::StoredRecord& record, const event::AgentChanged& change) {
  if (stopping_.stop_requested()) return;
  using What = event::AgentChanged::What;
  const bool is_manifest = change.what == What::created || change.what == What::updated || change.what == What::deleted;
  if (is_manifest) ground_.engine.roster().moved_on(change.agent_id.empty() ? record.agent_id : change.agent_id);
  (is_manifest ? others_changed_ : others_paused_) = true;
  if (std::exchange(following_, true)) return;
  ++pausing_;
  spawn(ground_.world.executor, follow_others());
}

Async<void> Fleet::follow_others() {
  while (!stopping_.stop_requested() && (others_paused_ || others_changed_)) {
    const bool changed = std::exchange(others_changed_, false);
    others_paused_ = false;
    auto taking = take_modes();
    bool is_known = co_await std::move(taking);
    if (changed) {
      const auto turn = co_await turns_.take();
      auto loading = ground_.engine.sent().load();
      const auto loaded = co_await std::move(loading);
      is_known = is_known && loaded;
    }
    if (is_known && changed) ground_.look_again();
    if (is_known) continue;
    others_paused_ = true;
    others_changed_ = others_changed_ || changed;
    co_await sleep(ground_.world.timers, kTryAgain, stopping_.get_token());
  }
  following_ = false;
  --pausing_;
}

Async<bool> Fleet::take_modes() {
  const auto turn = co_await turns_.take();
  auto loading = ground_.engine.modes().load();
  const auto loaded = co_await std::move(loading);
  if (!loaded) {
    ground_.log.warn("agents", loaded.error().message);
    co_return false;
  }
  std::vector<std::string> changed;
  for (const auto& [agent_id, member] : ground_.engine.roster().members())
    if (member->mode != ground_.engine.modes().mode(agent_id)) changed.push_back(agent_id);
  for (const auto& agent_id : changed) {
    ground_.engine.roster().take_mode(agent_id);
    if (auto now = ground_.engine.roster().find(agent_id)) co_await take(std::move(now));
  }
  co_return true;
}

// ---- retry.pause_after_failures, again

// Failures that a person has seen and let pass count no more.
bool Fleet::has_failed_too_often(const Member& member) const {
  if (member.pause_after_failures <= 0 || member.mode != Mode::active) return false;
  const auto stats = ground_.engine.ledger().stats(member.agent_id);
  const auto* kept = ground_.engine.modes().find(member.agent_id);
  const auto since = stats.error_count - (kept ? kept->errors : 0);
  return std::min(stats.consecutive_failures, since) >= member.pause_after_failures;
}

Async<void> Fleet::pause_by_itself(std::string agent_id) {
  const auto turn = co_await turns_.take();
  while (!stopping_.stop_requested()) {
    const auto member = ground_.engine.roster().find(agent_id);
    if (!member || !has_failed_too_often(*member)) break;
    const auto stats = ground_.engine.ledger().stats(agent_id);
    const auto reason = (stats.consecutive_failures == 1 ? "failed once: " : "failed " + std::to_string(stats.consecutive_failures) + " times in a row: ") + stats.last_error;
    Modes::Kept to{.mode = Mode::paused, .since = ground_.world.clock.now(), .by_itself = true, .by = "retry.pause_after_failures", .reason = reason};
    auto changing = change_mode(*member, std::move(to), {.what = event::AgentChanged::What::paused, .by = "retry.pause_after_failures", .reason = reason});
    const auto changed = co_await std::move(changing);
    if (changed) {
      ground_.log.warn("agents", "agent " + manifest::quote(agent_id) + " is paused: it " + reason + "; agentd agents resume " + agent_id);
      break;
    }
    ground_.log.error("agents", "agent " + manifest::quote(agent_id) + " could not be paused, trying again: " + changed.error().message);
    co_await sleep(ground_.world.timers, kTryAgain, stopping_.get_token());
  }
  --pausing_;
}

// ---- what people say

Async<std::expected<void, Fleet::Refusal>> Fleet::set_mode(std::string agent_id, Wish wish) {
  const auto turn = co_await turns_.take();
  const auto member = ground_.engine.roster().find(agent_id);
  if (!member) co_return std::unexpected(Refusal{Refusal::Why::unknown_agent, agent_id});
  const auto conflict = [&](const std::string& why) { return std::unexpected(Refusal{Refusal::Why::conflict, "agent " + manifest::quote(agent_id) + " " + why}); };
  if (!member->enabled) co_return conflict("is stopped by enabled = false: " + member->how_to_enable());
  const bool is_stopped = member->mode == Mode::stopped;
  using What = event::AgentChanged::What;
  if (is_stopped && wish.what == What::resumed) co_return conflict("is stopped, not paused: agentd agents start " + agent_id);
  if (is_stopped && wish.what == What::paused) co_return conflict("is stopped, which is more than paused");
  const auto mode = wish.what == What::paused ? Mode::paused : wish.what == What::stopped ? Mode::stopped : Mode::active;
  if (member->mode == mode) co_return std::expected<void, Refusal>();
  Modes::Kept to{.mode = mode, .since = ground_.world.clock.now(), .by = wish.by, .reason = wish.reason};
  if (mode == Mode::active) to.errors = ground_.engine.ledger().stats(agent_id).error_count;
  auto changing = change_mode(*member, std::move(to), {.what = wish.what, .by = wish.by, .reason = wish.reason});
  const auto changed = co_await std::move(changing);
  if (!changed) co_return std::unexpected(Refusal{Refusal::Why::ledger, changed.error().message, changed.error()});
  if (mode == Mode::stopped) co_await cancel_what_runs(agent_id, wish.reason.empty() ? "the agent was stopped" : "the agent was stopped: " + wish.reason);
  co_return std::expected<void, Refusal>();
}

// Whatever the ledger answers, everybody goes by what is kept.
Async<port::LedgerResult<void>> Fleet::change_mode(const Member& member, Modes::Kept to, event::AgentChanged change) {
  const auto agent_id = member.agent_id;
  change.revision = member.revision;
  if (ground_.engine.sharing().is_shared()) {  // another replica may have changed another agent's
    auto loading = ground_.engine.modes().load();
    const auto loaded = co_await std::move(loading);
    if (!loaded) co_return std::unexpected(port::LedgerError{port::LedgerFault::unavailable, loaded.error().message});
  }
  auto setting = ground_.engine.modes().set(agent_id, std::move(to), std::move(change));
  auto set = co_await std::move(setting);
  ground_.engine.roster().take_mode(agent_id);
  if (auto now = ground_.engine.roster().find(agent_id)) co_await take(std::move(now));
  co_return set;
}

// Those in flight; what waits or is queued stays as it is, and is not claimed before the agent is started again.
Async<void> Fleet::cancel_what_runs(std::string agent_id, std::string reason) {
  port::RunFilter filter{.agent_id = agent_id, .status = port::RunStatus::running, .limit = kMostCancelled};
  const auto running = co_await ground_.engine.ledger().list(std::move(filter));
  if (!running) {
    ground_.log.error("agents", "what runs of agent " + manifest::quote(agent_id) + " cannot be read, so it is not cancelled: " + running.error().message);
    co_return;
  }
  for (const auto& row : *running) {
    auto cancelling = ground_.engine.worker().cancel(row.run, reason);
    const auto cancelled = co_await std::move(cancelling);
    if (!cancelled) ground_.log.warn("agents", "run " + to_text(row.run) + " of agent " + manifest::quote(agent_id) + " could not be cancelled: " + cancelled.error().message);
  }
}

// ---- manifests

Async<Result<Changes>> Fleet::reload(std::vector<std::string> folders, std::string working_folder) {
  const auto turn = co_await turns_.take();
  auto loading = ground_.engine.load_agents_again(std::move(folders), std::move(working_folder));
  auto changes = co_await std::move(loading);
  if (!changes) co_return changes;
  for (const auto& member : changes->removed) co_await leave(member->agent_id);
  for (const auto& member : changes->created) co_await take(member);
  for (const auto& member : changes->updated) co_await take(member);
  const auto tell = [this](const std::vector<MemberRef>& members, const char* what) {
    for (const auto& member : members) ground_.log.info("agents", "agent " + manifest::quote(member->agent_id) + what + member->file);
  };
  tell(changes->created, " is new, from ");
  tell(changes->updated, " has changed: new runs go by ");
  tell(changes->removed, " is gone: there is no more ");
  co_return changes;
}

Async<void> Fleet::take(MemberRef member) {
  ground_.engine.ledger().serve(member->agent_id, member->mode != Mode::stopped);
  auto scheduling = ground_.slots.take(member);
  co_await std::move(scheduling);
  auto watching = ground_.files.take(member);
  co_await std::move(watching);
  ground_.watch.take(*member);
}

Async<void> Fleet::leave(std::string agent_id) {
  ground_.engine.ledger().serve(agent_id, false);
  auto leaving = ground_.slots.leave(agent_id);
  co_await std::move(leaving);
  ground_.files.leave(agent_id);
  ground_.watch.leave(agent_id);
}

}  // namespace agentd::host
