// One run from its entry to its end.
#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::RunStatus;

const char* const kArguments = R"({"length":3,"width":4})";

TEST(Run, AsksCallsAndAnswersInFiveRows) {
  Bench bench({.answers = {call("geometry.area", kArguments), say("It is 12.")}});
  const auto run = bench.ask();
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::completed);
  EXPECT_EQ(end.result, R"("It is 12.")");
  EXPECT_EQ(bench.kinds(run), "0 1 2 3 7");
  EXPECT_EQ(end.totals.requests, 2);
  EXPECT_EQ(end.totals.input_tokens, 200);
  EXPECT_EQ(end.steps, 2);
  EXPECT_EQ(bench.toolset().happened, std::vector{to_text(run) + "/1/0"});
}

}  // namespace
}  // namespace agentd::run
