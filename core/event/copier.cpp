#include "core/event/copier.hpp"

#include <algorithm>

#include "core/event/expand.hpp"

namespace agentd::event {
namespace {
constexpr std::size_t kBatch = 256;  // records
constexpr Millis kFirstDelay{1'000}, kLongestDelay{60'000}, kSaveEvery{1'000};
constexpr const char *kCopying = "no events are copied", *kSaving = "what was copied cannot be noted, and will be sent again";
}  // namespace

Copier::Copier(World world, port::Ledger& ledger, Live& live, port::EventStore& store, std::string name, Listener listener)
    : world_(world), ledger_(ledger), live_(live), store_(store), name_(std::move(name)), listener_(std::move(listener)) {}

double Copier::lag_seconds() const {
  if (!oldest_missing_) return 0;
  return std::max(0.0, std::chrono::duration<double>(world_.clock.now() - *oldest_missing_).count());
}

void Copier::fell_behind() {
  if (!oldest_missing_) oldest_missing_ = world_.clock.now();
}

void Copier::tell(std::string& trouble, const char* what, const std::string& now) {
  if (trouble == now) return;
  trouble = now;
  const std::string sentence = "event store \"" + name_ + "\": " + what;
  if (now.empty()) listener_.info(sentence + ": that is over");
  else listener_.error(sentence + ": " + now);
}

Async<void> Copier::follow(std::stop_token stop, port::Fence fence) {
  fence_ = std::move(fence);
  following_ = true;
  std::string key = "events:" + name_;
  for (Millis delay = kFirstDelay; !stop.stop_requested(); delay = std::min(delay * 2, kLongestDelay)) {
    std::vector<std::string> names = {key};
    const auto cursors = co_await ledger_.cursors(std::move(names));
    if (cursors) {
      kept_ = saved_ = cursors->front();
      break;
    }
    fell_behind();
    tell(copying_, kCopying, cursors.error().message);
    co_await sleep(world_.timers, delay, stop);
  }
  while (!stop.stop_requested()) {
    auto records = co_await live_.after(kept_, kBatch, stop);
    if (!records) {
      fell_behind();
      tell(copying_, kCopying, records.error().message);
      co_await sleep(world_.timers, kFirstDelay, stop);
      continue;
    }
    if (records->empty()) break;
    oldest_missing_ = records->front().at;
    const Position last = records->back().position;
    const Instant last_at = records->back().at;
    const bool delivered = co_await deliver(std::move(*records), stop);
    if (!delivered) break;
    kept_ = last;
    oldest_missing_.reset();
    if (kept_ < ledger_.last_position()) oldest_missing_ = last_at;  // what follows is no older
    co_await save(false);
  }
  co_await save(true);
  following_ = false;
  oldest_missing_.reset();
}

Async<bool> Copier::deliver(std::vector<port::StoredRecord> records, std::stop_token stop) {
  std::vector<port::Event> events;
  for (const auto& record : records) {
    auto expanded = expand(record);
    if (expanded) std::move(expanded->begin(), expanded->end(), std::back_inserter(events));
    else listener_.error("event store \"" + name_ + "\" goes without a record: " + expanded.error().message);  // it must not hold up all that follow
  }
  if (events.empty()) {
    tell(copying_, kCopying, {});
    co_return true;
  }
  for (Millis delay = kFirstDelay;; delay = std::min(delay * 2, kLongestDelay)) {
    auto batch = events;
    const auto kept = co_await store_.append(std::move(batch));
    if (kept) {
      tell(copying_, kCopying, {});
      co_return true;
    }
    tell(copying_, kCopying, kept.error().message);
    const bool slept = co_await sleep(world_.timers, kept.error().retry_after.value_or(delay), stop);
    if (!slept) co_return false;
  }
}

Async<void> Copier::save(bool now) {
  if (kept_ == saved_ || (!now && world_.clock.tick() - saved_at_ < kSaveEvery)) co_return;
  const auto position = kept_;
  saved_at_ = world_.clock.tick();
  std::vector<port::Cursor> cursors = {{"events:" + name_, position, fence_}};
  const auto saved = co_await ledger_.put_cursors(std::move(cursors));
  if (saved) saved_ = position;
  if (!saved && saved.error().fault == port::LedgerFault::stale) co_return;  // another replica goes on from what was noted before
  tell(saving_, kSaving, saved ? std::string() : saved.error().message);
}

}  // namespace agentd::event
