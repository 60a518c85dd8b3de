// What one of all replicas does: who does it, and until when.
#include "host/leases.hpp"

#include <gtest/gtest.h>

#include "tests/support/virtual_world.hpp"

namespace agentd::host {
namespace {

using namespace std::chrono_literals;
using namespace support;

// Gives what it is told to.
class Given final : public port::LedgerSharing {
 public:
  std::map<std::string, std::uint64_t> generations;
  bool is_shared_ = true, is_away = false;
  int asked = 0;

  bool is_shared() const override { return is_shared_; }
  Async<port::LedgerResult<std::vector<std::uint64_t>>> lease(std::vector<std::string> names) override {
    ++asked;
    if (is_away) co_return std::unexpected(port::LedgerError{port::LedgerFault::unavailable, "it is away"});
    std::vector<std::uint64_t> all;
    for (const auto& name : names) all.push_back(generations[name]);
    co_return all;
  }
  port::ClaimState claim_state(RunId, std::uint64_t) const override { std::abort(); }
  bool clocks_agree() const override { std::abort(); }
  Async<port::LedgerResult<std::vector<port::WorkerSession>>> sessions() override { std::abort(); }
};

struct Bench {
  VirtualWorld world;
  Given ledger;
  Leases leases{world.world(), ledger, [](const std::string&) {}};
  std::stop_source stop;
  std::vector<std::uint64_t> tenures;  // as they began
  bool holds = false, over = false;

  static Async<void> do_it(Bench& b) {
    while (const auto tenure = co_await b.leases.hold("copy", b.stop.get_token())) {
      b.tenures.push_back(tenure->fence().generation);
      b.holds = true;
      co_await sleep(b.world.world().timers, 1'000h, tenure->until());
      b.holds = false;
    }
    b.over = true;
  }
  void begin() {
    spawn(world.world().executor, do_it(*this));
    world.settle();
  }
  ~Bench() {
    stop.request_stop();
    world.settle();
    EXPECT_TRUE(over);
    world.run(stopped(*this));
  }
  static Async<int> stopped(Bench& b) {
    co_await b.leases.stop();
    co_return 0;
  }
};

TEST(Leases, WhereNothingIsSharedEveryoneHoldsAtOnceAndNobodyIsAsked) {
  Bench b;
  b.ledger.is_shared_ = false;
  b.begin();
  EXPECT_TRUE(b.holds);
  EXPECT_TRUE(b.leases.holds("anything"));
  b.world.advance(1h);
  EXPECT_EQ(b.ledger.asked, 0);
  EXPECT_TRUE(b.leases.all().empty());
}

TEST(Leases, WaitsUntilTheLedgerGivesIt) {
  Bench b;
  b.begin();
  EXPECT_FALSE(b.holds);
  b.ledger.generations["copy"] = 4;
  b.world.advance(2s);
  EXPECT_TRUE(b.holds);
  b.world.advance(1h);
  EXPECT_EQ(b.tenures, std::vector<std::uint64_t>{4});
}

TEST(Leases, EndsWhatIsAnothersAndBeginsAnewWithANewGeneration) {
  Bench b;
  b.ledger.generations["copy"] = 4;
  b.begin();
  EXPECT_TRUE(b.holds);
  b.ledger.generations["copy"] = 0;
  b.world.advance(2s);
  EXPECT_FALSE(b.holds);
  EXPECT_FALSE(b.leases.holds("copy"));
  b.ledger.generations["copy"] = 9;
  b.world.advance(2s);
  b.ledger.generations["copy"] = 12;  // lost and taken again between two looks
  b.world.advance(2s);
  EXPECT_TRUE(b.holds);
  EXPECT_EQ(b.tenures, (std::vector<std::uint64_t>{4, 9, 12}));
}

TEST(Leases, IsNotTrustedForLongWhenTheLedgerDoesNotAnswer) {
  Bench b;
  b.ledger.generations["copy"] = 4;
  b.begin();
  b.ledger.is_away = true;
  b.world.advance(8s);
  EXPECT_TRUE(b.holds);
  b.world.advance(3s);
  EXPECT_FALSE(b.holds) << "before the ledger may give it to somebody else";
  b.ledger.is_away = false;
  b.world.advance(2s);
  EXPECT_TRUE(b.holds);
}

}  // namespace
}  // namespace agentd::host
