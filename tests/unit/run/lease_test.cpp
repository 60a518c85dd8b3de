// What a worker begins while its lease is not certain, or over: nothing that another one may have begun meanwhile.
#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"
#include "tests/support/shared_ledger.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::ClaimState;
using port::RunStatus;

// A call that is not taken at first, and is to be made again 12 s later.
FakeTool away_for_12_s(int& made) {
  return {.name = "send", .effect = port::Effect::once, .body = [&made](const port::ToolCall&) {
            return ++made == 1 ? port::Outcome{port::Status::retryable, "come again", 12s} : port::Outcome{port::Status::ok, "1", {}};
          }};
}

struct Sent {
  int made = 0;
  SharedLedger ledger;
  Bench bench{{.answers = {call("geometry.send", "{}"), say("sent")}, .tools = {away_for_12_s(made)}, .sharing = &ledger}};
  RunId run = bench.ask();
};

TEST(Lease, ACallIsNotMadeAgainWhileItIsNotCertainAndIsWhenItIs) {
  Sent sent;
  sent.bench.pass(1s);
  sent.ledger.claim = ClaimState::unsure;
  sent.bench.pass(15s);
  EXPECT_EQ(sent.made, 1);
  sent.ledger.claim = ClaimState::held;
  EXPECT_EQ(sent.bench.until_end(sent.run).status, RunStatus::completed);
  EXPECT_EQ(sent.made, 2);
}

TEST(Lease, NothingIsBegunOrWrittenOnceItIsOver) {
  Sent sent;
  sent.bench.pass(1s);
  sent.ledger.claim = ClaimState::lost;
  const auto records = sent.bench.store().log.size();
  sent.bench.pass(14s);  // it gives the claim back 5 s after it lost the run
  EXPECT_EQ(sent.made, 1);
  EXPECT_EQ(sent.bench.store().log.size(), records);
  ASSERT_EQ(sent.bench.warnings.size(), 1u);
  EXPECT_NE(sent.bench.warnings.front().find("lease was over"), std::string::npos);
}

TEST(Lease, AModelIsNotAskedAndATaskNotRunWhileItIsNotCertain) {
  for (const bool native : {false, true}) {
    SharedLedger ledger;
    ledger.claim = ClaimState::unsure;
    Bench bench({.answers = {say("ok")}, .native = native, .sharing = &ledger});
    bench.task().body = [](const port::TaskRun&) { return port::Outcome{port::Status::ok, R"({"result":1})", {}}; };
    const auto run = bench.ask();
    bench.pass(20s);
    EXPECT_EQ(bench.provider().requests.size() + bench.task().runs.size(), 0u);
    ledger.claim = ClaimState::held;
    EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  }
}

TEST(Lease, ARunIsCancelledWhileItIsNotCertain) {
  SharedLedger ledger;
  ledger.claim = ClaimState::unsure;
  for (const bool native : {false, true}) {
    Bench bench({.answers = {say("ok")}, .native = native, .sharing = &ledger});
    const auto run = bench.ask();
    bench.pass(1s);
    bench.world().run(bench.worker().cancel(run, "enough"));
    EXPECT_EQ(bench.until_end(run).status, RunStatus::cancelled);
  }
}

}  // namespace
}  // namespace agentd::run
