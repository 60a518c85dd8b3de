// One operation from its start to its end, in the frame of the coroutine that waits for it. Private to the room.
#pragma once
#include "core/plugin/instance.hpp"

namespace agentd::plugin {

// The engine thread only.
class Instance::Pending final : public Waiter {
 public:
  Pending(Instance& instance, Tick deadline, Capture* capture) : instance_(instance), deadline_(deadline), capture_(capture) {}
  ~Pending() override {
    timers().cancel(timer_);
    if (op_) instance_.forget(op_);  // who waited went away: shutdown
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  void begin(Promise<Ended> promise, Start& start) {
    promise_.emplace(std::move(promise));
    op_ = instance_.open(start, deadline_, *this, capture_);
    if (!op_) return promise_->set(failed(AGENTD_RETRYABLE, "too many operations are open in this host"));
    if (!instance_.ops().is_open(instance_, op_)) return;  // it ended inside its start; the engine hears of it soon
    timer_ = timers().after(left(), [this] { on_deadline(); });
    if (asked_) instance_.cancel_slot(op_);  // stop came from inside the start
  }

  void ask_to_stop() {
    if (!std::exchange(asked_, true) && op_) instance_.cancel_slot(op_);
  }

  void ended(Ended how) override {
    op_ = 0;
    auto promise = std::move(*promise_);
    promise.set_here(std::move(how));  // this is gone when it returns
  }

 private:
  Timers& timers() const { return instance_.world().timers; }
  Millis left() const { return std::max(Millis(0), std::chrono::ceil<Millis>(deadline_ - instance_.world().clock.tick())); }

  void on_deadline() {
    timer_ = timers().after(instance_.around_.patience.grace, [this] { on_grace(); });
    ask_to_stop();
  }

  void on_grace() {
    timer_ = 0;
    if (!instance_.ops().abandon(op_)) return;  // its end is on the way
    instance_.abandoned(op_);
    ended(failed(AGENTD_UNKNOWN_OUTCOME, instance_.who() + " did not answer by its deadline, nor within " + format_duration(instance_.around_.patience.grace) + " of being asked to stop; nobody knows what it did"));
  }

  Instance& instance_;
  const Tick deadline_;
  Capture* const capture_;
  std::optional<Promise<Ended>> promise_;
  agentd_op op_ = 0;
  Timers::Id timer_ = 0;
  bool asked_ = false;
};

}  // namespace agentd::plugin
