// How many operations a component is given at once. Who finds no place waits for one, first come, first served.
#pragma once
#include <cstddef>
#include <list>
#include <optional>

#include "core/base/async.hpp"

namespace agentd::plugin {

// The engine thread only. Outlives its places.
class Admission {
 public:
  explicit Admission(std::size_t limit) : limit_(limit) {}

  // Leaves when it goes out of scope.
  class Place {
   public:
    explicit Place(Admission& admission) : admission_(&admission) {}
    Place(Place&& other) noexcept : admission_(std::exchange(other.admission_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(admission_, other.admission_);
      return *this;
    }
    ~Place() {
      if (admission_) admission_->leave();
    }

   private:
    Admission* admission_;
  };

  std::optional<Place> try_enter();
  // Nothing when no place came free in time, or stop was asked for.
  Async<std::optional<Place>> enter(Timers& timers, Millis patience, std::stop_token stop);

  std::size_t limit() const { return limit_; }
  std::size_t taken() const { return taken_; }
  std::size_t waiting() const { return queue_.size(); }

 private:
  struct InQueue;
  void leave();

  std::size_t limit_;
  std::size_t taken_ = 0;
  std::list<InQueue*> queue_;
};

}  // namespace agentd::plugin
