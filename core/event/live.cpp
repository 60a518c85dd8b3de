#include "core/event/live.hpp"

#include <algorithm>

namespace agentd::event {

void Live::feed(std::span<const port::StoredRecord> group) {
  for (const auto& record : group) {
    window_.push_back(record);
    bytes_ += record.payload.size();
    last_ = record.position;
  }
  while (!window_.empty() && (window_.size() > bounds_.records || bytes_ > bounds_.bytes)) {
    bytes_ -= window_.front().payload.size();
    window_.pop_front();
  }
  if (group.empty()) return;
  const auto before = group.front().position - 1;
  wake(waiting_, before);
  for (const auto& record : group) {
    if (const auto of_agent = waiting_for_agent_.find(record.agent_id); of_agent != waiting_for_agent_.end()) wake(of_agent->second, before);
    if (const auto of_run = waiting_for_run_.find(record.run); of_run != waiting_for_run_.end()) wake(of_run->second, before);
  }
}

void Live::forget(RunId run) {
  const auto newest = std::find_if(window_.rbegin(), window_.rend(), [run](const auto& record) { return record.run == run; });
  for (auto left = std::distance(newest, window_.rend()); left > 0; --left) {
    bytes_ -= window_.front().payload.size();
    window_.pop_front();
  }
}

void Live::wake(Waiters& waiters, Position before) {
  for (Waiter* waiter : std::exchange(waiters, {})) {
    auto promise = std::move(*waiter->promise);
    waiter->promise.reset();
    promise.set(before);
  }
}

// Where to go on.
Async<Position> Live::grown(Waiters& waiters, std::stop_token stop) {
  Waiter waiter;
  auto start = [&](Promise<Position> promise) {
    waiter.promise.emplace(std::move(promise));
    waiters.push_back(&waiter);
  };
  auto waiting = suspend<Position>(start);
  const std::stop_callback on_stop(stop, [&] {
    if (!waiter.promise) return;
    waiters.remove(&waiter);
    auto promise = std::move(*waiter.promise);
    waiter.promise.reset();
    promise.set(last_);
  });
  if (stop.stop_requested()) co_return last_;
  co_return co_await std::move(waiting);
}

namespace {

// Forgets a place where nobody waits any more.
template <class Places, class Key>
void leave(Places& places, const Key& key) {
  const auto place = places.find(key);
  if (place != places.end() && place->second.empty()) places.erase(place);
}

}  // namespace

Async<Position> Live::idle(Position position, Interest interest, std::stop_token stop) {
  if (position < std::max(last_, ledger_.last_position())) co_return position;
  Position before = position;
  if (interest.run) {
    before = co_await grown(waiting_for_run_[*interest.run], stop);
    leave(waiting_for_run_, *interest.run);
  } else if (!interest.agent_id.empty()) {
    before = co_await grown(waiting_for_agent_[interest.agent_id], stop);
    leave(waiting_for_agent_, interest.agent_id);
  } else {
    before = co_await grown(waiting_, stop);
  }
  co_return std::max(position, before);
}

Async<Result<std::vector<port::StoredRecord>>> Live::after(Position position, std::size_t limit, std::stop_token stop) {
  while (true) {
    if (!window_.empty() && position + 1 >= window_.front().position) {
      const auto from = std::min(window_.size(), static_cast<std::size_t>(position + 1 - window_.front().position));
      const auto count = std::min(limit, window_.size() - from);
      if (count > 0) {
        const auto begin = window_.begin() + static_cast<std::ptrdiff_t>(from);
        co_return std::vector<port::StoredRecord>(begin, begin + static_cast<std::ptrdiff_t>(count));
      }
    } else if (position < ledger_.last_position()) {
      auto read = co_await ledger_.events_after(position, limit);
      if (!read) co_return fail(ErrorClass::retryable, read.error().message);
      if (!read->empty()) co_return std::move(*read);
    }
    if (stop.stop_requested()) break;
    co_await grown(waiting_, stop);
  }
  co_return std::vector<port::StoredRecord>();
}

}  // namespace agentd::event
