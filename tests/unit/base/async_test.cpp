#include "core/base/async.hpp"

#include <gtest/gtest.h>

#include "core/base/real_world.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd {
namespace {

using support::VirtualWorld;
using namespace std::chrono_literals;

TEST(Sleep, LastsAsLongAsAskedFor) {
  VirtualWorld world;
  const auto before = world.tick();
  EXPECT_TRUE(world.run(sleep(world, 90s, {})));
  EXPECT_EQ(world.tick() - before, 90s);
}

TEST(Sleep, EndsAtOnceWhenAskedToStop) {
  VirtualWorld world;
  std::stop_source stop;
  world.after(10ms, [&] { stop.request_stop(); });
  const auto before = world.tick();
  EXPECT_FALSE(world.run(sleep(world, 1h, stop.get_token())));
  EXPECT_EQ(world.tick() - before, 10ms);
  EXPECT_FALSE(world.next_timer());  // nothing is left behind
}

TEST(Suspend, ResumesThroughTheQueueNeverInline) {
  VirtualWorld world;
  bool resumed = false;
  auto story = [](bool& done) -> Async<void> {
    auto start = [](Promise<int> promise) { promise.set(7); };
    auto waiting = suspend<int>(start);
    done = (co_await std::move(waiting)) == 7;
  };
  spawn(world.io().get_executor(), story(resumed));
  EXPECT_FALSE(resumed);
  world.settle();
  EXPECT_TRUE(resumed);
}

TEST(AsioTimers, FireInOrderAndCanBeCancelled) {
  boost::asio::io_context io;
  AsioTimers timers(io);
  std::string order;
  timers.after(3ms, [&] { order += 'c'; });
  timers.after(1ms, [&] { order += 'a'; timers.after(1ms, [&] { order += 'b'; }); });
  const auto never = timers.after(2ms, [&] { order += 'x'; });
  timers.cancel(never);
  io.run();
  EXPECT_TRUE(order == "abc" || order == "acb") << order;
}

}  // namespace
}  // namespace agentd
