#include "tests/sim/months/calendar.hpp"

#include <algorithm>
#include <ranges>

#include "core/schedule/ticker.hpp"

namespace agentd::sim::months {
namespace {

using namespace std::chrono;

constexpr Millis kDurable{2'000};  // from when a slot is noticed to when that is in the ledger
constexpr std::size_t kNowhere = SIZE_MAX;

// A period may be an hour longer where clocks change.
Millis longest_catchup(const manifest::Schedule& spec, const schedule::Schedule& schedule, Instant slot) {
  if (spec.catchup_window) return *spec.catchup_window;
  const auto next = schedule::next_slot(schedule, slot);
  return std::clamp<Millis>(next ? *next - slot : 1h, 1h, 168h) + 1h;
}

}  // namespace

const char* name(Disposition disposition) {
  static constexpr std::array names = {"none", "started", "gated", "skipped", "dropped", "missed", "coalesced"};
  return names[static_cast<std::size_t>(disposition)];
}

Calendar::Calendar(const std::vector<manifest::AgentSpec>& agents, Instant begin, Instant end) {
  for (const auto& spec : agents) {
    auto& agent = agents_[spec.agent_id];
    agent.spec = &spec;
    agent.schedule = **schedule::make_schedule(spec.schedule);
    agent.jitter = schedule::jitter_of(spec.agent_id, agent.schedule.jitter);
    for (auto slot = schedule::next_slot(agent.schedule, begin); slot && *slot <= end;
         slot = schedule::next_slot(agent.schedule, *slot))
      agent.slots.push_back(*slot);
    agent.became.resize(agent.slots.size());
  }
}

void Calendar::object(std::string what) { objections_.push_back(std::move(what)); }

std::string Calendar::most_live() const {
  constexpr std::size_t kTold = 8;
  std::map<std::string, std::size_t> by_agent;
  for (const auto& [run, slot] : live_) ++by_agent[slot.agent->spec->agent_id];
  std::vector<std::pair<std::size_t, std::string>> most;
  for (auto& [agent, count] : by_agent) most.emplace_back(count, agent);
  std::ranges::sort(most, std::greater<>());
  std::string text;
  for (const auto& [count, agent] : most | std::views::take(kTold)) text += (text.empty() ? "" : ", ") + std::to_string(count) + " of " + agent;
  return text;
}

void Calendar::process_begins() {
  for (auto& [id, agent] : agents_) agent.late_starts = 0;
}

void Calendar::see(const port::StoredRecord& record) {
  if (record.position != seen_ + 1) object("after record " + std::to_string(seen_) + " comes " + std::to_string(record.position));
  seen_ = record.position;
  const bool matters =
      record.kind == event::Entered::kKind || record.kind == event::Gated::kKind || record.kind == event::Ended::kKind;
  if (!matters) return;
  const auto decoded = event::decode(record.kind, record.payload);
  if (!decoded) return object("record " + std::to_string(record.position) + " cannot be read: " + decoded.error().message);
  if (const auto* entered = std::get_if<event::Entered>(&decoded->body)) return enter(record, *entered);
  const auto live = live_.find(record.run);
  if (live == live_.end()) return object("run " + to_text(record.run) + " is not live and has a record");
  const auto& [agent, index] = live->second;
  if (const auto* gated = std::get_if<event::Gated>(&decoded->body); gated && !gated->proceed)
    agent->became[index] = Disposition::gated;
  if (record.kind == event::Ended::kKind) live_.erase(live);
}

void Calendar::enter(const port::StoredRecord& record, const event::Entered& entered) {
  const auto agent = agents_.find(record.agent_id);
  if (agent == agents_.end() || entered.trigger != "schedule")
    return object("run " + to_text(record.run) + " of " + record.agent_id + " is of no slot");
  if (entered.scheduled_at)
    enter_one(agent->second, record, *entered.scheduled_at);
  else
    enter_stretch(agent->second, record, entered);
}

void Calendar::enter_one(Agent& agent, const port::StoredRecord& record, Instant slot) {
  const auto index = index_of(agent, slot);
  if (index == kNowhere) return;
  switch (record.status) {
    case port::RunStatus::queued:
      mark(agent, index, Disposition::started);
      expect_in_time(agent, slot, record.at);
      live_[record.run] = {&agent, index};
      return;
    case port::RunStatus::skipped:
      return mark(agent, index, Disposition::skipped);
    case port::RunStatus::dropped:
      return mark(agent, index, Disposition::dropped);
    default:
      object("a slot of " + agent.spec->agent_id + " is entered as " + port::name(record.status));
  }
}

// Not by more than the agent's rules allow, and of the latest one alone where they say so.
void Calendar::expect_in_time(Agent& agent, Instant slot, Instant at) {
  const auto late = at - (slot + agent.jitter);
  const auto slot_name = agent.spec->agent_id + "'s slot " + format_instant(slot);
  if (late < Millis(0)) object(slot_name + " starts before it is due");
  if (late <= schedule::kMisfireAfter + kDurable) return;
  if (agent.spec->schedule.misfire == manifest::Misfire::skip) object(slot_name + " was missed and starts nevertheless");
  if (late > longest_catchup(agent.spec->schedule, agent.schedule, slot) + kDurable)
    object(slot_name + " starts " + std::to_string(late.count()) + " ms late, which is more than its window");
  if (++agent.late_starts > 1 && agent.spec->schedule.misfire == manifest::Misfire::latest)
    object(slot_name + " is the second one that a process makes up for");
}

void Calendar::enter_stretch(Agent& agent, const port::StoredRecord& record, const event::Entered& entered) {
  if (!entered.first || !entered.last) return object("run " + to_text(record.run) + " is of no slot");
  const auto first = index_of(agent, *entered.first), last = index_of(agent, *entered.last);
  if (first == kNowhere || last == kNowhere) return;
  if (std::cmp_not_equal(entered.count, last - first + 1))
    object("a record of " + agent.spec->agent_id + " says " + std::to_string(entered.count) + " slots from " +
           format_instant(*entered.first) + " to " + format_instant(*entered.last));
  const bool dropped = record.status == port::RunStatus::dropped;
  if (!dropped && record.status != port::RunStatus::missed)
    object("a stretch of " + agent.spec->agent_id + " is entered as " + port::name(record.status));
  if (entered.into) index_of(agent, *entered.into);
  const auto disposition = dropped ? Disposition::dropped : entered.into ? Disposition::coalesced : Disposition::missed;
  for (auto index = first; index <= last; ++index) mark(agent, index, disposition);
}

std::size_t Calendar::index_of(const Agent& agent, Instant slot) {
  const auto found = std::ranges::lower_bound(agent.slots, slot);
  if (found != agent.slots.end() && *found == slot) return static_cast<std::size_t>(found - agent.slots.begin());
  object(agent.spec->agent_id + " has no slot at " + format_instant(slot));
  return kNowhere;
}

void Calendar::mark(Agent& agent, std::size_t index, Disposition disposition) {
  auto& became = agent.became[index];
  if (became != Disposition::none)
    object(agent.spec->agent_id + "'s slot " + format_instant(agent.slots[index]) + " is in two records: " + name(became) + ", " +
           name(disposition));
  became = disposition;
}

void Calendar::expect_all_accounted_for(Instant stopped) {
  for (const auto& [id, agent] : agents_)
    for (std::size_t i = 0; i < agent.slots.size(); ++i) {
      if (agent.slots[i] + agent.jitter + schedule::kMisfireAfter + kDurable > stopped) break;
      if (agent.became[i] == Disposition::none) object(id + "'s slot " + format_instant(agent.slots[i]) + " is in no record");
    }
}

std::array<std::uint64_t, static_cast<std::size_t>(Disposition::count)> Calendar::sums() const {
  std::array<std::uint64_t, static_cast<std::size_t>(Disposition::count)> sums{};
  for (const auto& [id, agent] : agents_)
    for (const auto became : agent.became) ++sums[static_cast<std::size_t>(became)];
  return sums;
}

}  // namespace agentd::sim::months
