// How much of a session a run reads back.
#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using support::Bench;
using support::say;
using support::Scene;

std::size_t recalled_by_the_third(std::int64_t tokens_of_a_prompt) {
  auto turn = say(std::string(400, 'x'));
  turn.answer.usage->input_tokens = tokens_of_a_prompt;
  Bench bench(Scene{.answers = {turn, turn, turn, turn, turn}, .spec = [](manifest::AgentSpec& spec) { spec.memory.window_tokens = 260, spec.memory.summarize = false; }});
  bench.run();
  bench.run();
  const auto run = bench.ask();
  bench.until_end(run);
  return bench.records<event::Started>(run)[0].recalled.size();
}

TEST(RunWindow, HoldsAsManyTokensAsItsModelCounts) {
  EXPECT_EQ(recalled_by_the_third(-1), 4U);      // nothing is counted: 4 bytes
  EXPECT_EQ(recalled_by_the_third(5'000), 2U);   // a token for each byte, so that the last pair alone fits, shortened
  EXPECT_EQ(recalled_by_the_third(10), 4U);
}

}  // namespace
}  // namespace agentd::run
