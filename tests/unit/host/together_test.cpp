#include "host/together.hpp"

#include <gtest/gtest.h>

#include "tests/support/virtual_world.hpp"

namespace agentd::host {
namespace {

Async<void> sleeps(Timers& timers, Millis delay, int& done) {
  co_await sleep(timers, delay, std::stop_token());
  ++done;
}
Async<bool> three(Timers& timers, int& done) {
  std::vector<Async<void>> stories;
  for (int i = 1; i <= 3; ++i) stories.push_back(sleeps(timers, Millis(100), done));
  co_await together(std::move(stories));
  co_return true;
}
Async<bool> none() {
  co_await together({});
  co_return true;
}

TEST(Together, WaitsForAllAtTheSameTime) {
  support::VirtualWorld world;
  int done = 0;
  const auto begin = world.now();
  world.run(three(world, done));
  EXPECT_EQ(done, 3);
  EXPECT_EQ(world.now() - begin, Millis(100));
}

TEST(Together, OfNobodyEndsAtOnce) {
  support::VirtualWorld world;
  EXPECT_TRUE(world.run(none()));
}

}  // namespace
}  // namespace agentd::host
