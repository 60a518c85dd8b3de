// A gate: a task that says whether a slot is worth a run.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/run/agent_state.hpp"
#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::RunStatus;

port::Outcome says(std::string answer) { return {port::Status::ok, std::move(answer), {}}; }
const event::Entered kSlot{.trigger = "schedule", .scheduled_at = Instant(Millis(0)), .gated = true};

struct Gated : Bench {
  explicit Gated(std::string answer, Scene scene = {.answers = {say("ok")}}) : Bench(gated(std::move(scene))) {
    gate().body = [answer](const port::TaskRun&) { return says(answer); };
  }
  static Scene gated(Scene scene) {
    scene.gated = true;
    return scene;
  }
};

TEST(Gate, ThatSaysNoEndsTheRunAsSkippedWithItsReason) {
  Gated bench(R"({"proceed":false,"result":"nothing has changed","state":{"seen":2}})");
  const auto run = bench.ask(kSlot);
  const auto end = bench.until_end(run);
  EXPECT_EQ(end.status, RunStatus::skipped);
  EXPECT_EQ(end.reason, "nothing has changed");
  EXPECT_EQ(bench.kinds(run), "0 10 7");
  EXPECT_TRUE(bench.provider().requests.empty());
  EXPECT_TRUE(bench.store().agent_states.empty());
  EXPECT_EQ(bench.ledger().stats("surveyor").run_count, 0);
  EXPECT_EQ(bench.records<event::Gated>(run).front().scheduled_at, kSlot.scheduled_at);
}

TEST(Gate, ThatSaysYesLaysItsParametersOverTheRuns) {
  Gated bench(R"({"proceed":true,"params":{"changed":["x"],"b":3}})",
              {.answers = {say("ok")}, .spec = [](auto& spec) { spec.task.params = R"({"a":1,"b":2})"; }});
  const auto run = bench.ask(kSlot);
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(bench.records<event::Started>(run).front().params.text, R"({"a":1,"b":3,"changed":["x"]})");
}

TEST(Gate, IsGivenItsOwnParametersAndWhatTheTriggerBrought) {
  Gated bench(R"({"proceed":true})", {.answers = {say("ok")}, .spec = [](auto& spec) {
                                        spec.task.params = R"({"a":1})", spec.gate->params = R"({"roots":["/x"]})";
                                      }});
  bench.until_end(bench.ask({.trigger = "file", .params = {R"({"trigger":{"paths":["p"]}})"}}));
  ASSERT_EQ(bench.gate().runs.size(), 1u);
  EXPECT_EQ(bench.gate().runs[0].params, R"({"roots":["/x"],"trigger":{"paths":["p"]}})");
  EXPECT_EQ(bench.gate().runs[0].state, "null");
}

TEST(Gate, IsNotAskedAboutWhatPeopleAndProgramsAskFor) {
  for (const char* trigger : {"manual", "api", "webhook", "batch"}) {
    Gated bench(R"({"proceed":false})");
    EXPECT_EQ(bench.until_end(bench.ask({.trigger = trigger})).status, RunStatus::completed) << trigger;
    EXPECT_TRUE(bench.gate().runs.empty());
  }
  for (const char* trigger : {"schedule", "start", "file", "agent"}) {
    Gated bench(R"({"proceed":false})");
    EXPECT_EQ(bench.until_end(bench.ask({.trigger = trigger})).status, RunStatus::skipped) << trigger;
  }
}

TEST(Gate, ItsStateIsKeptWhenTheRunCompletes) {
  Gated bench(R"({"proceed":true,"state":{"seen":2}})");
  bench.until_end(bench.ask(kSlot));
  bench.until_end(bench.ask(kSlot));
  ASSERT_EQ(bench.gate().runs.size(), 2u);
  EXPECT_EQ(bench.gate().runs[1].state, R"({"seen":2})");
}

TEST(Gate, ItsStateIsNotKeptWhenTheRunFails) {
  Gated bench(R"({"proceed":true,"state":{"seen":2}})",
              {.answers = {Turn{.answer = {}, .failures = {bad_request(), bad_request()}}}});
  EXPECT_EQ(bench.until_end(bench.ask(kSlot)).status, RunStatus::failed);
  bench.until_end(bench.ask(kSlot));
  ASSERT_EQ(bench.gate().runs.size(), 2u);
  EXPECT_EQ(bench.gate().runs[1].state, "null");
}

TEST(Gate, KeepsItsStateBesideThatOfANativeTask) {
  Gated bench(R"({"proceed":true,"state":{"seen":2}})", {.native = true});
  bench.task().body = [](const port::TaskRun&) { return says(R"({"result":1,"state":{"done":1}})"); };
  bench.until_end(bench.ask(kSlot));
  bench.until_end(bench.ask(kSlot));
  EXPECT_EQ(bench.gate().runs[1].state, R"({"seen":2})");
  EXPECT_EQ(bench.task().runs[1].state, R"({"done":1})");
  bench.until_end(bench.ask({.trigger = "manual"}));  // without the gate, its part stays
  bench.until_end(bench.ask(kSlot));
  EXPECT_EQ(bench.gate().runs[2].state, R"({"seen":2})");
}

TEST(Gate, IsAskedOnceAlsoWhenTheHostDies) {
  for (std::size_t records = 1; records <= 4; ++records) {
    Gated bench(R"({"proceed":true,"params":{"n":1},"state":2})",
                {.answers = {call("geometry.area", R"({"length":3,"width":4})"), say("12")}});
    bench.ledger().cut_after(records);
    const auto run = bench.ask(kSlot);
    bench.until_end(run);
    const bool was_said = !bench.records<event::Gated>(run).empty();
    bench.gate().runs.clear();
    bench.restart();
    if (!run) continue;
    EXPECT_EQ(bench.until_end(run).status, RunStatus::completed) << records;
    EXPECT_EQ(bench.gate().runs.size(), was_said ? 0u : 1u) << records;
    EXPECT_EQ(bench.records<event::Gated>(run).size(), 1u) << records;
    EXPECT_EQ(bench.records<event::Started>(run).front().params.text, R"({"n":1})");
    EXPECT_EQ(gate_state(bench.store().agent_states["surveyor"]), "2");
  }
}

TEST(Gate, ThatFailsForNowIsAskedAgain) {
  Gated bench(R"({"proceed":true})");
  int asked = 0;
  bench.gate().body = [&](const port::TaskRun&) {
    return ++asked == 1 ? port::Outcome{port::Status::retryable, "the share is away", {}} : says(R"({"proceed":true})");
  };
  const auto run = bench.ask(kSlot);
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(bench.kinds(run), "0 5 10 1 7");
  EXPECT_NE(bench.gate().runs[0].call_id, bench.gate().runs[1].call_id);
}

TEST(Gate, ThatFailsForGoodFailsTheRun) {
  Gated bench("");
  bench.gate().body = [](const port::TaskRun&) { return port::Outcome{port::Status::terminal, "no such folder", {}}; };
  const auto end = bench.until_end(bench.ask(kSlot));
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->message, "no such folder");
}

TEST(Gate, ThatDoesNotDecideFailsTheRun) {
  Gated bench(R"({"result":"a report"})");
  const auto end = bench.until_end(bench.ask(kSlot));
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_NE(end.fault->message.find("did not say whether to proceed"), std::string::npos);
}

TEST(AgentState, OfATaskAloneIsItsOwn) {
  EXPECT_EQ(task_state(R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(gate_state(R"({"a":1})"), "null");
  EXPECT_EQ(task_state("null"), "null");
  const auto both = state_with_gate(R"({"a":1})", {}, GateLeft{R"({"g":1})", 7});
  EXPECT_EQ(task_state(both), R"({"a":1})");
  EXPECT_EQ(gate_state(both), R"({"g":1})");
  EXPECT_EQ(gate_state(state_with_gate(both, "7", {})), R"({"g":1})");
  EXPECT_EQ(gate_state(state_with_gate(both, {}, GateLeft{R"({"g":2})", 8})), R"({"g":2})");
  EXPECT_EQ(gate_state(state_with_gate(both, {}, GateLeft{R"({"g":0})", 6})), R"({"g":1})");  // an earlier run that ended later
  EXPECT_EQ(gate_state(state_with_gate(state_with_gate(both, "7", {}), {}, GateLeft{R"({"g":0})", 6})), R"({"g":1})");
}

TEST(Followers, ComeInWithTheEndOfTheRunWhateverDies) {
  for (std::size_t records = 1; records <= 8; ++records) {
    std::vector<std::string> told;
    const auto followers = [&](const RunEnd& end) {
      told.push_back(end.agent_id + " " + port::name(end.status) + " " + std::string(end.result));
      std::vector<port::Entry> entries(1);
      entries[0] = {.agent_id = "other",
                    .key = "agent:" + to_text(end.run) + "/t",
                    .nonce = 1,
                    .due_at = {},
                    .payload = event::encode(event::Entered{.trigger = "agent"})};
      return entries;
    };
    Bench bench({.answers = {say("12")}, .followers = followers});
    bench.ledger().cut_after(records);
    const auto run = bench.ask();
    bench.until_end(run);
    bench.restart();
    if (!run) continue;
    EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
    const auto started =
        std::ranges::count_if(bench.store().runs, [](const auto& each) { return each.second.entry.agent_id == "other"; });
    EXPECT_EQ(started, 1) << records;
    EXPECT_EQ(told.back(), R"(surveyor completed "12")");
  }
}

TEST(Followers, HearOfARunThatIsCancelledBeforeItBegan) {
  std::vector<std::string> told;
  const auto followers = [&](const RunEnd& end) {
    told.push_back(std::string(port::name(end.status)) + to_text(end.run));
    return std::vector<port::Entry>();
  };
  Bench bench({.answers = {say("12")}, .followers = followers});
  port::Entry entry{.agent_id = "surveyor",
                    .nonce = 7,
                    .due_at = bench.world().now() + 1h,
                    .payload = event::encode(event::Entered{.trigger = "api"})};
  std::vector<port::Entry> entries = {entry};
  const auto run = bench.world().run(bench.ledger().enqueue(std::move(entries)))->front().run;
  EXPECT_TRUE(bench.world().run(bench.worker().cancel(run, "no")).value());
  EXPECT_EQ(told, std::vector{"cancelled" + to_text(run)});
}

}  // namespace
}  // namespace agentd::run
