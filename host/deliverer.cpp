#include "host/deliverer.hpp"

#include <algorithm>

#include "host/text_mark.hpp"
#include "host/tidings.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kAtOnce = 8, kMostPending = 256, kRecordsAtOnce = 256;
constexpr Millis kFirstPause{5'000}, kLongestPause{900'000}, kLedgerPause{1'000}, kNoteEvery{5'000};

// 5 s, 10 s, 20 s, ... each with up to a quarter more.
Millis pause_after(int tries, std::optional<Millis> retry_after, std::uint64_t chance) {
  const Millis doubled = kFirstPause * (std::int64_t{1} << std::min(tries - 1, 10));
  const auto pause = std::min(doubled, kLongestPause);
  const auto jitter = static_cast<std::int64_t>(chance % static_cast<std::uint64_t>(pause.count() / 4 + 1));
  return std::max(pause + Millis(jitter), std::min(retry_after.value_or(Millis(0)), kLongestPause * 4));
}

bool is_told_of(std::int32_t kind) {
  return kind == event::Ended::kKind || kind == event::AlertRaised::kKind || kind == event::AlertCleared::kKind;
}

std::string what_of(const std::string& run_id) { return run_id.empty() ? "an alert" : "run " + run_id; }

}  // namespace

// Most records tell nobody anything and are not read.
void Deliverer::note(const port::StoredRecord& record) {
  const bool tells = is_told_of(record.kind) && record.payload.find("\"deliver\":") != std::string::npos;
  const bool is_end = record.kind == event::Delivered::kKind || record.kind == event::Undelivered::kKind;
  if (!tells && !is_end) return;
  const auto decoded = event::decode(record.kind, record.payload);
  if (!decoded) return ground_.error("sink \"" + name_ + "\": the ledger's record " + std::to_string(record.position) + " cannot be read: " + decoded.error().message);
  std::visit([&]<class T>(const T& body) {
    if constexpr (std::is_same_v<T, event::Ended> || std::is_same_v<T, event::AlertRaised> || std::is_same_v<T, event::AlertCleared>) {
      const auto mine = std::ranges::find(body.deliver, name_, &event::Recipient::sink);
      if (mine == body.deliver.end()) return;
      std::string agent_id = record.agent_id;
      if constexpr (requires { body.subject; }) agent_id = body.agent_id;
      pending_.try_emplace(record.position, Tiding{.run = record.run, .agent_id = std::move(agent_id), .if_changed = mine->if_changed});
    } else if constexpr (std::is_same_v<T, event::Delivered>) {
      if (body.sink == name_) drop(body.position);
    } else if constexpr (std::is_same_v<T, event::Undelivered>) {
      if (body.sink != name_) return;
      if (body.retry_after_ms < 0) drop(body.position);
      else if (const auto known = pending_.find(body.position); known != pending_.end()) known->second.tries = body.attempt;
    }
  }, decoded->body);
}

// One that is being sent is its sender's until all of it is kept.
void Deliverer::drop(Position at) {
  const auto known = pending_.find(at);
  if (known != pending_.end() && !known->second.is_being_sent) pending_.erase(known);
}

Async<bool> Deliverer::find_place(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::vector<std::string> names = {"deliver:" + name_};
    const auto cursors = co_await ground_.ledger.cursors(std::move(names));
    if (cursors) {
      read_ = saved_ = cursors->front();
      co_return true;
    }
    ground_.warn("sink \"" + name_ + "\": where it stands cannot be read: " + cursors.error().message);
    co_await sleep(ground_.world.timers, kLedgerPause, stop);
  }
  co_return false;
}

Async<void> Deliverer::follow(std::stop_token stop, port::Fence fence) {
  fence_ = std::move(fence);
  following_ = true;
  pending_.clear();
  const bool found = co_await find_place(stop);
  // What an earlier host left is known whole before anything is sent: it may say that it was sent.
  const Position before = ground_.ledger.last_position();
  while (found && !stop.stop_requested()) {
    if (read_ >= before) send_some(stop);
    if (read_ >= before && pending_.size() >= kMostPending) {
      co_await await_an_end(stop);
      continue;
    }
    auto following = ground_.live.after(read_, kRecordsAtOnce, stop);
    const auto records = co_await std::move(following);
    if (!records) {
      ground_.warn("sink \"" + name_ + "\": the journal cannot be read: " + records.error().message);
      co_await sleep(ground_.world.timers, kLedgerPause, stop);
      continue;
    }
    for (const auto& record : *records) note(record);
    if (!records->empty()) read_ = records->back().position;
    co_await save(false);
    save_soon(stop);
  }
  while (in_flight_ + resting_ > 0 || saves_later_) co_await await_an_end({});
  if (found) co_await save(true);
  following_ = false;
}

Async<void> Deliverer::await_an_end(std::stop_token stop) {
  if (one_ended_.stop_requested()) one_ended_ = std::stop_source();
  const std::stop_callback also(stop, [this] { one_ended_.request_stop(); });
  co_await sleep(ground_.world.timers, kLedgerPause, one_ended_.get_token());
}

// What is compared with what was told before waits until that is known.
bool Deliverer::must_wait(Position at, const Tiding& tiding) const {
  if (!tiding.if_changed) return false;
  for (const auto& [before, other] : pending_) {
    if (before >= at) break;
    if (other.is_being_sent && other.agent_id == tiding.agent_id) return true;
  }
  return false;
}

void Deliverer::send_some(std::stop_token stop) {
  for (auto& [at, tiding] : pending_) {
    if (in_flight_ >= kAtOnce) return;
    if (tiding.under_way || must_wait(at, tiding)) continue;
    tiding.under_way = tiding.is_being_sent = true;
    ++in_flight_;
    spawn(ground_.world.executor, tell(at, stop));
  }
}

Async<Result<std::optional<Deliverer::Told>>> Deliverer::read(Position at) {
  auto records = co_await ground_.ledger.events_after(at - 1, 1);
  if (!records) co_return fail(records.error().message);
  if (records->empty() || records->front().position != at) co_return std::nullopt;  // it was pruned, or forgotten
  auto decoded = event::decode(records->front().kind, records->front().payload);
  if (!decoded) co_return std::nullopt;  // which was told when it was noted
  co_return Told{std::move(records->front()), std::move(decoded->body)};
}

// Whether its result is the one that this sink was told last of the agent. What cannot be compared has changed.
Async<Result<bool>> Deliverer::is_unchanged(const Told& told) {
  const auto* ended = std::get_if<event::Ended>(&told.body);
  if (!ended || ended->status != port::RunStatus::completed) co_return false;
  const auto mine = std::ranges::find(ended->deliver, name_, &event::Recipient::sink);
  if (mine == ended->deliver.end() || !mine->if_changed) co_return false;
  std::vector<std::string> names = {told_cursor(told.record.agent_id)};
  const auto before = co_await ground_.ledger.cursors(std::move(names));
  if (!before) co_return fail(before.error().message);
  co_return before->front() == mark_of(ended->result_json());
}

// It may be told the same again where this is not kept: nobody waits for it.
Async<void> Deliverer::note_result(const Told& told) {
  const auto* ended = std::get_if<event::Ended>(&told.body);
  if (!ended || ended->status != port::RunStatus::completed) co_return;
  const auto mine = std::ranges::find(ended->deliver, name_, &event::Recipient::sink);
  if (mine == ended->deliver.end() || !mine->if_changed) co_return;
  std::vector<port::Cursor> marks = {{told_cursor(told.record.agent_id), mark_of(ended->result_json()), fence_}};
  const auto kept = co_await ground_.ledger.put_cursors(std::move(marks));
  if (!kept) ground_.warn("sink \"" + name_ + "\": what it was told last could not be kept: " + kept.error().message);
}

// Until it is durable; false: not before this host stops, so that the next one may send it again.
Async<bool> Deliverer::keep(std::string agent_id, event::Body body, std::stop_token stop) {
  while (true) {
    port::Transition transition{.agent_id = agent_id, .records = {event::to_record(body)}, .fence = fence_};
    const auto kept = co_await ground_.ledger.commit(std::move(transition));
    if (kept) co_return true;
    const bool is_anothers = kept.error().fault == port::LedgerFault::stale;  // which tells the sink again
    if (is_anothers || stop.stop_requested()) co_return false;
    co_await sleep(ground_.world.timers, kLedgerPause, stop);
  }
}

// What is to be told is gone.
Async<void> Deliverer::give_up(Position at, std::stop_token stop) {
  const auto tiding = pending_.at(at);
  const auto run_id = to_text(tiding.run);
  const std::string why = run_id.empty() ? "the alert has been removed" : "the run it tells of has been removed";
  event::Body said = event::Undelivered{name_, run_id, at, tiding.tries, why, -1};
  auto keeping = keep(tiding.agent_id, std::move(said), stop);
  const bool kept = co_await std::move(keeping);
  if (kept) ground_.error("sink \"" + name_ + "\" was not told of " + what_of(run_id) + ": " + why);
}

// One try. How long to wait for the next one; nothing: there is none.
Async<std::optional<Millis>> Deliverer::attempt(Position at, std::stop_token stop) {
  auto told = co_await read(at);
  Result<bool> unchanged = false;
  if (told && *told) unchanged = co_await is_unchanged(**told);
  if (!told || !unchanged) {
    ground_.warn("sink \"" + name_ + "\": what it is to be told cannot be read: " + (told ? unchanged.error() : told.error()).message);
    co_return kLedgerPause;
  }
  if (!*told) co_await give_up(at, stop);
  if (!*told || *unchanged) co_return std::nullopt;
  const auto& [record, body] = **told;
  Message message;
  std::string agent_id = record.agent_id;
  std::visit([&]<class T>(const T& says) {
    if constexpr (requires { message_of(record, says); }) message = message_of(record, says);
    if constexpr (requires { says.subject; }) agent_id = says.agent_id;
  }, body);
  message.sent_at = ground_.world.clock.now();
  auto sending = sink_.send(std::move(message), stop);
  auto sent = co_await std::move(sending);
  if (!sent && stop.stop_requested()) co_return std::nullopt;
  const auto run_id = to_text(record.run);
  const int tries = ++pending_.at(at).tries;
  if (sent) {
    co_await keep(agent_id, event::Delivered{name_, run_id, at, tries}, stop);
    auto noting = note_result(**told);
    co_await std::move(noting);
    co_return std::nullopt;
  }
  auto& error = sent.error();
  ground_.cleaner.clean(error.message);
  const bool again = error.error_class == ErrorClass::retryable && tries < kMostTries;
  const Millis pause = again ? pause_after(tries, error.retry_after, ground_.world.random.next()) : Millis(-1);
  const bool kept = co_await keep(agent_id, event::Undelivered{name_, run_id, at, tries, error.message, pause.count()}, stop);
  if (kept && !again) ground_.error("sink \"" + name_ + "\" was not told of " + what_of(run_id) + ", after " + std::to_string(tries) + " tries: " + error.message);
  if (again) co_return pause;
  co_return std::nullopt;
}

// One that rests keeps no other from being sent.
Async<void> Deliverer::tell(Position at, std::stop_token stop) {
  const auto pause = co_await attempt(at, stop);
  --in_flight_;
  if (const auto tiding = pending_.find(at); tiding != pending_.end()) tiding->second.is_being_sent = false;
  if (!stop.stop_requested()) {
    if (!pause) pending_.erase(at);
    send_some(stop);
    save_soon(stop);
  }
  if (pause) {
    ++resting_;
    co_await sleep(ground_.world.timers, *pause, stop);
    --resting_;
    if (const auto tiding = pending_.find(at); tiding != pending_.end()) tiding->second.under_way = false;
    if (!stop.stop_requested()) send_some(stop);
  }
  one_ended_.request_stop();
}

Position Deliverer::place() const { return pending_.empty() ? read_ : std::min(read_, pending_.begin()->first - 1); }

Async<void> Deliverer::save(bool now) {
  const Position done = place();
  if (done == saved_ || (!now && ground_.world.clock.tick() - saved_at_ < kNoteEvery)) co_return;
  saved_at_ = ground_.world.clock.tick();
  std::vector<port::Cursor> cursors = {{"deliver:" + name_, done, fence_}};
  const auto saved = co_await ground_.ledger.put_cursors(std::move(cursors));
  if (saved) saved_ = done;
  else if (saved.error().fault != port::LedgerFault::stale) ground_.warn("sink \"" + name_ + "\": where it stands cannot be noted: " + saved.error().message);
}

// Also where nothing more comes: what is kept until it has been told is kept no longer than that.
void Deliverer::save_soon(std::stop_token stop) {
  if (place() != saved_ && !std::exchange(saves_later_, true)) spawn(ground_.world.executor, save_later(std::move(stop)));
}

Async<void> Deliverer::save_later(std::stop_token stop) {
  const bool whole = co_await sleep(ground_.world.timers, kNoteEvery, stop);
  if (whole) co_await save(true);
  saves_later_ = false;
  one_ended_.request_stop();
}

}  // namespace agentd::host
