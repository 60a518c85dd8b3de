#include "host/slots.hpp"

#include "core/event/record.hpp"
#include "host/entries.hpp"
#include "host/retention.hpp"
#include "host/text_mark.hpp"
#include "host/together.hpp"

namespace agentd::host {
namespace {

constexpr Millis kTryAgain{1'000};
constexpr std::size_t kAtOnce = 1024;

// Since when an agent's schedule has been in force, and which one that is.
std::string begin_cursor(const std::string& agent_id) { return "schedule:" + agent_id; }
std::string which_cursor(const std::string& agent_id) { return "schedule-is:" + agent_id; }

constexpr const char* kOfEarlier = "/earlier";  // behind the key of slots whose schedule is gone: one of the new may be at the same instant

constexpr Position kNone = -1;  // of which_cursor: the schedule is not in force, and begins anew when it is again

// What the keys of an agent's slots begin with.
std::string slots_of(const std::string& agent_id) { return agent_id + '@'; }
std::string behind_slots_of(const std::string& agent_id) { return agent_id + 'A'; }  // it comes after '@'

// The slot that an entry stands for, the last one where it stands for several.
std::optional<Instant> slot_of(const std::string& payload) {
  const auto decoded = event::decode(event::Entered::kKind, payload);
  if (!decoded) return std::nullopt;
  const auto& entered = std::get<event::Entered>(decoded->body);
  if (entered.last) return entered.last;
  return entered.scheduled_at;
}

const char* reason_of(const schedule::LostSlots& lost) {
  using Why = schedule::LostSlots::Why;
  if (lost.why == Why::paused) return "paused";
  if (lost.why == Why::no_room) return "more slots were missed than the agent's queue holds";
  return lost.into ? "a later slot runs in their place" : "the host was not running, or could not keep up";
}

port::RunStatus status_of(const schedule::LostSlots& lost) {
  using Why = schedule::LostSlots::Why;
  return lost.why == Why::paused ? port::RunStatus::skipped : lost.why == Why::no_room ? port::RunStatus::dropped : port::RunStatus::missed;
}

std::string start_cursor(const std::string& agent_id) { return "start:" + agent_id; }

Position mark_of_schedule(std::string_view canonical) {
  const auto manifest = event::ObjectReader::open(canonical);
  return mark_of(manifest ? manifest->raw("schedule") : std::string_view());
}

}  // namespace

Slots::Slots(World world, port::Ledger& ledger, const Members& members, const Log& log, const port::LedgerSharing* sharing)
    : world_(world), ledger_(ledger), sharing_(sharing), members_(members), log_(log), ticker_(world.clock, world.timers, [this](schedule::SlotBatch batch) { take(std::move(batch)); }) {}

Async<void> Slots::start() {
  if (!clocks_agree()) {
    stand_still();
    co_return;
  }
  auto beginning = go_on_all();
  co_await std::move(beginning);
}

Async<void> Slots::go_on_all() {
  pruned_ = co_await Retention::dealt_with_until(ledger_);
  if (pruned_ && is_ahead(*pruned_)) pruned_.reset();
  std::vector<MemberRef> some;
  std::vector<std::string> disabled;
  for (const auto& [id, member] : std::map(members_.members())) {
    if (member->enabled && member->schedule) some.push_back(member);
    if (!member->enabled && member->schedule) disabled.push_back(id);
    if (some.size() == kAtOnce) co_await start_some(std::exchange(some, {}));
  }
  co_await start_some(std::move(some));
  if (!disabled.empty()) co_await put_out_of_force(std::move(disabled));
  co_await run_once();
  if (ahead_)
    log_.warn("schedule", "the clock was ahead when this host ran before: the ledger has slots up to " + format_instant_s(*ahead_) + ", and it is " + format_instant_s(world_.clock.now()) +
                              "; schedules go on from now, and a slot that has run does not run again");
}

bool Slots::clocks_agree() const { return !sharing_ || sharing_->clocks_agree(); }

// By a clock that is not the ledger's no slot is due: other replicas see to them. When it is right again, the ledger says where they are.
void Slots::stand_still() {
  if (std::exchange(still_, true)) return;
  for (const auto& [id, member] : members_.members()) ticker_.remove(id);
  due_.clear();
  spawn(world_.executor, wait_for_the_clock());
}

Async<void> Slots::wait_for_the_clock() {
  while (!stopping_.stop_requested() && !clocks_agree()) co_await sleep(world_.timers, kTryAgain, stopping_.get_token());
  if (stopping_.stop_requested()) co_return;
  still_ = false;
  due_.clear();
  auto going_on = go_on_all();
  co_await std::move(going_on);
}

Async<void> Slots::take(MemberRef member) {
  if (!member->enabled || !member->schedule) {
    auto leaving = leave(member->agent_id);
    co_await std::move(leaving);
  } else if (!still_) {
    std::vector<MemberRef> one = {member};
    co_await start_some(std::move(one));
  }
  if (still_ || !member->starts_by_itself() || !member->run_on_start) co_return;
  std::vector<MemberRef> one = {member};
  co_await run_once(std::move(one));
}

// Nobody owes its slots from now on.
Async<void> Slots::leave(std::string agent_id) {
  ticker_.remove(agent_id);
  std::vector<std::string> one = {std::move(agent_id)};
  co_await put_out_of_force(std::move(one));
}

Async<void> Slots::put_out_of_force(std::vector<std::string> agents) {
  std::vector<std::string> names;
  for (const auto& agent_id : agents) names.push_back(which_cursor(agent_id));
  const auto marks = co_await ledger_.cursors(names);
  std::vector<port::Cursor> gone;
  for (std::size_t i = 0; marks && i < names.size(); ++i)
    if ((*marks)[i] != 0 && (*marks)[i] != kNone) gone.push_back({names[i], kNone});
  co_await keep(std::move(gone));
}

Async<void> Slots::run_once() {
  std::vector<MemberRef> some;
  for (const auto& [id, member] : members_.members()) {
    if (member->starts_by_itself() && member->run_on_start) some.push_back(member);
    if (some.size() == kAtOnce) co_await run_once(std::exchange(some, {}));
  }
  if (!some.empty()) co_await run_once(std::move(some));
}

// The key keeps replicas and a death in between from running it twice; the cursor outlives the run's records.
Async<void> Slots::run_once(std::vector<MemberRef> members) {
  const auto epoch = ledger_.epoch();
  std::vector<std::string> names;
  for (const auto& member : members) names.push_back(start_cursor(member->agent_id));
  const auto done = co_await ledger_.cursors(std::move(names));
  if (!done) {
    log_.error("schedule", "whether agents have run on start cannot be read, so none does now: " + done.error().message);
    co_return;
  }
  std::vector<port::Entry> entries;
  std::vector<port::Cursor> marks;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if ((*done)[i] == mark_of(epoch)) continue;
    const event::Entered entered{.trigger = "start", .key = "start:" + epoch};
    entries.push_back(entry_for(world_, *members[i], entered));
    marks.push_back({start_cursor(members[i]->agent_id), mark_of(epoch)});
  }
  if (entries.empty()) co_return;
  const bool entered = co_await enqueue(std::move(entries));
  if (entered) co_await keep(std::move(marks));
}

// That another schedule is in force is kept behind what the earlier one owed: a death in between asks for that again.
Async<void> Slots::start_some(std::vector<MemberRef> members) {
  auto begun = co_await begins(members);
  std::vector<Async<void>> settling, going_on;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (begun[i].earlier_since) settling.push_back(settle_earlier(members[i], &begun[i]));
  co_await together(std::move(settling));
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& member = *members[i];
    if (begun[i].now) ticker_.add(member.agent_id, *member.schedule, member.policy, begun[i].at, member.mode != Mode::active);
    else going_on.push_back(go_on(member, begun[i].at));
  }
  co_await together(std::move(going_on));
  ticker_.hand_over();
  co_await keep_due();
  if (still_) co_return;
  std::vector<port::Cursor> fresh;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto which = mark_of_schedule(members[i]->manifest);
    const auto at = begun[i].at ? begun[i].at->time_since_epoch().count() : begun[i].kept_at;
    if (begun[i].at && begun[i].kept_which != which) fresh.push_back({which_cursor(members[i]->agent_id), which});
    if (begun[i].kept_at != at) fresh.push_back({begin_cursor(members[i]->agent_id), at});
  }
  if (!stopping_.stop_requested()) co_await keep(std::move(fresh));
}

// The slots that a schedule owed until now, when another one has come in its place while no host ran. Where only what is done with them
// has changed, they are owed as before.
Async<void> Slots::settle_earlier(MemberRef member, Begin* begin) {
  auto reading = earlier_schedule(member, begin->kept_which);
  const auto schedule = co_await std::move(reading);
  if (!schedule) co_return;
  if (*schedule == *member->schedule) {
    begin->at = begin->earlier_since;
    begin->now = false;
    co_return;
  }
  if (ticker_.has(member->agent_id)) co_return;  // it settles them itself
  auto asking = last_dealt_with(*member, begin->earlier_since);
  const auto after = co_await std::move(asking);
  if (!after) co_return;
  const auto lost = schedule::count_slots(*schedule, *after, world_.clock.now());
  if (lost.count == 0) co_return;
  using Why = schedule::LostSlots::Why;
  const auto why = member->mode == Mode::active ? Why::missed : Why::paused;
  due_.push_back(lost_entry(*member, {why, member->agent_id, lost.count, lost.first, lost.last, {}}, kOfEarlier));
}

// The revision that has it is the last one or, where the manifest has changed more than once, one before.
Async<std::optional<schedule::Schedule>> Slots::earlier_schedule(MemberRef member, Position which) {
  for (auto revision = member->revision - 1; revision > 0; --revision) {
    const auto kept = co_await ledger_.spec(member->agent_id, revision);
    if (!kept) {
      log_.error("schedule", member->agent_id + ": the schedule before this one cannot be read, so slots of it may have been missed without a record: " + kept.error().message);
      break;
    }
    if (!*kept || mark_of_schedule((*kept)->content) != which) continue;
    const auto spec = manifest::parse_canonical((*kept)->content);
    if (!spec) {
      log_.error("schedule", member->agent_id + ": slots of the schedule before this one may have been missed without a record: revision " + std::to_string(revision) + " cannot be read: " + spec.error().message);
      break;
    }
    const auto schedule = schedule::make_schedule(spec->schedule);
    co_return schedule ? *schedule : std::nullopt;
  }
  co_return std::nullopt;
}

// Tried until they are in, or the host stops; nobody waits for more than the first try.
Async<void> Slots::keep(std::vector<port::Cursor> cursors) {
  if (cursors.empty()) co_return;
  const bool kept = co_await try_to_keep(cursors);
  if (!kept) spawn(world_.executor, keep_later(std::move(cursors)));
}

Async<bool> Slots::try_to_keep(std::vector<port::Cursor> cursors) {
  const auto kept = co_await ledger_.put_cursors(std::move(cursors));
  if (!kept) log_.warn("schedule", "what schedules are to go on from could not be kept, trying again: " + kept.error().message);
  co_return kept.has_value();
}

Async<void> Slots::keep_later(std::vector<port::Cursor> cursors) {
  while (!stopping_.stop_requested()) {
    co_await sleep(world_.timers, kTryAgain, stopping_.get_token());
    if (stopping_.stop_requested()) break;
    const bool kept = co_await try_to_keep(cursors);
    if (kept) break;
  }
}

// Since when each schedule has been in force. What the ledger has says which are new, whoever died before they had begun.
Async<std::vector<Slots::Begin>> Slots::begins(std::vector<MemberRef> members) {
  std::vector<std::string> names;
  for (const auto& member : members) {
    names.push_back(begin_cursor(member->agent_id));
    names.push_back(which_cursor(member->agent_id));
  }
  std::vector<Begin> all(members.size());
  const auto found = co_await ledger_.cursors(std::move(names));
  for (std::size_t i = 0; found && i < members.size(); ++i) all[i] = begin_of(*members[i], (*found)[2 * i], (*found)[2 * i + 1]);
  co_return all;
}

Slots::Begin Slots::begin_of(const Member& member, Position begun, Position mark) {
  const auto now = world_.clock.now();
  const auto which = mark_of_schedule(member.manifest);
  const bool same = mark == which || (mark == 0 && begun != 0);  // 0: kept before there were marks
  auto since = Instant(Millis(begun));
  if (!same) {
    since = schedule::begin_of(member.agent_id, *member.schedule, member.policy, now);
    if (begun != 0 && !is_ahead(Instant(Millis(begun)))) since = std::max(since, Instant(Millis(begun)));
    if (pruned_) since = std::max(since, *pruned_);  // their runs are gone, so nothing else says that they have been
  } else if (is_ahead(since)) {
    since = now;
  }
  Begin begin{since, !same, {}, begun, mark};
  const bool was_in_force = begun != 0 && mark != 0 && mark != kNone;
  if (!same && was_in_force) begin.earlier_since = Instant(Millis(begun));
  return begin;
}

Async<void> Slots::go_on(const Member& member, std::optional<Instant> begun) {
  const auto after = co_await last_dealt_with(member, begun);
  ticker_.add(member.agent_id, *member.schedule, member.policy, after, member.mode != Mode::active);
}

Async<bool> Slots::keep_dealt_with(std::string agent_id, std::string entry_payload) const {
  const auto slot = slot_of(entry_payload);
  if (!slot) co_return true;
  std::vector<std::string> names = {begin_cursor(agent_id)};
  const auto begun = co_await ledger_.cursors(std::move(names));
  if (!begun) co_return false;
  const auto until = slot->time_since_epoch().count();
  if (begun->front() >= until) co_return true;
  std::vector<port::Cursor> later = {{begin_cursor(agent_id), until}};
  const auto kept = co_await ledger_.put_cursors(std::move(later));
  co_return kept.has_value();
}

void Slots::stop() {
  stopping_.request_stop();
  for (const auto& [id, member] : members_.members()) ticker_.remove(id);
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
  co_return slot_of(rows->front().payload);
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
  if (pruned_ && (!begun || *begun < *pruned_)) begun = pruned_;
  if (!slot) co_return begun;
  co_return begun ? std::max(*slot, *begun) : *slot;
}

port::Entry Slots::lost_entry(const Member& member, const schedule::LostSlots& lost, const char* behind_key) const {
  const event::Entered entered{.trigger = "schedule", .key = schedule::slot_key(lost.agent_id, lost.last) + behind_key, .reason = reason_of(lost), .count = static_cast<std::int64_t>(lost.count),
                               .first = lost.first, .last = lost.last, .into = lost.into};
  auto entry = entry_for(world_, member, entered);
  entry.status = status_of(lost);
  return entry;
}

// Slots that are made up for one after the other do not push each other aside: they queue.
port::Entry Slots::due_entry(const Member& member, const schedule::DueSlot& due) const {
  const event::Entered entered{.trigger = "schedule", .scheduled_at = due.scheduled_at, .key = schedule::slot_key(due.agent_id, due.scheduled_at), .gated = member.gated};
  auto entry = entry_for(world_, member, entered);
  entry.due_at = due.due_at;
  const bool one_of_all = due.misfire && member.policy.misfire == schedule::Policy::Misfire::all;
  if (one_of_all && entry.overlap != port::Overlap::allow) entry.overlap = port::Overlap::queue;
  return entry;
}

void Slots::take(schedule::SlotBatch batch) {
  if (!clocks_agree()) return stand_still();
  if (batch.clock_was)
    log_.warn("schedule", "the clock went back, from " + format_instant_s(*batch.clock_was) + " to " + format_instant_s(world_.clock.now()) +
                              ": schedules go on from now, and a slot that has run does not run again");
  due_.reserve(due_.size() + batch.lost.size() + batch.due.size());
  for (const auto& lost : batch.lost)
    if (const auto member = members_.find(lost.agent_id)) due_.push_back(lost_entry(*member, lost));
  for (const auto& due : batch.due)
    if (const auto member = members_.find(due.agent_id)) due_.push_back(due_entry(*member, due));
  if (!due_.empty() && !std::exchange(keeping_, true)) spawn(world_.executor, keep_due());
}

// One batch after the other: an agent's last slot in the ledger says that those before it are there, too.
Async<void> Slots::keep_due() {
  const auto turn = co_await keeping_turns_.take();
  for (bool goes_on = true; goes_on && !due_.empty();) goes_on = co_await enqueue(std::exchange(due_, {}));
  keeping_ = false;
}

// A slot is not given up because the ledger cannot take it now: it is tried until it is in. False: the host stops, or the clock is wrong.
Async<bool> Slots::enqueue(std::vector<port::Entry> entries) {
  for (bool told = false; !stopping_.stop_requested();) {
    const auto admitted = co_await ledger_.enqueue(entries);
    if (admitted) co_return true;
    if (!clocks_agree()) {
      stand_still();
      break;
    }
    if (!std::exchange(told, true)) log_.error("schedule", "slots could not be kept, trying again: " + admitted.error().message);
    co_await sleep(world_.timers, kTryAgain, stopping_.get_token());
  }
  co_return false;
}

}  // namespace agentd::host
