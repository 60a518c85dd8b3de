#include "host/slots.hpp"

#include "core/event/record.hpp"
#include "host/together.hpp"

namespace agentd::host {
namespace {

constexpr Millis kTryAgain{1'000};
constexpr std::size_t kAtOnce = 1024;

std::string cursor_name(const std::string& agent_id) { return "schedule:" + agent_id; }

// What the keys of an agent's slots begin with.
std::string slots_of(const std::string& agent_id) { return agent_id + '@'; }
std::string behind_slots_of(const std::string& agent_id) { return agent_id + 'A'; }  // it comes after '@'

// The slot that an entry stands for, the last one where it stands for several.
std::optional<Instant> slot_of(const port::RunRow& row) {
  const auto decoded = event::decode(event::Entered::kKind, row.payload);
  if (!decoded) return std::nullopt;
  const auto& entered = std::get<event::Entered>(decoded->body);
  if (entered.last) return entered.last;
  return entered.scheduled_at;
}

}  // namespace

Slots::Slots(World world, port::Ledger& ledger, const Roster& roster, const Log& log)
    : world_(world), ledger_(ledger), roster_(roster), log_(log), ticker_(world.clock, world.timers, [this](schedule::SlotBatch batch) { take(std::move(batch)); }) {}

Async<void> Slots::start() {
  std::vector<const Member*> some;
  for (const auto& [id, member] : roster_.members()) {
    if (member.enabled && member.schedule) some.push_back(&member);
    if (some.size() == kAtOnce) co_await start_some(std::exchange(some, {}));
  }
  co_await start_some(std::move(some));
  if (ahead_)
    log_.warn("schedule", "the clock was ahead when this host ran before: the ledger has slots up to " + format_instant_s(*ahead_) + ", and it is " + format_instant_s(world_.clock.now()) +
                              "; schedules go on from now, and a slot that has run does not run again");
}

Async<void> Slots::start_some(std::vector<const Member*> members) {
  const auto since = co_await begun(members);
  std::vector<Async<void>> going_on;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& member = *members[i];
    if (member.new_schedule) ticker_.add(member.agent_id, *member.schedule, member.policy, std::nullopt);
    else going_on.push_back(go_on(member, since[i]));
  }
  co_await together(std::move(going_on));
}

// A cursor keeps since when a schedule has been in force.
Async<void> Slots::keep_begun(std::vector<port::Cursor> cursors) {
  if (cursors.empty()) co_return;
  const auto kept = co_await ledger_.put_cursors(std::move(cursors));
  if (!kept) log_.warn("schedule", "when schedules came into force could not be kept: " + kept.error().message);
}

// Since when each schedule has been in force. It begins now for those that are new.
Async<std::vector<std::optional<Instant>>> Slots::begun(const std::vector<const Member*>& members) {
  const auto now = world_.clock.now();
  std::vector<port::Cursor> fresh;
  std::vector<std::string> names;
  for (const auto* member : members) {
    names.push_back(cursor_name(member->agent_id));
    if (member->new_schedule) fresh.push_back({names.back(), now.time_since_epoch().count()});
  }
  co_await keep_begun(std::exchange(fresh, {}));
  std::vector<std::optional<Instant>> since(members.size());
  const auto found = co_await ledger_.cursors(std::move(names));
  for (std::size_t i = 0; found && i < found->size(); ++i) {
    if ((*found)[i] <= 0) continue;
    since[i] = Instant(Millis((*found)[i]));
    if (!is_ahead(*since[i])) continue;
    since[i] = now;
    fresh.push_back({cursor_name(members[i]->agent_id), now.time_since_epoch().count()});
  }
  co_await keep_begun(std::move(fresh));
  co_return since;
}

Async<void> Slots::go_on(const Member& member, std::optional<Instant> begun) {
  const auto after = co_await last_dealt_with(member, begun);
  ticker_.add(member.agent_id, *member.schedule, member.policy, after);
}

void Slots::stop() {
  stopping_.request_stop();
  for (const auto& [id, member] : roster_.members()) ticker_.remove(id);
}

// Nobody waits until a wrong clock's time comes: it may be days.
bool Slots::is_ahead(Instant dealt_with) {
  if (dealt_with <= world_.clock.now() + schedule::kAheadOfClock) return false;
  ahead_ = ahead_ ? std::max(*ahead_, dealt_with) : dealt_with;
  return true;
}

// Keys of slots are in the order of their instants.
Async<std::optional<Instant>> Slots::last_slot(std::string agent_id, std::string key_before) {
  port::RunFilter filter{.agent_id = agent_id, .status = {}, .limit = 1, .key_from = slots_of(agent_id), .key_before = std::move(key_before)};
  const auto rows = co_await ledger_.list(std::move(filter));
  if (!rows) log_.error("schedule", agent_id + ": the last slot cannot be read, so those since the schedule began are looked at again: " + rows.error().message);
  if (!rows || rows->empty()) co_return std::nullopt;
  co_return slot_of(rows->front());
}

// The later of the last slot in the ledger and the moment the schedule came into force.
Async<std::optional<Instant>> Slots::last_dealt_with(const Member& member, std::optional<Instant> begun) {
  const auto& id = member.agent_id;
  auto end = behind_slots_of(id);
  auto slot = co_await last_slot(id, std::move(end));
  if (slot && is_ahead(*slot)) {
    end = schedule::slot_key(id, world_.clock.now() + schedule::kAheadOfClock);
    slot = co_await last_slot(id, std::move(end));
  }
  if (!slot) co_return begun;
  co_return begun ? std::max(*slot, *begun) : *slot;
}

port::Entry Slots::entry_for(const Member& member, std::string key) const {
  return {.agent_id = member.agent_id, .key = std::move(key), .nonce = static_cast<std::uint32_t>(world_.random.next()), .due_at = world_.clock.now(),
          .revision = member.revision, .overlap = member.overlap, .queue_size = member.queue_size, .max_concurrent = member.max_concurrent, .payload = {}};
}

void Slots::take(schedule::SlotBatch batch) {
  if (batch.clock_was)
    log_.warn("schedule", "the clock went back, from " + format_instant_s(*batch.clock_was) + " to " + format_instant_s(world_.clock.now()) +
                              ": schedules go on from now, and a slot that has run does not run again");
  std::vector<port::Entry> entries;
  entries.reserve(batch.lost.size() + batch.due.size());
  for (const auto& lost : batch.lost) {
    const auto* member = roster_.find(lost.agent_id);
    if (!member) continue;
    const bool missed = lost.why == schedule::LostSlots::Why::missed;
    event::Entered entered{.trigger = "schedule", .key = schedule::slot_key(lost.agent_id, lost.last), .reason = missed ? "the host was not running, or could not keep up" : "paused",
                           .count = static_cast<std::int64_t>(lost.count), .first = lost.first, .last = lost.last};
    auto entry = entry_for(*member, entered.key);
    entry.status = missed ? port::RunStatus::missed : port::RunStatus::skipped;
    entry.payload = event::encode(entered);
    entries.push_back(std::move(entry));
  }
  for (const auto& due : batch.due) {
    const auto* member = roster_.find(due.agent_id);
    if (!member) continue;
    event::Entered entered{.trigger = "schedule", .scheduled_at = due.scheduled_at, .key = schedule::slot_key(due.agent_id, due.scheduled_at)};
    auto entry = entry_for(*member, entered.key);
    entry.due_at = due.due_at;
    entry.payload = event::encode(entered);
    entries.push_back(std::move(entry));
  }
  if (!entries.empty()) spawn(world_.executor, enqueue(std::move(entries)));
}

// A slot is not given up because the ledger cannot take it now: it is tried until it is in, or the host stops.
Async<void> Slots::enqueue(std::vector<port::Entry> entries) {
  while (!stopping_.stop_requested()) {
    const auto admitted = co_await ledger_.enqueue(entries);
    if (admitted) co_return;
    log_.error("schedule", "slots could not be kept, trying again: " + admitted.error().message);
    co_await sleep(world_.timers, kTryAgain, stopping_.get_token());
  }
}

}  // namespace agentd::host
