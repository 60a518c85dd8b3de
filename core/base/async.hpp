// Coroutines of the engine. All run on the engine's executor, one at a time; nothing here is thread-safe unless it says so.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "core/base/clock.hpp"

namespace agentd {

using Executor = boost::asio::any_io_executor;
template <class T>
using Async = boost::asio::awaitable<T>;

// What the engine is given of the world outside.
struct World {
  Executor executor;
  Clock& clock;
  Timers& timers;
  Random& random;
};

// The other end of a suspended coroutine. Fulfil it once: from any thread with post(), on the engine thread with either.
// Dropping a promise without a value destroys the coroutine that waits for it, with all it owns: shutdown only.
template <class T>
class Promise {
 public:
  using Handler = boost::asio::async_result<boost::asio::use_awaitable_t<>, void(T)>::handler_type;
  Promise(Handler handler, Executor executor) : state_(std::make_unique<State>(std::move(handler), std::move(executor))) {}
  // Resumes the coroutine through the engine's queue.
  void set(T value) {
    auto executor = state_->executor;
    boost::asio::post(executor, [state = std::move(state_), value = std::move(value)]() mutable { std::move(state->handler)(std::move(value)); });
  }
  // Resumes it before this returns. The engine thread only, with nothing on the stack that the coroutine could pull away.
  void set_here(T value) {
    auto state = std::move(state_);
    std::move(state->handler)(std::move(value));
  }
  explicit operator bool() const { return state_ != nullptr; }

 private:
  struct State {
    Handler handler;
    Executor executor;
  };
  std::unique_ptr<State> state_;
};

// Suspends until start's promise is set. start runs at once, on this thread, and may set it before it returns.
//   auto got = co_await suspend<int>([&](Promise<int> p) { keep(std::move(p)); });   // name the lambda first: see the rule on temporaries
template <class T, class Start>
Async<T> suspend(Start start) {
  auto executor = co_await boost::asio::this_coro::executor;
  auto initiate = [&start, &executor](auto handler) { start(Promise<T>(std::move(handler), executor)); };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(initiate, boost::asio::use_awaitable);
}

// Starts a coroutine on its own. An exception that leaves it is a broken invariant and ends the process.
void spawn(const Executor& executor, Async<void> story);

// Suspends for a while; true when it slept whole, false when stop was asked for meanwhile.
Async<bool> sleep(Timers& timers, Millis delay, std::stop_token stop);

}  // namespace agentd
