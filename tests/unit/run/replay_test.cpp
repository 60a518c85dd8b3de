// A run that is done again beside its record.
#include "core/run/replay.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::RunStatus;
using What = event::Difference::What;

const std::string kSmall = R"({"length":3,"width":4})", kLarge = R"({"length":30,"width":40})";

// Three answers, two calls of a tool with a side effect in between.
Scene two_writes() {
  return {.answers = {call("geometry.put", kSmall), call("geometry.put", kLarge), say("written")},
          .tools = {{.name = "put", .effect = port::Effect::once}, {.name = "area"}}};
}

struct Replaying : Bench {
  explicit Replaying(Scene scene = two_writes()) : Bench(std::move(scene)), original(ask()) { recorded = until_end(original); }

  // From here on only what the replay does is seen.
  RunId ask_again(event::Replay how = {}) {
    how.of = to_text(original);
    provider().requests.clear();
    toolset().begun.clear();
    return ask({.trigger = "replay", .replay = how});
  }
  event::Ended replay(event::Replay how = {}) {
    const auto run = ask_again(how);
    until_end(run);
    return end_of(run);
  }
  event::Ended end_of(RunId run) const {
    const auto ends = records<event::Ended>(run);
    return ends.empty() ? event::Ended{.status = RunStatus::running} : ends.back();
  }

  RunId original;
  Standing recorded;
};

TEST(Replay, ThatGoesAsRecordedAsksTheModelAndCallsNoTool) {
  Replaying bench;
  const auto before = bench.provider().requests.back().messages.size();
  const auto end = bench.replay();
  EXPECT_EQ(end.status, RunStatus::completed);
  EXPECT_EQ(end.result_json(), bench.recorded.result);
  EXPECT_EQ(end.difference, std::nullopt);
  EXPECT_EQ(end.replay_of, to_text(bench.original));
  EXPECT_TRUE(bench.toolset().begun.empty());
  ASSERT_EQ(bench.provider().requests.size(), 3);
  EXPECT_EQ(bench.provider().requests.back().messages.size(), before);
  EXPECT_EQ(end.totals.requests, 3) << "what it spends is its own";
}

TEST(Replay, TellsTheModelWhatTheToolsAnsweredThen) {
  auto scene = two_writes();
  int answers = 0;
  scene.tools[0].body = [&answers](const port::ToolCall&) {
    return port::Outcome{port::Status::ok, std::to_string(++answers), {}};
  };
  Replaying bench(scene);
  bench.replay();
  EXPECT_EQ(answers, 2);
  const auto& messages = bench.provider().requests.back().messages;
  EXPECT_NE(messages[3].find(R"("content":"1")"), std::string::npos) << messages[3];
  EXPECT_NE(messages[5].find(R"("content":"2")"), std::string::npos) << messages[5];
}

TEST(Replay, IsWhatTheRunWasAskedThenAndRecalledThen) {
  Scene scene = two_writes();
  scene.spec = [](auto& spec) { spec.memory.window = 20; };
  Replaying bench(scene);
  bench.provider().recalled_answers = 1;
  bench.original = bench.ask({.trigger = "api", .query = "Again?", .params = {R"({"n":1})"}});
  bench.until_end(bench.original);
  const auto asked = bench.provider().requests.back().messages;
  ASSERT_NE(asked[1].find("What is the area?"), std::string::npos) << "it recalls the first run: " << asked[1];
  for (auto& entry : bench.memory().entries) entry.json = R"({"role":"user","content":"something else"})";
  bench.replay();
  const auto again = bench.provider().requests.back().messages;
  EXPECT_EQ(std::vector(again.begin(), again.begin() + 4), std::vector(asked.begin(), asked.begin() + 4));
}

TEST(Replay, EndsAtACallThatTheRecordDoesNotHave) {
  Replaying bench;
  bench.provider().turns[1] = call("geometry.put", R"({"length":5})");
  const auto end = bench.replay();
  EXPECT_EQ(end.status, RunStatus::completed);
  EXPECT_EQ(end.result_json(), "");
  EXPECT_EQ(end.reason, "the record has no answer to what the model asks for at step 2");
  ASSERT_TRUE(end.difference);
  EXPECT_EQ(end.difference->step, 2);
  EXPECT_EQ(end.difference->what, What::tool_call);
  EXPECT_EQ(end.difference->recorded.text, R"({"tool":"geometry.put","arguments":)" + kLarge + "}");
  EXPECT_EQ(end.difference->replayed.text, R"({"tool":"geometry.put","arguments":{"length":5}})");
  EXPECT_TRUE(bench.toolset().begun.empty());
  EXPECT_EQ(bench.provider().requests.size(), 2);
}

TEST(Replay, GoesOnBehindADifferenceAsLongAsTheRecordHasAnAnswer) {
  Replaying bench;
  bench.provider().turns[0] = call("geometry.put", kLarge);
  bench.provider().turns[1] = call("geometry.put", kSmall);
  const auto end = bench.replay();
  EXPECT_EQ(end.result_json(), "\"written\"");
  ASSERT_TRUE(end.difference);
  EXPECT_EQ(end.difference->step, 1) << "the first one";
  EXPECT_TRUE(bench.toolset().begun.empty());
}

TEST(Replay, AnswersACallOfTheRecordOnce) {
  Replaying bench;
  bench.provider().turns[1] = call("geometry.put", kSmall);
  const auto end = bench.replay();
  EXPECT_EQ(end.difference->step, 2);
  EXPECT_EQ(end.reason, "the record has no answer to what the model asks for at step 2");
}

TEST(Replay, TakesArgumentsForTheSameWhateverTheirSpacesAndOrder) {
  Replaying bench;
  bench.provider().turns[0] = call("geometry.put", R"({ "width": 4.0, "length": 3 })");
  const auto end = bench.replay();
  EXPECT_EQ(end.difference, std::nullopt);
  EXPECT_TRUE(bench.toolset().begun.empty());
}

TEST(Replay, FindsWhereTheTextDiffers) {
  Replaying bench;
  bench.provider().turns[2] = say("done");
  const auto end = bench.replay();
  ASSERT_TRUE(end.difference);
  EXPECT_EQ(end.difference,
            (event::Difference{.step = 3, .what = What::text, .recorded = {"\"written\""}, .replayed = {"\"done\""}}));
  EXPECT_EQ(end.result_json(), "\"done\"");
}

TEST(Replay, CutsWhatIsLongInADifference) {
  Replaying bench;
  bench.provider().turns[2] = say(std::string(100'000, 'x'));
  const auto end = bench.replay();
  ASSERT_TRUE(end.difference);
  EXPECT_LT(end.difference->replayed.text.size(), 5000);
  EXPECT_TRUE(end.difference->replayed.text.ends_with("x...\""));
}

TEST(Replay, TellsTextFromCalls) {
  Replaying bench;
  bench.provider().turns[1] = say("enough");
  const auto end = bench.replay();
  ASSERT_TRUE(end.difference);
  EXPECT_EQ(end.difference->what, What::tool_call);
  EXPECT_EQ(end.difference->replayed.text, "\"enough\"");
}

TEST(Replay, FindsThatTheAnswerWasCutOff) {
  Scene scene = two_writes();
  scene.answers = {cut_off("so far"), say("short")};
  Replaying bench(scene);
  EXPECT_EQ(bench.replay().difference, std::nullopt) << "the engine asks again, as it did";
  bench.provider().turns[0] = say("so far");
  EXPECT_EQ(bench.replay().difference,
            (event::Difference{.step = 1, .what = What::finish_reason, .recorded = {"\"length\""}, .replayed = {"\"stop\""}}));
}

TEST(Replay, GoesOnWhereTheRecordHasNoMoreToSay) {
  Scene scene = two_writes();
  scene.answers = {call("geometry.put", kSmall)};
  Replaying bench(scene);
  ASSERT_EQ(bench.recorded.status, RunStatus::failed);
  EXPECT_EQ(bench.replay().difference, std::nullopt) << "it fails as it did";
  bench.provider().turns.push_back(say("written"));
  const auto end = bench.replay();
  ASSERT_TRUE(end.difference);
  EXPECT_EQ(end.difference->step, 2);
  EXPECT_EQ(end.difference->what, What::outcome);
  EXPECT_EQ(end.difference->replayed.text, "\"written\"");
}

TEST(Replay, FindsThatItEndsOtherwise) {
  Replaying bench;
  bench.provider().turns[2] = {.answer = {}, .failures = {bad_request()}};
  const auto end = bench.replay();
  EXPECT_EQ(end.status, RunStatus::failed);
  ASSERT_TRUE(end.difference);
  EXPECT_EQ(end.difference->what, What::outcome);
  EXPECT_EQ(end.difference->recorded.text, R"({"status":"completed"})");
}

TEST(Replay, BeginsAtALaterStepWithWhatWasSaidBefore) {
  Replaying bench;
  bench.provider().turns[0] = say("never asked");
  const auto end = bench.replay({.from_step = 2});
  EXPECT_EQ(end.difference, std::nullopt);
  EXPECT_EQ(end.steps, 3);
  EXPECT_EQ(end.totals.requests, 2);
  ASSERT_EQ(bench.provider().requests.size(), 2);
  EXPECT_EQ(bench.provider().requests[0].messages.size(), 4) << "system, query, call, result";
  EXPECT_TRUE(bench.provider().requests[0].call_id.ends_with("/2"));
}

TEST(Replay, CountsWhatSucceededBeforeItBegins) {
  Scene scene = two_writes();
  scene.spec = [](auto& spec) { spec.task.require = {"geometry.put"}; };
  Replaying bench(scene);
  EXPECT_EQ(bench.replay({.from_step = 3}).status, RunStatus::completed);
  EXPECT_EQ(bench.replay().status, RunStatus::completed);
}

TEST(Replay, AsksAnotherModel) {
  Replaying bench;
  bench.replay({.model = "model-2"});
  ASSERT_EQ(bench.provider().requests.size(), 3);
  for (const auto& request : bench.provider().requests) EXPECT_EQ(request.model, "model-2");
}

TEST(Replay, CallsToolsWhenItIsLive) {
  Replaying bench;
  const auto run = bench.ask_again({.live = true});
  bench.until_end(run);
  EXPECT_EQ(bench.toolset().begun, (std::vector{to_text(run) + "/1/0", to_text(run) + "/2/0"}));
  EXPECT_EQ(bench.end_of(run).difference, std::nullopt);
}

TEST(Replay, FindsWhereALiveToolAnswersOtherwise) {
  auto scene = two_writes();
  int answers = 0;
  scene.tools[0].body = [&answers](const port::ToolCall&) {
    return port::Outcome{port::Status::ok, ++answers == 4 ? "other" : "same", {}};
  };
  Replaying bench(scene);
  const auto end = bench.replay({.live = true});
  ASSERT_TRUE(end.difference);
  EXPECT_EQ(end.difference->step, 2);
  EXPECT_EQ(end.difference->what, What::tool_result);
  EXPECT_EQ(end.difference->replayed.text, R"({"tool":"geometry.put","outcome":"ok","content":"other"})");
}

TEST(Replay, AsksPeopleOnlyWhenItIsLive) {
  auto scene = two_writes();
  scene.answers = {call("geometry.put", kSmall), say("written")};
  scene.spec = [](auto& spec) { spec.tools.ask = {"geometry.put"}; };
  Replaying bench(scene);
  bench.decide(bench.original, 1, 0, {.approve = true});
  bench.recorded = bench.until_end(bench.original);
  ASSERT_EQ(bench.recorded.status, RunStatus::completed);
  EXPECT_EQ(bench.replay().status, RunStatus::completed);
  const auto live = bench.ask_again({.live = true});
  bench.pass(1s);
  EXPECT_EQ(bench.open_questions(live).size(), 1);
}

TEST(Replay, LeavesNothingBehind) {
  auto scene = two_writes();
  int told = 0;
  scene.followers = [&told](const RunEnd&) {
    ++told;
    return std::vector<port::Entry>();
  };
  Replaying bench(scene);
  const auto stats = bench.ledger().stats("surveyor");
  const auto entries = bench.memory().entries.size();
  ASSERT_EQ(told, 1);
  const auto end = bench.replay();
  EXPECT_EQ(end.run_count, 1);
  EXPECT_EQ(bench.memory().entries.size(), entries);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(bench.ledger().stats("surveyor").run_count, stats.run_count);
  bench.provider().turns[2] = {.answer = {}, .failures = {bad_request()}};
  EXPECT_EQ(bench.replay().error_count, 0);
  EXPECT_EQ(bench.ledger().stats("surveyor").consecutive_failures, 0);
}

TEST(Replay, ThatIsCancelledBeforeItBeginsLeavesNothingBehindEither) {
  auto scene = two_writes();
  int told = 0;
  scene.followers = [&told](const RunEnd&) {
    ++told;
    return std::vector<port::Entry>();
  };
  scene.answers[0].takes = 1h;
  Replaying bench(scene);
  bench.ledger().serve("surveyor", false);
  const auto run = bench.ask_again();
  ASSERT_TRUE(bench.world().run(bench.worker().cancel(run, "no")));
  EXPECT_EQ(bench.standing(run).status, RunStatus::cancelled);
  EXPECT_EQ(bench.end_of(run).replay_of, to_text(bench.original));
  EXPECT_EQ(told, 1);
}

TEST(Replay, IsNotAskedAboutByAGate) {
  auto scene = two_writes();
  scene.gated = true;
  Replaying bench(scene);
  bench.gate().body = [](const port::TaskRun&) {
    return port::Outcome{port::Status::ok, R"({"proceed":true,"params":{"n":1},"state":2})", {}};
  };
  bench.original = bench.ask({.trigger = "schedule"});
  bench.until_end(bench.original);
  bench.store().agent_states.clear();
  bench.gate().runs.clear();
  const auto run = bench.ask_again();
  bench.until_end(run);
  EXPECT_EQ(bench.end_of(run).difference, std::nullopt);
  EXPECT_TRUE(bench.gate().runs.empty());
  EXPECT_TRUE(bench.store().agent_states.empty());
  EXPECT_EQ(bench.records<event::Started>(run).front().params.text, R"({"n":1})");
}

TEST(Replay, KillsNoHostForeverAndIsInNobodysQuarantine) {
  Replaying bench;
  bench.provider().on_request = [&](std::size_t) { bench.die(); };
  const auto run = bench.ask_again();
  for (int deaths = 0; deaths < 4; ++deaths) {
    bench.until_end(run);
    if (bench.ledger().is_cut()) bench.restart();
  }
  const auto end = bench.end_of(run);
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->error_class, ErrorClass::crash);
}

TEST(Replay, OfARunThatIsNoMoreFailsAndSaysSo) {
  Replaying bench;
  bench.original = RunId{999, 1};
  const auto end = bench.replay();
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->message, "run " + to_text(bench.original) + " cannot be replayed: it is not there any more");
  EXPECT_EQ(end.replay_of, to_text(bench.original));
}

TEST(Replay, OfADamagedRunFailsAndSaysSo) {
  Replaying bench;
  bench.ledger().damage(bench.original);
  const auto end = bench.replay();
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_NE(end.fault->message.find("cannot be replayed"), std::string::npos) << end.fault->message;
}

TEST(Replay, OfABatchThatFailedEndsAsItDid) {
  Replaying bench({.answers = {{.answer = {}, .failures = {bad_request(), bad_request()}}}});
  bench.provider().turns = {call("geometry.area", "{}")};
  bench.original = bench.ask({.trigger = "batch"});
  ASSERT_EQ(bench.until_end(bench.original).status, RunStatus::quarantined);
  const auto end = bench.replay();
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.difference, std::nullopt);
}

// ---- faults

TEST(Replay, GoesOnAfterADeathAtEveryRecord) {
  for (const bool live : {false, true}) {
    std::size_t first = 0, last = 0;
    {
      Replaying whole;
      first = whole.store().log.size();
      ASSERT_EQ(whole.replay({.live = live}).difference, std::nullopt);
      last = whole.store().log.size();
    }
    ASSERT_GT(last, first + 3);
    for (std::size_t n = first + 1; n < last; ++n) {
      SCOPED_TRACE("death after record " + std::to_string(n) + (live ? ", live" : ""));
      Replaying bench;
      bench.ledger().cut_after(n);
      const auto run = RunId{static_cast<Position>(first + 1), 7};
      bench.ask_again({.live = live});
      bench.until_end(run);
      ASSERT_TRUE(bench.ledger().is_cut());
      bench.restart();
      const auto end = bench.until_end(run);
      EXPECT_EQ(end.status, RunStatus::completed);
      if (!live) EXPECT_EQ(bench.end_of(run).difference, std::nullopt);
      EXPECT_LE(bench.toolset().begun.size(), live ? 2u : 0u) << "a once call is not made twice";
      EXPECT_LE(bench.provider().requests.size(), 4) << "no journalled answer is asked for again";
    }
  }
}

TEST(Replay, FindsTheSameDifferenceAfterADeathAtEveryRecord) {
  std::size_t first = 0, last = 0;
  std::optional<event::Difference> difference;
  const auto change = [](Bench& bench) {
    bench.provider().turns[0] = call("geometry.put", kLarge);
    bench.provider().turns[1] = call("geometry.put", kSmall);
  };
  {
    Replaying whole;
    first = whole.store().log.size();
    change(whole);
    difference = whole.replay().difference;
    last = whole.store().log.size();
  }
  ASSERT_TRUE(difference);
  for (std::size_t n = first + 1; n < last; ++n) {
    SCOPED_TRACE("death after record " + std::to_string(n));
    Replaying bench;
    change(bench);
    bench.ledger().cut_after(n);
    bench.ask_again();
    const auto run = RunId{static_cast<Position>(first + 1), 7};
    bench.until_end(run);
    bench.restart();
    bench.until_end(run);
    EXPECT_EQ(bench.end_of(run).difference, difference);
    EXPECT_EQ(bench.end_of(run).result_json(), "\"written\"");
    EXPECT_TRUE(bench.toolset().begun.empty());
  }
}

TEST(Replay, SurvivesEveryFailureOfTheLedger) {
  std::size_t first = 0, last = 0;
  {
    Replaying whole;
    first = whole.ledger().operations();
    whole.replay();
    last = whole.ledger().operations();
  }
  using port::LedgerFault;
  const std::vector<LedgerFailure> failures = {{LedgerFault::unavailable},
                                               {LedgerFault::disk_full},
                                               {LedgerFault::unknown_outcome, false},
                                               {LedgerFault::unknown_outcome, true},
                                               {LedgerFault::stale}};
  for (const auto& failure : failures)
    for (std::size_t n = first + 2; n <= last; ++n) {
      SCOPED_TRACE("operation " + std::to_string(n) + " fails with " + std::to_string(static_cast<int>(failure.fault)) +
                   (failure.happened ? ", but happened" : ""));
      Replaying bench;
      bench.ledger().fail(n, failure);
      const auto run = bench.ask_again();
      EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
      EXPECT_EQ(bench.end_of(run).difference, std::nullopt);
      EXPECT_TRUE(bench.toolset().begun.empty());
    }
}

// ---- what can be replayed

Result<Recording> read(Bench& bench, RunId run) { return Recording::read(bench.store().records_of(run)); }

TEST(Recording, KnowsItsSteps) {
  Replaying bench;
  const auto recording = read(bench, bench.original);
  ASSERT_TRUE(recording);
  EXPECT_EQ(recording->first_step(), 1);
  EXPECT_EQ(recording->last_step(), 3);
}

TEST(Recording, IsOfWhatCameAfterAPersonLetTheRunBeginAgain) {
  std::vector<port::StoredRecord> records;
  const auto add = [&records](const event::Body& body) {
    records.push_back({static_cast<Position>(records.size() + 1),
                       Instant(0s),
                       {1, 1},
                       "a",
                       event::kind(body),
                       RunStatus::queued,
                       event::encode(body)});
  };
  const auto asks = [](int step) {
    return event::Answered{.step = step, .calls = {{.tool = "a.x", .arguments = {"{}"}}}, .starts = {0}};
  };
  const auto done = [](int step) { return event::ToolFinished{.step = step, .tool = "a.x", .content = {"\"1\""}}; };
  add(event::Entered{.trigger = "batch"});
  add(event::Started{.query = "first"});
  add(asks(1));
  add(done(1));
  add(event::Ended{.status = RunStatus::quarantined, .steps = 1});
  add(event::Reviewed{.what = event::Reviewed::What::retry});
  add(event::Started{.query = "second"});
  add(asks(2));
  add(done(2));
  add(event::Ended{.answer = event::Answered{.step = 3, .text = {"\"ok\""}}, .steps = 3});
  const auto recording = Recording::read(records);
  ASSERT_TRUE(recording);
  EXPECT_EQ(recording->first_step(), 2);
  EXPECT_EQ(recording->last_step(), 3);
  State first, last;
  recording->tell_until(2, first);
  EXPECT_EQ(first.query, "second");
  EXPECT_EQ(first.messages.size(), 2);
  EXPECT_EQ(first.step, 1);
  EXPECT_EQ(first.past.steps, 1) << "a limit of steps counts from here";
  recording->tell_until(3, last);
  EXPECT_EQ(last.messages.size(), 4);
  EXPECT_EQ(last.succeeded, std::vector<std::string>{"a.x"});
}

TEST(Recording, IsNotOfARunThatHasNotEnded) {
  auto scene = two_writes();
  scene.answers[1].takes = 1h;
  Bench bench(scene);
  const auto run = bench.ask();
  bench.pass(1s);
  EXPECT_EQ(read(bench, run).error().message, "it has not ended");
}

TEST(Recording, IsNotOfARunWithoutAModelsAnswer) {
  Bench native({.native = true});
  const auto task = native.ask();
  native.until_end(task);
  EXPECT_EQ(read(native, task).error().message, "no model answered in it, so there is nothing to replay");
}

TEST(Recording, IsNotOfAReplay) {
  Replaying bench;
  const auto run = bench.ask_again();
  bench.until_end(run);
  EXPECT_EQ(read(bench, run).error().message, "it is a replay itself; replay run " + to_text(bench.original));
}

TEST(Recording, IsNotOfARunWithADamagedRecord) {
  Replaying bench;
  auto records = bench.store().records_of(bench.original);
  records[2].payload = "{";
  EXPECT_NE(Recording::read(records).error().message.find("record " + std::to_string(records[2].position) + " cannot be read"),
            std::string::npos);
}

}  // namespace
}  // namespace agentd::run
