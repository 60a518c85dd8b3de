// Runs for memory: summaries of a session, lessons of a run.
#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using port::MemoryType;
using support::Bench;
using support::call;
using support::say;
using support::Scene;

constexpr const char* kTwoLessons = R"({"memories":[{"type":"long_term","text":"The field is 3 by 4"},{"type":"procedural","text":"Measure twice"}]})";

RunId last_run(Bench& bench) { return bench.store().runs.rbegin()->second.run; }
std::vector<std::string> texts(Bench& bench, MemoryType type) {
  std::vector<std::string> all;
  for (const auto& entry : bench.memory().entries)
    if (entry.type == type) all.push_back(entry.text);
  return all;
}
using Texts = std::vector<std::string>;
void summarizes(manifest::AgentSpec& spec) { spec.memory.window = 4; }
void learns(manifest::AgentSpec& spec) {
  spec.memory.learn = {"long_term", "procedural"};
  spec.limits.max_concurrent = 1;
}

TEST(Summary, IsMadeByARunOfItsOwnThatSaysNothingOfTheAgent) {
  Bench bench(Scene{.answers = std::vector(3, say("The area is twelve.")), .spec = summarizes});
  for (int i = 0; i < 2; ++i) bench.run();
  EXPECT_EQ(bench.store().runs.size(), 2U);
  const auto third = bench.ask();
  bench.until_end(third);
  ASSERT_EQ(bench.store().runs.size(), 4U);
  const auto made = last_run(bench);
  const auto end = bench.until_end(made);
  EXPECT_EQ(end.status, port::RunStatus::completed);
  EXPECT_EQ(end.result, R"("The area is twelve.")");
  EXPECT_EQ(bench.records<event::Entered>(made)[0].digest, (event::Digest{event::Digest::What::summary, to_text(third)}));
  const auto& request = bench.provider().requests.back();
  EXPECT_EQ(request.tools, "");
  ASSERT_EQ(request.messages.size(), 2U);
  EXPECT_TRUE(request.messages[0].contains("running summary")) << request.messages[0];
  EXPECT_TRUE(request.messages[1].contains("[user] What is the area?\\n[assistant] The area is twelve.\\n[user] What is the area?\\n[assistant] The area is twelve.\\n\"")) << request.messages[1];
  EXPECT_EQ(bench.store().stats["surveyor"].run_count, 3);
  EXPECT_EQ(bench.memory().entries.back().session_id, "summary/surveyor");

  const auto fourth = bench.ask();
  bench.until_end(fourth);
  const auto recalled = bench.records<event::Started>(fourth)[0].recalled;
  ASSERT_EQ(recalled.size(), 5U);
  EXPECT_EQ(recalled[0].text, R"({"role":"system","content":"Summary of the earlier conversation:\nThe area is twelve."})");
  EXPECT_TRUE(recalled[1].text.contains(R"("role":"user")"));
}

TEST(Summary, IsMadeOnceThoughTheHostDies) {
  Bench bench(Scene{.answers = std::vector(3, say("12")), .spec = summarizes});
  for (int i = 0; i < 3; ++i) bench.run();
  bench.memory().writes_take = std::chrono::hours(1);
  bench.pass(Millis(1000));
  bench.restart();
  bench.memory().writes_take = Millis(0);
  EXPECT_EQ(bench.until_end(last_run(bench)).status, port::RunStatus::completed);
  EXPECT_EQ(bench.store().runs.size(), 4U);
  EXPECT_EQ(texts(bench, MemoryType::episodic).size(), 7U);
}

TEST(Summary, ThatIsMadeAlreadyCostsNothing) {
  Bench bench(Scene{.answers = std::vector(3, say("12")), .spec = summarizes});
  for (int i = 0; i < 3; ++i) bench.run();
  bench.until_end(last_run(bench));
  const auto asked = bench.provider().requests.size();
  const auto again = bench.ask({.trigger = "memory", .digest = event::Digest{event::Digest::What::summary, "0000000000000001-00000007"}});
  EXPECT_EQ(bench.until_end(again).status, port::RunStatus::completed);
  EXPECT_EQ(bench.provider().requests.size(), asked);
}

TEST(Summary, IsOfNoSessionThatNothingOutlives) {
  Bench bench(Scene{.answers = {say("one"), say("two"), say("three"), say("four")}, .spec = [](manifest::AgentSpec& spec) { spec.memory = {.session = {manifest::Session::Scope::run, ""}, .window = 2}; }});
  for (int i = 0; i < 4; ++i) bench.run();
  EXPECT_EQ(bench.store().runs.size(), 4U);
}

TEST(Lessons, AreDrawnFromARunThatIsDone) {
  Bench bench(Scene{.answers = {call("geometry.area", R"({"length":3,"width":4})"), say("12")}, .digests = {say(kTwoLessons)}, .spec = learns});
  const auto source = bench.ask();
  bench.until_end(source);
  const auto drawn = last_run(bench);
  ASSERT_NE(drawn, source);
  EXPECT_EQ(bench.until_end(drawn).status, port::RunStatus::completed);
  EXPECT_EQ(texts(bench, MemoryType::long_term), Texts{"The field is 3 by 4"});
  EXPECT_EQ(texts(bench, MemoryType::procedural), Texts{"Measure twice"});
  const auto& request = bench.provider().requests.back();
  EXPECT_TRUE(request.messages[1].contains("[task] What is the area?\\n[calls] geometry.area {\\\"length\\\":3,\\\"width\\\":4}\\n[geometry.area: ok] 12\\n[agent] 12\\n")) << request.messages[1];
  EXPECT_TRUE(request.options.contains("output_schema"));
  EXPECT_EQ(bench.store().runs.size(), 2U);  // nothing is learned from learning
}

TEST(Lessons, AreReadAsTheyWereJudged) {
  Bench bench(Scene{.answers = {say("12")}, .digests = {say("```json\n" + std::string(kTwoLessons) + "\n```")}, .spec = learns});
  bench.run();
  EXPECT_EQ(bench.until_end(last_run(bench)).status, port::RunStatus::completed);
  EXPECT_EQ(texts(bench, MemoryType::long_term), Texts{"The field is 3 by 4"});
}

TEST(Lessons, ThatCouldNotBeKeptAreReadAsTheyWereJudgedInTheNextAttempt) {
  auto fenced = say("```json\n" + std::string(kTwoLessons) + "\n```");
  fenced.takes = Millis(1000);
  Bench bench(Scene{.answers = {say("12")}, .digests = {fenced}, .spec = learns});
  bench.run();
  bench.memory().failing_writes = 5;  // more than an attempt's
  const auto end = bench.until_end(last_run(bench));
  EXPECT_EQ(end.status, port::RunStatus::completed);
  EXPECT_EQ(end.attempt, 2);
  EXPECT_EQ(end.result, kTwoLessons);
  EXPECT_EQ(texts(bench, MemoryType::long_term), Texts{"The field is 3 by 4"});
}

TEST(Lessons, AreKeptWhenTheAnswerIsOnRecord) {
  Bench bench(Scene{.answers = {say("12")}, .digests = {say(kTwoLessons)}, .spec = learns});
  bench.run();
  bench.memory().writes_take = std::chrono::hours(1);
  bench.pass(Millis(1000));
  EXPECT_EQ(bench.records<event::Answered>(last_run(bench)).size(), 1U);
  bench.restart();
  bench.memory().writes_take = Millis(0);
  EXPECT_EQ(bench.until_end(last_run(bench)).status, port::RunStatus::completed);
  EXPECT_EQ(bench.provider().requests.size(), 2U) << "it is not asked again";
}

TEST(Lessons, KnowWhichOfThemWereOfUse) {
  Bench bench(Scene{.answers = std::vector(2, say("12")), .digests = {say(kTwoLessons)}, .spec = learns});
  for (int i = 0; i < 2; ++i) {
    bench.run();
    bench.until_end(last_run(bench));
  }
  for (const auto& entry : bench.memory().entries)
    if (entry.type == MemoryType::long_term) EXPECT_TRUE(entry.json.contains(R"("uses":1)")) << entry.json;
}

TEST(Lessons, AreAskedForAgainWhereTheAnswerDoesNotFit) {
  Bench bench(Scene{.answers = {say("12")}, .digests = {say("I learned a lot."), say(kTwoLessons)}, .spec = learns});
  bench.run();
  EXPECT_EQ(bench.until_end(last_run(bench)).status, port::RunStatus::completed);
  EXPECT_EQ(texts(bench, MemoryType::long_term).size(), 1U);
}

TEST(Lessons, AreDrawnInAnotherAttemptFromTheSameAccount) {
  auto refused = say(kTwoLessons);
  refused.failures.assign(5, support::server_error());
  Bench bench(Scene{.answers = {say("12")}, .digests = {refused}, .spec = learns});
  bench.run();
  const auto end = bench.until_end(last_run(bench));
  EXPECT_EQ(end.status, port::RunStatus::completed);
  EXPECT_EQ(end.attempt, 2);
  EXPECT_TRUE(bench.provider().requests.back().messages[1].contains("[task] What is the area?"));
}

TEST(Lessons, ThatCannotBeKeptAreTriedAgain) {
  Bench bench(Scene{.answers = {say("12")}, .digests = {say(kTwoLessons)}, .spec = learns});
  bench.run();
  bench.memory().failing_writes = 2;
  EXPECT_EQ(bench.until_end(last_run(bench)).status, port::RunStatus::completed);
  EXPECT_EQ(texts(bench, MemoryType::long_term).size(), 1U);
}

TEST(Lessons, OfARunThatIsGoneAreNotSaidToBeKept) {
  Bench bench(Scene{.answers = {say("12")}, .spec = learns});
  const auto of = event::Digest{event::Digest::What::lessons, to_text(RunId{77, 7})};
  const auto end = bench.until_end(bench.ask({.trigger = "memory", .digest = of}));
  EXPECT_EQ(end.status, port::RunStatus::failed);
  EXPECT_TRUE(end.fault->message.contains("which it is to learn from, cannot be read")) << end.fault->message;
  EXPECT_TRUE(bench.provider().requests.empty());
}

TEST(Lessons, AreNotDroppedWhereTheQueueIsFull) {
  const auto waits_for_one = [](manifest::AgentSpec& spec) {
    learns(spec);
    spec.limits.queue_size = 1;
    spec.memory.window = 2;  // so that a summary is due as well
  };
  Bench bench(Scene{.answers = std::vector(2, say("12")), .digests = std::vector(3, say(kTwoLessons)), .spec = waits_for_one});
  for (int i = 0; i < 2; ++i) bench.run();
  bench.until_end(last_run(bench));
  ASSERT_EQ(bench.store().runs.size(), 5U);
  for (const auto& [position, run] : bench.store().runs) EXPECT_NE(run.status, port::RunStatus::dropped) << run.entry.key;
}

TEST(Lessons, HoldUpNoOtherRun) {
  auto never = say(kTwoLessons);
  never.takes = std::chrono::hours(9);
  Bench bench(Scene{.answers = std::vector(2, say("12")), .digests = {never}, .spec = learns});
  EXPECT_EQ(bench.run().status, port::RunStatus::completed);
  bench.pass(Millis(1000));
  ASSERT_EQ(bench.standing(last_run(bench)).status, port::RunStatus::running);
  EXPECT_EQ(bench.run().status, port::RunStatus::completed) << "max_concurrent is 1";
}

TEST(Lessons, HaveRoomForTheirAnswer) {
  Bench bench(Scene{.answers = {say("12")}, .digests = {say(kTwoLessons)}, .spec = [](manifest::AgentSpec& spec) {
    learns(spec);
    spec.model.max_output_tokens = 20;
  }});
  bench.run();
  bench.until_end(last_run(bench));
  EXPECT_TRUE(bench.provider().requests.front().options.contains(R"("max_output_tokens":20)"));
  EXPECT_TRUE(bench.provider().requests.back().options.contains(R"("max_output_tokens":1500)"));
}

TEST(Lessons, ShowNoSecret) {
  Bench bench(Scene{.answers = {say("the key is hunter2")}, .digests = {say(kTwoLessons)}, .spec = learns, .secret = "hunter2"});
  bench.run();
  bench.until_end(last_run(bench));
  EXPECT_FALSE(bench.provider().requests.back().messages[1].contains("hunter2"));
}

TEST(Lessons, AreDrawnFromNothingElse) {
  Bench failed(Scene{.answers = {say("12")}, .spec = learns});
  failed.provider().turns[0].failures = {support::bad_request()};
  EXPECT_EQ(failed.run().status, port::RunStatus::failed);
  EXPECT_EQ(failed.store().runs.size(), 1U);
  Bench dry(Scene{.answers = {say("12")}, .spec = learns, .dry_run = true});
  dry.run();
  EXPECT_EQ(dry.store().runs.size(), 1U);
}

}  // namespace
}  // namespace agentd::run
