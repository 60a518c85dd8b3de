// A run that does the same thing again and again.
#include "core/run/repetition.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace support;
using port::RunStatus;

int after(std::vector<std::vector<Deed>> steps) {
  Repetition repetition;
  for (const auto& step : steps) {
    const int foreseen = repetition.with(step);
    repetition.take(step);
    EXPECT_EQ(repetition.times(), foreseen);
  }
  return repetition.times();
}

TEST(Repetition, CountsStepsInARowThatDoTheSame) {
  const Deed a{"t.a", R"({"x":1})", "\"r\""}, b{"t.b", "{}", "\"r\""};
  EXPECT_EQ(after({{a}}), 1);
  EXPECT_EQ(after({{a}, {a}, {a}}), 3);
  EXPECT_EQ(after({{a, b}, {b, a}}), 2) << "in whatever order";
  EXPECT_EQ(after({{a}, {a, a}}), 1);
  EXPECT_EQ(after({{a, a}, {a, b}}), 1);
  EXPECT_EQ(after({{a}, {b}, {a}}), 1);
}

TEST(Repetition, ComparesArgumentsAsJsonAndResultsAsText) {
  const Deed first{"t.a", R"({"x":1,"y":[2]})", "\"r\""};
  EXPECT_EQ(after({{first}, {{"t.a", R"({ "y" : [2], "x" : 1.0 })", "\"r\""}}}), 2);
  EXPECT_EQ(after({{first}, {{"t.a", R"({"x":2,"y":[2]})", "\"r\""}}}), 1);
  EXPECT_EQ(after({{first}, {{"t.a", R"({"x":1,"y":[2]})", "\"s\""}}}), 1) << "a poll that changes its result";
  EXPECT_EQ(after({{{"t.a", "\"{broken\"", "\"r\""}}, {{"t.a", "\"{broken\"", "\"r\""}}}), 2);
  const std::string longer(100'000, 'x');
  EXPECT_EQ(after({{{"t.a", longer, "1"}}, {{"t.a", longer, "1"}}}), 2);
  EXPECT_EQ(after({{{"t.a", longer, "1"}}, {{"t.a", longer + "x", "1"}}}), 1);
}

Scene circles(FakeTool tool, int steps) {
  auto answers = std::vector<Turn>(static_cast<std::size_t>(steps), call("geometry.look", R"({"at":"door"})"));
  answers.push_back(say("done"));
  return {.answers = answers, .tools = {std::move(tool)}, .spec = [](auto& spec) {
            spec.limits.max_steps = 100, spec.limits.request_limit = 0, spec.limits.total_tokens_limit = 0;
          }};
}

std::ptrdiff_t notes(const FakeProvider::Request& request) {
  return std::ranges::count_if(request.messages, [](const std::string& m) { return m.contains("times in a row"); });
}

TEST(Loop, IsToldToTheModelOnceAndThenEndsTheRun) {
  Bench bench(circles({.name = "look"}, 50));
  const auto end = bench.run();
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->error_class, ErrorClass::loop);
  EXPECT_TRUE(end.fault->message.contains("geometry.look")) << end.fault->message;
  ASSERT_EQ(bench.provider().requests.size(), kEndAfter);
  EXPECT_EQ(notes(bench.provider().requests[kTellAfter - 1]), 0);
  EXPECT_EQ(notes(bench.provider().requests[kTellAfter]), 1);
  EXPECT_EQ(notes(bench.provider().requests[kEndAfter - 1]), 1);
  EXPECT_EQ(bench.toolset().begun.size(), kEndAfter);
}

TEST(Loop, IsNoneWhereTheResultChangesOrTheModelStopsInTime) {
  int polls = 0;
  FakeTool poll{.name = "look"};
  poll.body = [&polls](const port::ToolCall&) { return port::Outcome{port::Status::ok, std::to_string(++polls), {}}; };
  Bench polling(circles(poll, 20));
  EXPECT_EQ(polling.run().status, RunStatus::completed);
  Bench heeding(circles({.name = "look"}, kEndAfter - 1));
  EXPECT_EQ(heeding.run().status, RunStatus::completed);
}

TEST(Loop, OfCallsThatAreRefusedEndsTheRunToo) {
  auto scene = circles({.name = "other"}, 50);
  Bench bench(std::move(scene));
  const auto end = bench.run();
  EXPECT_EQ(end.fault->error_class, ErrorClass::loop);
  EXPECT_EQ(bench.provider().requests.size(), kEndAfter);
}

TEST(Loop, IsCountedOnAfterADeathAtEveryRecord) {
  std::size_t records = 0;
  {
    Bench whole(circles({.name = "look"}, 50));
    whole.run();
    records = whole.store().log.size();
  }
  for (std::size_t n = 2; n < records; ++n) {
    SCOPED_TRACE("death after record " + std::to_string(n));
    Bench bench(circles({.name = "look"}, 50));
    bench.ledger().cut_after(n);
    const auto run = bench.ask();
    bench.until_end(run);
    ASSERT_TRUE(bench.ledger().is_cut());
    bench.restart();
    const auto end = bench.until_end(run);
    ASSERT_TRUE(end.fault);
    EXPECT_EQ(end.fault->error_class, ErrorClass::loop);
    EXPECT_EQ(bench.records<event::Answered>(run).size(), kEndAfter);
    EXPECT_EQ(notes(bench.provider().requests.back()), 1);
  }
}

}  // namespace
}  // namespace agentd::run
