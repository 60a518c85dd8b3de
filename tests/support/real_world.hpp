// The machine's own clocks and threads, and the engine's HTTP client: for what cannot be had while time stands still.
#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <optional>
#include <utility>

#include "core/base/real_world.hpp"
#include "core/net/client.hpp"

namespace agentd::support {

class RealWorld {
 public:
  World world() { return {io_.get_executor(), clock_, timers_, random_}; }
  net::Client& http() { return http_; }

  // Runs a story to its end.
  template <class T>
  T run(Async<T> story) {
    std::optional<T> result;
    auto body = [](Async<T> inner, std::optional<T>& out) -> Async<void> { out = co_await std::move(inner); };
    spawn(io_.get_executor(), body(std::move(story), result));
    while (!result) io_.run_one();
    return std::move(*result);
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> open_{io_.get_executor()};
  SystemClock clock_;
  SystemRandom random_;
  AsioTimers timers_{io_};
  net::Client http_{world()};
};

}  // namespace agentd::support
