#include "host/last_completed.hpp"

#include <gtest/gtest.h>

#include "core/event/record.hpp"
#include "tests/support/bench/fake_ledger.hpp"

namespace agentd::host {
namespace {

using support::FakeLedger;
using support::VirtualWorld;

struct Past {
  VirtualWorld world;
  support::LedgerStore store;
  FakeLedger ledger{world, store};

  RunId add(event::Entered entered, port::RunStatus status = port::RunStatus::completed) {
    std::vector<port::Entry> entries = {{.agent_id = "a", .status = status, .payload = event::encode(entered)}};
    return world.run(ledger.enqueue(std::move(entries)))->front().run;
  }
  RunId last(Position before = 0) {
    const auto found = world.run(last_completed(ledger, "a", before));
    return *found ? (*found)->run : RunId();
  }
};

const event::Entered kOwn{.trigger = "manual"};
const event::Entered kReplay{.trigger = "replay", .replay = event::Replay{.of = "run"}};

TEST(LastCompleted, IsTheNewestThatIsNoReplay) {
  Past past;
  EXPECT_FALSE(past.last());
  past.add(kReplay);
  EXPECT_FALSE(past.last());
  const auto first = past.add(kOwn), second = past.add(kOwn);
  EXPECT_EQ(past.last(), second);
  for (int i = 0; i < 100; ++i) past.add(kReplay);
  past.add(kOwn, port::RunStatus::skipped);
  EXPECT_EQ(past.last(), second);
  EXPECT_EQ(past.last(second.position), first);
}

}  // namespace
}  // namespace agentd::host
