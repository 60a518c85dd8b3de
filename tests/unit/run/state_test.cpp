// What the records of a run add up to.
#include "core/run/state.hpp"

#include <gtest/gtest.h>

#include "core/run/backoff.hpp"
#include "core/run/endpoint.hpp"
#include "core/run/messages.hpp"
#include "core/tool/arguments_hash.hpp"
#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;

class Journal {
 public:
  Journal() { add(event::Entered{.trigger = "manual"}, 0s); }
  Journal& add(const event::Body& body, Millis at) {
    records_.push_back({static_cast<Position>(records_.size() + 1), Instant(at), {1, 1}, "a", event::kind(body), {}, event::encode(body)});
    return *this;
  }
  State fold() const { return *run::fold(records_); }

 private:
  std::vector<port::StoredRecord> records_;
};

const event::ModelCall kFirst{1, "p", "m"};
const event::Answered kTwoCalls{.step = 1, .calls = {{.tool = "a.x", .arguments = {"{}"}}, {.tool = "a.y", .arguments = {"{}"}}}, .starts = {0}};

TEST(Fold, OfAnEntryIsAFreshRun) {
  const auto state = Journal().fold();
  EXPECT_FALSE(state.started);
  EXPECT_FALSE(state.held);
  EXPECT_EQ(state.name, to_text(RunId{1, 1}));
  EXPECT_EQ(state.messages.size(), 1) << "the place of the system instruction";
}

TEST(Fold, SeesThatAWorkerDiedOverAModelCall) {
  const auto state = Journal().add(event::Started{.query = "q", .call = kFirst}, 1s).fold();
  EXPECT_TRUE(state.held);
  EXPECT_EQ(state.calling, kFirst);
  EXPECT_EQ(state.messages.size(), 2);
}

TEST(Fold, KnowsWhichCallsAreOpenAndWhichHaveBegun) {
  const auto state = Journal().add(event::Started{.query = "q", .call = kFirst}, 1s).add(kTwoCalls, 2s).fold();
  ASSERT_EQ(state.calls.size(), 2);
  EXPECT_TRUE(state.calls[0].started);
  EXPECT_FALSE(state.calls[1].started);
  EXPECT_FALSE(state.calling);
}

TEST(Fold, StartsACallThatTookAnothersPlace) {
  Journal journal;
  journal.add(event::Started{.query = "q", .call = kFirst}, 1s).add(kTwoCalls, 2s);
  journal.add(event::ToolFinished{.step = 1, .index = 0, .tool = "a.x", .content = {"\"1\""}, .starts = {{1, 1, "a.y"}}}, 3s);
  const auto open = journal.fold();
  EXPECT_TRUE(open.calls[0].finished);
  EXPECT_TRUE(open.calls[1].started);
  EXPECT_EQ(open.succeeded, std::vector<std::string>{"a.x"});

  journal.add(event::ToolFinished{.step = 1, .index = 1, .tool = "a.y", .outcome = event::ToolOutcome::error, .content = {"\"2\""}, .call = event::ModelCall{2, "p", "m"}}, 4s);
  const auto settled = journal.fold();
  EXPECT_TRUE(settled.calls.empty());
  EXPECT_EQ(settled.messages.size(), 1 + 1 + 1 + 2);
  EXPECT_EQ(settled.calling->step, 2);
  EXPECT_EQ(settled.succeeded.size(), 1);
}

TEST(Fold, ForgetsTheStartOfACallThatWasStoppedBeforeItHappened) {
  const auto state = Journal().add(event::Started{.query = "q", .call = kFirst}, 1s).add(kTwoCalls, 2s).add(event::Released{.reason = "drain", .undone = {0}}, 3s).fold();
  EXPECT_FALSE(state.calls[0].started);
  EXPECT_FALSE(state.held);
  EXPECT_TRUE(state.released);
}

TEST(Fold, CountsActiveTimeOfTheAttemptAlone) {
  Journal journal;
  journal.add(event::Started{.query = "q", .call = kFirst}, 10s).add(event::Waiting{.attempt = 1}, 13s);
  EXPECT_EQ(journal.fold().active, 3s);
  journal.add(event::Started{.why = event::Started::Why::resume_wait, .call = kFirst}, 100s).add(event::CallFailed{.tries = 1}, 104s);
  journal.add(event::Started{.why = event::Started::Why::resume_crash, .crashes = 1, .call = kFirst, .unsure = kFirst}, 200s);
  EXPECT_EQ(journal.fold().active, 3s + 4s) << "a worker that died was active until its last record";
  EXPECT_EQ(journal.fold().totals.unknown, 1);
  journal.add(event::Waiting{.attempt = 2, .ends_attempt = true}, 205s).add(event::Waiting{.attempt = 2}, 206s);
  EXPECT_TRUE(journal.fold().attempt_spent) << "put off once more, it is still the next attempt that begins";
  journal.add(event::Started{.why = event::Started::Why::retry, .attempt = 2}, 300s);
  EXPECT_EQ(journal.fold().active, 0s);
  EXPECT_EQ(journal.fold().attempt, 2);
}

Journal asked_about_two_calls() {
  Journal journal;
  auto answered = kTwoCalls;
  answered.starts.clear();
  for (auto& call : answered.calls) call.asks = true;
  event::Waiting waiting{.what = event::Waiting::For::approval};
  for (int index : {0, 1}) waiting.questions.push_back({.step = 1, .index = index, .tool = "a.x", .arguments_hash = tool::arguments_hash("{}")});
  journal.add(event::Started{.query = "q", .call = kFirst}, 1s).add(answered, 2s).add(waiting, 3s);
  return journal;
}

event::Decided decided(int index, event::Decided::What what) {
  return {.what = what, .question = {.step = 1, .index = index, .tool = "a.x", .arguments_hash = tool::arguments_hash("{ }")}};
}

TEST(Fold, TakesTheFirstDecisionOfTwo) {
  using What = event::Decided::What;
  const auto state = asked_about_two_calls().add(decided(0, What::approve), 4s).add(decided(0, What::deny), 5s).add(decided(1, What::deny), 6s).add(decided(1, What::approve), 7s).fold();
  EXPECT_TRUE(state.calls[0].permitted);
  EXPECT_FALSE(state.calls[1].permitted);
  EXPECT_EQ(state.calls[1].decision->what, What::deny);
}

TEST(Fold, BindsAnApprovalToTheArgumentsItWasGivenFor) {
  auto other = decided(0, event::Decided::What::approve);
  other.question.arguments_hash = tool::arguments_hash(R"({"n":1})");
  EXPECT_FALSE(asked_about_two_calls().add(other, 4s).fold().calls[0].permitted);
}

TEST(Fold, RefusesRecordsThatAreNoRun) {
  EXPECT_FALSE(fold({}));
  const std::vector<port::StoredRecord> headless = {{1, {}, {1, 1}, "a", event::Started::kKind, {}, "{}"}};
  EXPECT_FALSE(fold(headless));
  const std::vector<port::StoredRecord> broken = {{1, {}, {1, 1}, "a", 0, {}, "{}"}, {2, {}, {1, 1}, "a", event::Answered::kKind, {}, "{"}};
  EXPECT_FALSE(fold(broken));
}

// ---- backoff

TEST(StepDelay, DoublesWithJitterAndHonoursTheEndpoint) {
  EXPECT_EQ(step_delay(1, {}, 0), 500ms);
  EXPECT_EQ(step_delay(3, {}, 0), 2s);
  EXPECT_GT(step_delay(1, {}, ~0ULL), 600ms);
  EXPECT_LE(step_delay(1, {}, ~0ULL), 625ms);
  EXPECT_EQ(step_delay(1, 7s, 0), 7s);
}

TEST(AttemptDelay, FollowsTheManifest) {
  manifest::Retry retry{.jitter = 0};
  EXPECT_EQ(attempt_delay(retry, 1, {}, 0), 60s);
  EXPECT_EQ(attempt_delay(retry, 3, {}, 0), 240s);
  EXPECT_EQ(attempt_delay(retry, 60, {}, 0), 15min);
  retry.backoff = manifest::Backoff::fixed;
  EXPECT_EQ(attempt_delay(retry, 9, {}, 0), 60s);
  retry.jitter = 0.5;
  EXPECT_EQ(attempt_delay(retry, 1, {}, 0), 30s);
  EXPECT_EQ(attempt_delay(retry, 1, 1h, 0), 1h);
}

// ---- endpoints

TEST(Endpoint, TakesRefusalsOfCallsInFlightTogetherForOne) {
  support::VirtualWorld world;
  support::FakeProvider provider(world);
  Endpoint endpoint("p", provider, 1min, {});
  const Tick now{};
  EXPECT_EQ(endpoint.refused(now, {}), 30s);
  EXPECT_EQ(endpoint.refused(now + 1s, {}), 29s);
  EXPECT_EQ(endpoint.refused(now + 30s, {}), 60s) << "a probe that is refused doubles the wait";
  EXPECT_EQ(endpoint.closed_for(now + 30s), 60s);
  EXPECT_TRUE(endpoint.down());
  endpoint.answered();
  EXPECT_FALSE(endpoint.down());
  EXPECT_EQ(endpoint.refused(now + 1h, {}), 30s);
}

// ---- parameters

TEST(LayOver, ReplacesTopLevelKeys) {
  EXPECT_EQ(lay_over("{}", ""), "");
  EXPECT_EQ(lay_over(R"({ "a" : 1.50 })", "{}"), R"({ "a" : 1.50 })");
  EXPECT_EQ(lay_over(R"({"a":{"x":1},"b":2})", R"({"a":{"y":2}})"), R"({"a":{"y":2},"b":2})");
}

}  // namespace
}  // namespace agentd::run
