#include "core/base/async.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace agentd {

void spawn(const Executor& executor, Async<void> story) {
  boost::asio::co_spawn(executor, std::move(story), [](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "agentd: an exception left a coroutine: %s\n", e.what());
    } catch (...) {
      std::fprintf(stderr, "agentd: an unknown exception left a coroutine\n");
    }
    std::abort();
  });
}

namespace {
struct Sleeper {
  std::optional<Promise<bool>> promise;
  Timers::Id timer = 0;
  void wake(bool whole) {
    if (!promise) return;
    auto waiting = std::move(*promise);
    promise.reset();
    waiting.set(whole);
  }
};
}  // namespace

Async<bool> sleep(Timers& timers, Millis delay, std::stop_token stop) {
  if (stop.stop_requested()) co_return false;
  Sleeper sleeper;
  auto start = [&](Promise<bool> promise) {
    sleeper.promise.emplace(std::move(promise));
    sleeper.timer = timers.after(delay, [&sleeper] { sleeper.wake(true); });
  };
  auto waiting = suspend<bool>(start);
  const std::stop_callback on_stop(stop, [&] {
    timers.cancel(sleeper.timer);
    sleeper.wake(false);
  });
  const bool whole = co_await std::move(waiting);
  co_return whole;
}

}  // namespace agentd
