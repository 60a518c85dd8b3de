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
  wake_all();
}

void Live::forget(RunId run) {
  const auto newest = std::find_if(window_.rbegin(), window_.rend(), [run](const auto& record) { return record.run == run; });
  for (auto left = std::distance(newest, window_.rend()); left > 0; --left) {
    bytes_ -= window_.front().payload.size();
    window_.pop_front();
  }
}

void Live::wake_all() {
  for (Waiter* waiter : std::exchange(waiting_, {})) {
    auto promise = std::move(*waiter->promise);
    waiter->promise.reset();
    promise.set(true);
  }
}

Async<void> Live::grown(std::stop_token stop) {
  Waiter waiter;
  auto start = [&](Promise<bool> promise) {
    waiter.promise.emplace(std::move(promise));
    waiting_.push_back(&waiter);
  };
  auto waiting = suspend<bool>(start);
  const std::stop_callback on_stop(stop, [&] {
    if (!waiter.promise) return;
    waiting_.remove(&waiter);
    auto promise = std::move(*waiter.promise);
    waiter.promise.reset();
    promise.set(false);
  });
  if (!stop.stop_requested()) co_await std::move(waiting);
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
    co_await grown(stop);
  }
  co_return std::vector<port::StoredRecord>();
}

}  // namespace agentd::event
