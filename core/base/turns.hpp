// One story at a time through work that may wait in its middle, in the order in which they came.
#pragma once
#include <deque>

#include "core/base/async.hpp"

namespace agentd {

//   const auto turn = co_await turns_.take();   // until it is destroyed
// The engine thread only. Outlives its turns; nobody waits any more when it is destroyed.
class Turns {
 public:
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_) turns_->pass_on();
    }

   private:
    Turns* turns_;
  };

  Async<Turn> take() {
    if (std::exchange(taken_, true)) {
      auto start = [this](Promise<bool> promise) { waiting_.push_back(std::move(promise)); };
      auto waiting = suspend<bool>(start);
      co_await std::move(waiting);
    }
    co_return Turn(*this);
  }

 private:
  void pass_on() {
    if (waiting_.empty()) {
      taken_ = false;
      return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next.set(true);
  }

  bool taken_ = false;
  std::deque<Promise<bool>> waiting_;
};

}  // namespace agentd
