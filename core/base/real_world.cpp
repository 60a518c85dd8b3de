#include "core/base/real_world.hpp"

#include <sys/random.h>
#include <time.h>

#include <cstdlib>

namespace agentd {

Instant SystemClock::now() const { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }

Tick SystemClock::tick() const {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return Tick(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

std::uint64_t SystemRandom::next() {
  const Lock lock(mutex_);
  if (left_ == 0) {
    if (getrandom(drawn_.data(), sizeof drawn_, 0) != sizeof drawn_) std::abort();  // cannot fail for 256 bytes once the pool is ready
    left_ = drawn_.size();
  }
  return drawn_[--left_];
}

Timers::Id AsioTimers::after(Millis delay, std::move_only_function<void()> fire) {
  const auto when = std::chrono::steady_clock::now() + delay;
  const Id id = ++last_;
  due_.emplace(Due(when, id), std::move(fire));
  when_.emplace(id, when);
  if (!armed_ || when < *armed_) arm();
  return id;
}

void AsioTimers::cancel(Id id) {
  const auto found = when_.find(id);
  if (found == when_.end()) return;
  due_.erase(Due(found->second, id));
  when_.erase(found);
  if (due_.empty() && armed_) {
    armed_.reset();
    timer_.cancel();
  }
}

void AsioTimers::arm() {
  armed_ = due_.begin()->first.first;
  timer_.expires_at(*armed_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) fire_due();
  });
}

void AsioTimers::fire_due() {
  armed_.reset();
  const auto now = std::chrono::steady_clock::now();
  while (!due_.empty() && due_.begin()->first.first <= now) {
    auto next = due_.extract(due_.begin());
    when_.erase(next.key().second);
    next.mapped()();
  }
  if (!due_.empty() && !armed_) arm();
}

}  // namespace agentd
