#include "core/schedule/ticker.hpp"

#include <algorithm>
#include <functional>

namespace agentd::schedule {
namespace {

constexpr Millis kLongestWait{60'000};  // the wall's clock may jump unnoticed for so long
constexpr Millis kShortestWait{5};      // slots that come closer together share a tick, and so a transaction
constexpr Millis kShortestCatchup{3'600'000};
constexpr Millis kLongestCatchup{7 * 86'400'000};

Millis catchup_window(const Schedule& schedule, const Policy& policy, Instant slot) {
  if (policy.catchup_window) return *policy.catchup_window;
  const auto next = next_slot(schedule, slot);
  return std::clamp(next ? *next - slot : kShortestCatchup, kShortestCatchup, kLongestCatchup);
}

// Up to where slots are dealt with: not by what a clock said that ran ahead.
Instant dealt_with(Instant last, Instant now) { return last > now + kAheadOfClock ? now : last; }

void lose(LostSlots::Why why, const std::string& agent_id, const Count& slots, SlotBatch& out, std::optional<Instant> into = {}) {
  if (slots.count > 0) out.lost.push_back({why, agent_id, slots.count, slots.first, slots.last, into});
}

// Behind which of (from, to] no more than `most` slots lie.
Instant begin_of_last(const Schedule& schedule, Instant from, Instant to, std::uint64_t most) {
  if (count_slots(schedule, from, to).count <= most) return from;
  for (auto begin = to;;) {  // by halving: too many lie behind `from`, not behind `begin`
    const auto middle = from + (begin - from) / 2;
    if (middle == from) return begin;
    (count_slots(schedule, middle, to).count <= most ? begin : from) = middle;
  }
}

// Every slot of (last, to] within the window becomes a run, the earliest first; they wait for one another in the queue. Of more
// than it holds the latest are taken.
void make_up_for_all(const std::string& agent_id, const Schedule& schedule, const Policy& policy, Instant last, Instant to,
                     Instant now, SlotBatch& out) {
  const auto missed = count_slots(schedule, last, to);
  if (missed.count == 0) return;
  const auto jitter = jitter_of(agent_id, schedule.jitter);
  const auto window = std::clamp(now - jitter - catchup_window(schedule, policy, missed.last) - Millis(1), last, to);
  lose(LostSlots::Why::missed, agent_id, count_slots(schedule, last, window), out);
  const auto begin = begin_of_last(schedule, window, to, policy.most_at_once);
  lose(LostSlots::Why::no_room, agent_id, count_slots(schedule, window, begin), out);
  for (const auto slot : slots_between(schedule, begin, to, policy.most_at_once))
    out.due.push_back({agent_id, slot, slot + jitter, true});
}

// What was missed in (last, to], with the latest of it run now if the policy says so and no punctual one takes its place.
void settle_missed(const std::string& agent_id, const Schedule& schedule, const Policy& policy, Instant last, Instant to,
                   std::optional<Instant> punctual, Instant now, SlotBatch& out) {
  if (policy.misfire == Policy::Misfire::all) return make_up_for_all(agent_id, schedule, policy, last, to, now, out);
  auto missed = count_slots(schedule, last, to);
  if (missed.count == 0) return;
  std::optional<Instant> into;
  if (policy.misfire == Policy::Misfire::latest) into = punctual;
  const auto due_at = missed.last + jitter_of(agent_id, schedule.jitter);
  if (!punctual && policy.misfire == Policy::Misfire::latest && now - due_at <= catchup_window(schedule, policy, missed.last)) {
    out.due.push_back({agent_id, missed.last, due_at, true});
    into = missed.last;
    missed = {missed.count - 1, missed.first, last_slot(schedule, missed.first, missed.last - Millis(1))};
  }
  lose(LostSlots::Why::missed, agent_id, missed, out, into);
}

// Hands over what is due of one agent, whose next slot is `slot`; returns the slot after.
std::optional<Instant> collect(const std::string& agent_id, const Schedule& schedule, const Policy& policy, Instant slot,
                               Instant now, SlotBatch& out) {
  const auto jitter = jitter_of(agent_id, schedule.jitter);
  const auto until = now - jitter;                              // slots up to here are due
  const auto missed_until = until - kMisfireAfter - Millis(1);  // and up to here they are misfires
  std::optional<Instant> next = slot;
  if (slot <= missed_until) next = next_slot(schedule, missed_until);
  const auto punctual = next && *next <= until ? next : std::nullopt;
  if (slot <= missed_until) settle_missed(agent_id, schedule, policy, slot - Millis(1), missed_until, punctual, now, out);
  for (; next && *next <= until; next = next_slot(schedule, *next)) out.due.push_back({agent_id, *next, *next + jitter, false});
  return next;
}

}  // namespace

Policy make_policy(const manifest::Schedule& schedule, std::int64_t queue_size) {
  using Misfire = Policy::Misfire;
  const auto misfire = schedule.misfire == manifest::Misfire::skip  ? Misfire::skip
                       : schedule.misfire == manifest::Misfire::all ? Misfire::all
                                                                    : Misfire::latest;
  return {misfire, static_cast<std::uint32_t>(queue_size), schedule.catchup_window};
}

Instant begin_of(std::string_view agent_id, const Schedule& schedule, const Policy& policy, Instant now) {
  const auto* once = std::get_if<At>(&schedule.when);
  return once ? now - jitter_of(agent_id, schedule.jitter) - catchup_window(schedule, policy, once->at) - Millis(1) : now;
}

Ticker::Ticker(Clock& clock, Timers& timers, Sink sink)
    : clock_(clock), timers_(timers), sink_(std::move(sink)), index_(0, Hash{&agents_}, Equal{&agents_}), seen_(clock.now()) {}

Ticker::~Ticker() { timers_.cancel(timer_); }

std::optional<std::uint32_t> Ticker::find(std::string_view agent_id) const {
  const auto found = index_.find(agent_id);
  if (found == index_.end()) return std::nullopt;
  return *found;
}

std::uint32_t Ticker::place_for(std::string agent_id) {
  auto place = static_cast<std::uint32_t>(agents_.size());
  if (free_.empty()) {
    agents_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  agents_[place].id = std::move(agent_id);
  index_.insert(place);
  return place;
}

void Ticker::add(std::string agent_id, const Schedule& schedule, Policy policy, std::optional<Instant> after, bool paused) {
  const auto now = clock_.now();
  const auto known = find(agent_id);
  if (known) {
    auto& agent = agents_[*known];
    agent.policy = policy;
    if (agent.schedule != schedule) replace(agent, schedule, after, now);
    if (agent.paused != paused) return paused ? pause(agent_id) : resume(agent_id);
    queue(*known, next_slot(schedule, agent.last));
    return arm();
  }
  if (!after) after = begin_of(agent_id, schedule, policy, now);
  const auto place = place_for(std::move(agent_id));
  auto& agent = agents_[place];
  agent.schedule = schedule;
  agent.policy = policy;
  agent.last = dealt_with(*after, now);
  agent.paused = paused;
  queue(place, next_slot(schedule, agent.last));
  arm();
}

void Ticker::replace(Agent& agent, const Schedule& schedule, std::optional<Instant> after, Instant now) {
  agent.last = dealt_with(agent.last, now);
  const auto jitter = jitter_of(agent.id, agent.schedule.jitter);
  if (agent.paused) {
    lose(LostSlots::Why::paused, agent.id, count_slots(agent.schedule, agent.last, std::max(agent.last, now)), found_);
  } else {
    const auto first = next_slot(agent.schedule, agent.last);
    if (first && *first + jitter <= now) collect(agent.id, agent.schedule, agent.policy, *first, now, found_);
    for (const auto slot : slots_between(agent.schedule, std::max(agent.last, now - jitter), now, agent.policy.most_at_once))
      found_.due.push_back({agent.id, slot, slot + jitter, false});
  }
  agent.last = std::max({after ? dealt_with(*after, now) : now, now, agent.last});
  agent.schedule = schedule;
}

void Ticker::remove(std::string_view agent_id) {
  const auto place = find(agent_id);
  if (!place) return;
  index_.erase(index_.find(agent_id));
  auto& agent = agents_[*place];
  agent = Agent{.stamp = agent.stamp + 1};
  free_.push_back(*place);
  arm();
}

void Ticker::pause(std::string_view agent_id) {
  const auto place = find(agent_id);
  if (!place) return;
  agents_[*place].paused = true;
  queue(*place, std::nullopt);
  arm();
}

void Ticker::resume(std::string_view agent_id) {
  const auto place = find(agent_id);
  if (!place || !agents_[*place].paused) return;
  auto& agent = agents_[*place];
  agent.paused = false;
  const auto now = clock_.now();
  agent.last = dealt_with(agent.last, now);
  const auto until = std::max(agent.last, now - jitter_of(agent.id, agent.schedule.jitter));
  if (const auto lost = count_slots(agent.schedule, agent.last, until); lost.count > 0)
    found_.lost.push_back({LostSlots::Why::paused, agent.id, lost.count, lost.first, lost.last, {}});
  agent.last = until;
  queue(*place, next_slot(agent.schedule, until));
  arm();
}

void Ticker::hand_over() {
  if (!found_.due.empty() || !found_.lost.empty()) sink_(std::exchange(found_, {}));
}

std::optional<Instant> Ticker::next_due(std::string_view agent_id) const {
  const auto place = find(agent_id);
  if (!place || agents_[*place].paused) return std::nullopt;
  const auto& agent = agents_[*place];
  const auto slot = next_slot(agent.schedule, agent.last);
  if (!slot) return std::nullopt;
  return *slot + jitter_of(agent.id, agent.schedule.jitter);
}

// Makes `slot` the agent's only entry of the heap.
void Ticker::queue(std::uint32_t place, std::optional<Instant> slot) {
  auto& agent = agents_[place];
  ++agent.stamp;
  if (slot && !agent.paused) push({*slot + jitter_of(agent.id, agent.schedule.jitter), place, agent.stamp});
  if (heap_.size() > 2 * agents_.size() + 16) drop_void();
}

void Ticker::push(Due due) {
  heap_.push_back(due);
  std::ranges::push_heap(heap_, Later());
}

Ticker::Due Ticker::pop() {
  std::ranges::pop_heap(heap_, Later());
  const auto due = heap_.back();
  heap_.pop_back();
  return due;
}

void Ticker::drop_void() {
  std::erase_if(heap_, [this](const Due& due) { return is_void(due); });
  std::ranges::make_heap(heap_, Later());
}

void Ticker::arm() {
  while (!heap_.empty() && is_void(heap_.front())) pop();
  if (heap_.empty() && found_.lost.empty() && found_.due.empty()) {
    timers_.cancel(std::exchange(timer_, 0));
    return;
  }
  const auto now = clock_.now();
  const auto earliest = found_.lost.empty() && found_.due.empty() ? heap_.front().at : now;
  const auto wait = std::clamp(earliest - now, kShortestWait, kLongestWait);
  if (timer_ != 0 && now + wait >= armed_for_) return;
  timers_.cancel(timer_);
  armed_for_ = now + wait;
  timer_ = timers_.after(wait, [this] { tick(); });
}

void Ticker::tick() {
  timer_ = 0;
  const auto now = clock_.now();
  auto out = std::exchange(found_, {});
  if (now < seen_ && begin_anew(now)) out.clock_was = seen_;
  seen_ = now;
  collect_due(now, out);
  arm();
  if (!out.due.empty() || !out.lost.empty() || out.clock_was) sink_(std::move(out));
}

void Ticker::collect_due(Instant now, SlotBatch& out) {
  while (!heap_.empty() && (is_void(heap_.front()) || heap_.front().at <= now)) {
    const auto due = pop();
    if (is_void(due)) continue;
    auto& agent = agents_[due.agent];
    const auto jitter = jitter_of(agent.id, agent.schedule.jitter);
    const auto next = collect(agent.id, agent.schedule, agent.policy, due.at - jitter, now, out);
    agent.last = std::max(agent.last, now - jitter);
    if (next) push({*next + jitter, due.agent, due.stamp});
  }
}

// The agents whose slots were dealt with by a clock that ran ahead. False: there is none.
bool Ticker::begin_anew(Instant now) {
  bool any = false;
  for (std::uint32_t place = 0; place < agents_.size(); ++place) {
    auto& agent = agents_[place];
    if (agent.id.empty() || dealt_with(agent.last, now) == agent.last) continue;
    agent.last = now - jitter_of(agent.id, agent.schedule.jitter);
    queue(place, next_slot(agent.schedule, agent.last));
    any = true;
  }
  return any;
}

}  // namespace agentd::schedule
