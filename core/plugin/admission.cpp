#include "core/plugin/admission.hpp"

namespace agentd::plugin {

// One who waits; takes itself out of the queue when it goes away, whatever the reason.
struct Admission::InQueue {
  InQueue(Admission& a, Timers& t) : admission(a), timers(t), place(a.queue_.insert(a.queue_.end(), this)) {}
  ~InQueue() {
    timers.cancel(timer);
    if (waiting) admission.queue_.erase(place);
    else if (given) admission.leave();  // nobody took it
  }
  InQueue(const InQueue&) = delete;
  InQueue& operator=(const InQueue&) = delete;

  void wake(bool with_place) {
    if (!std::exchange(waiting, false)) return;
    given = with_place;
    admission.queue_.erase(place);
    promise->set(with_place);
  }

  Admission& admission;
  Timers& timers;
  std::list<InQueue*>::iterator place;
  std::optional<Promise<bool>> promise;
  Timers::Id timer = 0;
  bool waiting = true, given = false;
};

std::optional<Admission::Place> Admission::try_enter() {
  if (taken_ >= limit_) return std::nullopt;
  ++taken_;
  return Place(*this);
}

Async<std::optional<Admission::Place>> Admission::enter(Timers& timers, Millis patience, std::stop_token stop) {
  if (stop.stop_requested()) co_return std::nullopt;
  InQueue self(*this, timers);
  auto start = [&](Promise<bool> promise) {
    self.promise.emplace(std::move(promise));
    self.timer = timers.after(patience, [&self] { self.wake(false); });
  };
  auto waiting = suspend<bool>(start);
  bool entered = false;
  {
    const std::stop_callback on_stop(stop, [&self] { self.wake(false); });
    entered = co_await std::move(waiting);
  }
  if (!entered) co_return std::nullopt;
  self.given = false;
  co_return Place(*this);
}

// A place that comes free goes to the next in the queue without being free in between.
void Admission::leave() {
  if (queue_.empty()) --taken_;
  else queue_.front()->wake(true);
}

}  // namespace agentd::plugin
