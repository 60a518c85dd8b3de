// The world as it is: the machine's clocks, a heap of timers on Asio, the kernel's randomness.
#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <unordered_map>

#include "core/base/async.hpp"
#include "core/base/mutex.hpp"

namespace agentd {

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  Tick tick() const override;
};

// The kernel's, drawn in handfuls: asking it costs more than most of what a number is wanted for.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;

 private:
  Mutex mutex_;
  std::array<std::uint64_t, 32> drawn_ AGENTD_GUARDED_BY(mutex_){};
  std::size_t left_ AGENTD_GUARDED_BY(mutex_) = 0;
};

// Many timers on one Asio timer. The engine thread only.
class AsioTimers final : public Timers {
 public:
  explicit AsioTimers(boost::asio::io_context& io) : timer_(io) {}
  Id after(Millis delay, std::move_only_function<void()> fire) override;
  void cancel(Id id) override;

 private:
  using Due = std::pair<std::chrono::steady_clock::time_point, Id>;
  void arm();
  void fire_due();

  boost::asio::steady_timer timer_;
  std::map<Due, std::move_only_function<void()>> due_;
  std::unordered_map<Id, std::chrono::steady_clock::time_point> when_;
  std::optional<std::chrono::steady_clock::time_point> armed_;
  Id last_ = 0;
};

}  // namespace agentd
