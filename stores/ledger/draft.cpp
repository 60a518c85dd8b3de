#include "draft.hpp"

#include <algorithm>

namespace agentd::ledger {

Draft::AgentChange& Draft::agent(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return agent(mirror_.agent(name));
}

Draft::AgentChange& Draft::agent(Agent& agent) {
  const auto [place, is_new] = agents_.try_emplace(&agent);
  if (is_new) {
    place->second.agent = &agent;
    touched_.push_back(&agent);
  }
  return place->second;
}

Draft::RunChange* Draft::run(const agentd_run_id& id, std::uint64_t generation) {
  const auto fits = [&](const LiveRun& run) { return run.nonce == id.nonce && run.generation == generation && !is_final(run.state.status); };
  if (const auto drafted = runs_.find(id.position); drafted != runs_.end()) return fits(drafted->second.run) ? &drafted->second : nullptr;
  const std::lock_guard lock(mutex_);
  auto* known = mirror_.find(id.position);
  if (!known || !fits(*known)) return nullptr;
  if (generation == 0) {
    known->pinned = true;
    pins_.push_back(known->id);
  }
  auto& change = runs_[id.position];
  change.run = {known->id, known->nonce, known->agent, known->revision, known->body_checksum, {}, known->state, known->since, known->generation, known->worker,
                known->tail, false, known->aside};
  changed_.push_back(id.position);
  return &change;
}

Draft::Verdict Draft::judge(const AgentChange& change, std::int32_t overlap, std::uint32_t queue_size) const {
  const std::lock_guard lock(mutex_);
  const bool aside = overlap == AGENTD_OVERLAP_ASIDE;
  const auto live = static_cast<std::ptrdiff_t>(change.agent->own.live()) + change.live;
  const auto in_line = static_cast<std::ptrdiff_t>(change.agent->lane(aside).queue.size()) + (aside ? change.asides_in_line : change.in_line);
  if (overlap == AGENTD_OVERLAP_SKIP && live > 0) return Verdict::skip;
  if (overlap == AGENTD_OVERLAP_CANCEL_PREVIOUS) return Verdict::accept;  // what is in the queue is about to leave it
  return in_line < static_cast<std::ptrdiff_t>(queue_size) ? Verdict::accept : Verdict::full;
}

std::vector<agentd_run_id> Draft::live_runs(const AgentChange& change) const {
  std::vector<agentd_run_id> all;
  const auto ended_here = [this](std::int64_t id) {
    const auto drafted = runs_.find(id);
    return drafted != runs_.end() && is_final(drafted->second.run.state.status);
  };
  const std::lock_guard lock(mutex_);
  const auto take = [&](std::int64_t id) {
    if (!ended_here(id)) all.push_back({id, mirror_.find(id)->nonce, 0});
  };
  for (const auto& [due, id] : change.agent->own.queue) take(id);
  for (const auto id : change.agent->own.claimed) take(id);
  for (const auto id : changed_) {
    const auto& drafted = runs_.at(id);
    if (drafted.is_new && drafted.run.agent == change.agent && !drafted.run.aside && !ended_here(id)) all.push_back({id, drafted.run.nonce, 0});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.position < b.position; });
  return all;
}

void Draft::enter(AgentChange& agent, LiveRun run) {
  agent.live += !run.aside;
  agent.line(run.aside) += 1;
  const auto id = run.id;
  runs_.emplace(id, RunChange{std::move(run), true, true});
  changed_.push_back(id);
}

void Draft::end_or_park(RunChange& change, std::int32_t status, std::int64_t due, std::int64_t now) {
  auto& run = change.run;
  auto& of = agent(*run.agent);
  const auto is_in_line = [](std::int32_t what) { return what == AGENTD_RUN_QUEUED || what == AGENTD_RUN_WAITING; };
  const bool was_in_line = is_in_line(run.state.status);
  run.state.status = status;
  if (!is_final(status)) run.state.due = due, run.since = now;
  run.generation = 0;
  run.tail = 0;
  of.live -= is_final(status) && !run.aside;
  of.ended_one |= is_final(status);
  of.line(run.aside) += is_in_line(status) - was_in_line;
}

bool Draft::apply() noexcept {
  const std::lock_guard lock(mutex_);
  bool due = false;
  for (auto* agent : touched_) {
    auto& change = agents_.at(agent);
    if (change.new_id) agent->id = change.new_id;
    if (change.new_newest) agent->newest = change.new_newest;
    if (change.stats) agent->stats = std::move(*change.stats);
    if (change.max_concurrent) due |= mirror_.limit(*agent, *change.max_concurrent);
  }
  for (const auto id : changed_) {
    auto& change = runs_.at(id);
    auto& run = change.run;
    if (!change.is_new) {
      due |= mirror_.change(id, {run.state, run.since, run.generation, run.tail});
    } else if (!is_final(run.state.status)) {
      due |= mirror_.enter(std::move(run));
    }
  }
  for (const auto id : pins_) due |= mirror_.unpin(id);
  pins_.clear();
  return due;
}

void Draft::release_pins() {
  if (pins_.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const auto id : pins_) mirror_.unpin(id);
}

}  // namespace agentd::ledger
