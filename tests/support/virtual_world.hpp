// A world whose time stands still until a test moves it: one thread, a virtual clock, seeded chance.
#pragma once
#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/async.hpp"

namespace agentd::support {

class VirtualWorld final : public Clock, public Timers, public Random {
 public:
  explicit VirtualWorld(std::uint64_t seed = 1, Instant start = Instant(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)))
      : now_(start), state_(seed) {}

  World world() { return {io_.get_executor(), *this, *this, *this}; }
  boost::asio::io_context& io() { return io_; }

  // Runs what is ready without moving time; external threads are not waited for.
  void settle() {
    io_.restart();
    io_.poll();
  }
  // Moves time to each timer on the way and fires it.
  void advance(Millis by) {
    const auto end = tick_ + by;
    settle();
    while (!due_.empty() && due_.begin()->first.first <= end) {
      auto next = due_.extract(due_.begin());
      move_to(next.key().first);
      next.mapped()();
      settle();
    }
    move_to(end);
  }
  // The wall clock alone jumps: what an operator or NTP does.
  void jump(Millis by) { now_ += by; }
  std::optional<Millis> next_timer() const {
    if (due_.empty()) return std::nullopt;
    return std::chrono::ceil<Millis>(due_.begin()->first.first - tick_);
  }

  // Runs a story to its end, moving time whenever nothing else is left to do.
  template <class T>
  T run(Async<T> story) {
    std::optional<T> result;
    auto body = [](Async<T> inner, std::optional<T>& out) -> Async<void> { out = co_await std::move(inner); };
    spawn(io_.get_executor(), body(std::move(story), result));
    settle();
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!result) {
      if (next_timer()) {
        advance(*next_timer());
      } else {
        if (std::chrono::steady_clock::now() > patience) std::abort();  // the story waits for something that will never come
        std::this_thread::yield();                                      // or for another thread
        settle();
      }
    }
    return std::move(*result);
  }

  Instant now() const override { return now_; }
  Tick tick() const override { return tick_; }
  Id after(Millis delay, std::move_only_function<void()> fire) override {
    const Id id = ++last_;
    due_.emplace(std::pair(tick_ + delay, id), std::move(fire));
    return id;
  }
  void cancel(Id id) override {
    std::erase_if(due_, [id](const auto& timer) { return timer.first.second == id; });
  }
  std::uint64_t next() override {  // splitmix64
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

 private:
  void move_to(Tick to) {
    now_ += std::chrono::floor<Millis>(to - tick_);
    tick_ = to;
  }
  boost::asio::io_context io_{1};
  Instant now_;
  Tick tick_{};
  std::uint64_t state_;
  Id last_ = 0;
  std::map<std::pair<Tick, Id>, std::move_only_function<void()>> due_;
};

}  // namespace agentd::support
