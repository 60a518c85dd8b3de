// One process, as those see it that it talks to.
#pragma once
#include <stop_token>

#include "core/base/async.hpp"

namespace agentd::sim {

struct Life {
  World world;
  std::stop_source death;
  bool dead() const { return death.stop_requested(); }
};

// Waits; the end of the wait is the end of the process, too.
enum class Wait { whole, stopped, died };
inline Async<Wait> pass(Life& life, Millis time, std::stop_token stop) {
  std::stop_source either;
  const auto end = [&either] { either.request_stop(); };
  const std::stop_callback on_stop(stop, end), on_death(life.death.get_token(), end);
  const auto token = either.get_token();
  const bool whole = co_await sleep(life.world.timers, time, token);
  if (life.dead()) co_return Wait::died;
  co_return whole ? Wait::whole : Wait::stopped;
}

}  // namespace agentd::sim
