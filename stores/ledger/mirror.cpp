#include "mirror.hpp"

#include <algorithm>

namespace agentd::ledger {
namespace {

constexpr std::size_t kAsidesAtOnce = 1;

}  // namespace

std::size_t Agent::room(bool aside) const {
  const std::size_t most = aside ? kAsidesAtOnce : max_concurrent, taken = lane(aside).claimed.size();
  return served && taken < most ? most - taken : 0;
}

Agent& Mirror::agent(std::string_view name) {
  if (auto* known = find_agent(name)) return *known;
  agents_.push_back(std::make_unique<Agent>());
  auto& agent = *agents_.back();
  agent.index = agents_.size() - 1;
  agent.name = name;
  names_.emplace(agent.name, &agent);
  return agent;
}

Agent* Mirror::find_agent(std::string_view name) {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

LiveRun* Mirror::find(std::int64_t run) {
  const auto found = runs_.find(run);
  return found == runs_.end() ? nullptr : &found->second;
}

const LiveRun* Mirror::head_of(const Lane& lane) const {
  for (const auto& [due, id] : lane.queue) {
    const auto& run = runs_.at(id);
    if (!run.pinned) return &run;
  }
  return nullptr;
}

// Of those that have room the one that is due first; of two that are due at once the agent's own.
const LiveRun* Mirror::head_of(const Agent& agent) const {
  const auto* own = agent.room(false) > 0 ? head_of(agent.own) : nullptr;
  const auto* aside = agent.room(true) > 0 ? head_of(agent.asides) : nullptr;
  return own && (!aside || own->state.due <= aside->state.due) ? own : aside;
}

Mirror::View Mirror::view(const Agent& agent) const {
  const auto* head = head_of(agent);
  return {head ? head->state.due : kNever, agent.room(false) + agent.room(true)};
}

bool Mirror::settle(Agent& agent, const View& before) {
  const View after = view(agent);
  const bool claimable = after.head != kNever;
  if (agent.place_ == Agent::Place::timeline && (!claimable || agent.timeline_due_ != after.head)) {
    timeline_.erase({agent.timeline_due_, agent.index});
    agent.place_ = Agent::Place::none;
  }
  if (agent.place_ == Agent::Place::none && claimable) {
    timeline_.emplace(after.head, agent.index);
    agent.timeline_due_ = after.head;
    agent.place_ = Agent::Place::timeline;
  }
  return claimable && (after.head < before.head || after.room > before.room);
}

void Mirror::add(const LiveRun& run) {
  auto& lane = run.agent->lane(run.aside);
  if (run.generation) {
    lane.claimed.insert(run.id);
  } else {
    lane.queue.emplace(run.state.due, run.id);
    lane.queued += run.state.status == AGENTD_RUN_QUEUED;
  }
  if (run.tail) tails_.insert(run.tail);
}

void Mirror::take_out(const LiveRun& run) {
  auto& lane = run.agent->lane(run.aside);
  if (run.generation) {
    lane.claimed.erase(run.id);
  } else {
    lane.queue.erase({run.state.due, run.id});
    lane.queued -= run.state.status == AGENTD_RUN_QUEUED;
  }
  if (run.tail) tails_.erase(run.tail);
}

bool Mirror::enter(LiveRun run) {
  auto& agent = *run.agent;
  const View before = view(agent);
  const auto id = run.id;
  add(runs_.emplace(id, std::move(run)).first->second);
  return settle(agent, before);
}

bool Mirror::change(std::int64_t id, const Change& to) {
  const auto known = runs_.find(id);
  if (known == runs_.end()) return false;
  auto& run = known->second;
  auto& agent = *run.agent;
  const View before = view(agent);
  take_out(run);
  run.state = to.state, run.since = to.since, run.generation = to.generation, run.tail = to.tail;
  if (is_final(to.state.status)) {
    runs_.erase(known);
  } else {
    add(run);
  }
  return settle(agent, before);
}

bool Mirror::abandon(std::int64_t id, std::uint64_t generation) {
  const auto* run = find(id);
  if (!run || generation == 0 || run->generation != generation) return false;
  Change back{run->state, run->since, 0, run->tail};
  back.state.status = AGENTD_RUN_QUEUED;
  return change(id, back);
}

bool Mirror::unpin(std::int64_t id) {
  auto* run = find(id);
  if (!run) return false;
  const View before = view(*run->agent);
  run->pinned = false;
  return settle(*run->agent, before);
}

bool Mirror::serve(Agent& agent, bool can) {
  const View before = view(agent);
  agent.served = can;
  return settle(agent, before);
}

bool Mirror::limit(Agent& agent, std::uint32_t max_concurrent) {
  const View before = view(agent);
  agent.max_concurrent = max_concurrent;
  return settle(agent, before);
}

LiveRun* Mirror::next_of(Agent& agent, std::int64_t now) {
  const auto* head = head_of(agent);
  return head && head->state.due <= now ? &runs_.at(head->id) : nullptr;
}

void Mirror::look_at_clock(std::int64_t now) {
  const bool was_set_back = now < seen_;
  seen_ = now;
  if (!was_set_back) return;
  for (auto& [id, run] : runs_) {
    if (run.generation || run.since <= now || run.state.due <= now) continue;
    const Change nearer{{run.state.status, now + std::max<std::int64_t>(0, run.state.due - run.since), run.state.last, run.state.deaths}, now, run.generation, run.tail};
    change(id, nearer);
  }
}

Mirror::Claims Mirror::claim(std::int64_t now, std::size_t n) {
  look_at_clock(now);
  while (!timeline_.empty() && timeline_.begin()->first <= now) {
    const auto index = timeline_.begin()->second;
    timeline_.erase(timeline_.begin());
    agents_[index]->place_ = Agent::Place::ring;
    ring_.push_back(index);
  }
  Claims claims;
  while (claims.runs.size() < n && !ring_.empty()) {
    auto& agent = *agents_[ring_.front()];
    ring_.pop_front();
    agent.place_ = Agent::Place::none;
    if (auto* run = next_of(agent, now)) {
      take_out(*run);
      claims.were.push_back(run->state.status);
      run->generation = ++generation_;
      run->state.status = AGENTD_RUN_RUNNING;
      add(*run);
      claims.runs.push_back(run);
    }
    if (next_of(agent, now)) {
      agent.place_ = Agent::Place::ring;
      ring_.push_back(agent.index);
    } else {
      settle(agent, {});
    }
  }
  claims.next_due = !ring_.empty() ? now : timeline_.empty() ? kNever : timeline_.begin()->first;
  return claims;
}

}  // namespace agentd::ledger
