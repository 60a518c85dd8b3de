#include "core/event/record.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/base/json_text.hpp"

namespace agentd::event {
namespace {

template <class T>
T round_trip(const T& record) {
  const auto payload = encode(record);
  EXPECT_TRUE(is_json(payload)) << payload;
  auto back = decode(T::kKind, payload);
  EXPECT_TRUE(back) << payload;
  EXPECT_EQ(encode(back->body), payload);
  return std::get<T>(back->body);
}

TEST(Record, KeepsWhatWasAnsweredByteForByte) {
  Answered answered;
  answered.step = 2;
  answered.provider = "openai";
  answered.usage = port::Usage{.input_tokens = 10, .output_tokens = 0};
  answered.text = {json_string("a \"quoted\"\nline \x01 é")};
  answered.extra = {R"({"sig": [1, {"x": "}\"]"}]})"};
  answered.calls.push_back({.tool = "fs.read_file", .effect = port::Effect::pure, .arguments = {R"({ "path" : "/tmp/{" })"}});
  answered.calls.push_back({.tool = "nope", .known = false, .arguments = {R"("{not json")"}, .refused = ToolOutcome::error, .content = {R"("no such tool")"}});
  answered.starts = {0};
  answered.call = ModelCall{3, "openai", "gpt"};

  const auto back = round_trip(answered);
  EXPECT_EQ(back.text, answered.text);
  EXPECT_EQ(back.extra, answered.extra);
  EXPECT_EQ(back.calls[0].arguments, answered.calls[0].arguments);
  EXPECT_EQ(back.calls[0].effect, port::Effect::pure);
  EXPECT_FALSE(back.calls[1].known);
  EXPECT_EQ(back.calls[1].refused, ToolOutcome::error);
  EXPECT_EQ(back.starts, answered.starts);
  EXPECT_EQ(back.call, answered.call);
  EXPECT_EQ(back.usage->output_tokens, 0);
  EXPECT_EQ(back.usage->cache_read_tokens, -1);
}

TEST(Record, KeepsTheTraceOfItsRun) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(round_trip(Entered{.traceparent = trace}).traceparent, trace);
  EXPECT_EQ(decode(Entered::kKind, encode(Entered{.traceparent = trace}))->traceparent, trace);
  EXPECT_EQ(decode(Answered::kKind, encode(Answered{}, "daily", trace))->traceparent, trace);
  EXPECT_EQ(decode(Answered::kKind, encode(Answered{}))->traceparent, "");
}

TEST(Record, TellsZeroFromNotSaid) {
  EXPECT_EQ(round_trip(CallFailed{.retry_after_ms = 0}).retry_after_ms, 0);
  EXPECT_EQ(round_trip(CallFailed{}).retry_after_ms, -1);
  EXPECT_EQ(round_trip(Waiting{.attempt = 0}).attempt, 0);
}

TEST(Record, EndHoldsTheLastAnswerAndItsTextIsTheResult) {
  Ended ended{.answer = Answered{.step = 2, .text = {"\"12\""}}, .totals = {.requests = 2, .cost = 5}, .run_count = 7};
  const auto back = round_trip(ended);
  EXPECT_EQ(back.result_json(), "\"12\"");
  EXPECT_EQ(back.totals, ended.totals);
  const auto gated = round_trip(Gated{.task = "changed_files", .proceed = false, .reason = "no", .params = {"{}"}, .state = {"1"}, .scheduled_at = Instant(Millis(5)), .duration_ms = 3});
  EXPECT_FALSE(gated.proceed);
  EXPECT_EQ(gated.task + gated.reason + gated.params.text + gated.state.text, "changed_filesno{}1");
  EXPECT_EQ(gated.scheduled_at, Instant(Millis(5)));
  EXPECT_TRUE(round_trip(Entered{.into = Instant(Millis(7)), .gated = true}).gated);
  EXPECT_EQ(round_trip(Ended{.status = port::RunStatus::timed_out}).status, port::RunStatus::timed_out);
}

TEST(Record, KeepsWhatIsReplayedAndWhereItDiffers) {
  const Replay replay{.of = "0000000000000001-00000007", .from_step = 3, .provider = "fake", .model = "m/2", .live = true};
  EXPECT_EQ(round_trip(Entered{.trigger = "replay", .replay = replay}).replay, replay);
  EXPECT_EQ(round_trip(Entered{.trigger = "manual"}).replay, std::nullopt);
  for (const auto what : {Difference::What::tool_call, Difference::What::text, Difference::What::finish_reason, Difference::What::tool_result, Difference::What::result, Difference::What::outcome}) {
    const Difference difference{.step = 2, .what = what, .recorded = {R"({"tool":"a.b"})"}, .replayed = {}};
    const auto back = round_trip(Ended{.replay_of = replay.of, .difference = difference});
    EXPECT_EQ(back.replay_of, replay.of);
    EXPECT_EQ(back.difference, difference);
  }
  const auto answered = round_trip(Answered{.step = 1, .calls = {{.tool = "a.b", .arguments = {"{}"}, .refused = ToolOutcome::ok, .content = {"\"1\""}, .recorded = true}}});
  EXPECT_TRUE(answered.calls[0].recorded);
}

TEST(Record, KeepsWhatPeopleAreAskedAndSay) {
  const Question question{.step = 2, .index = 1, .about = Question::About::outcome, .tool = "bank.pay", .arguments = {R"({"n":1})"}, .arguments_hash = "ab"};
  const auto waiting = round_trip(Waiting{.what = Waiting::For::approval, .questions = {question}});
  ASSERT_EQ(waiting.questions.size(), 1u);
  EXPECT_EQ(waiting.questions[0].about, Question::About::outcome);
  EXPECT_EQ(waiting.questions[0].arguments.text, R"({"n":1})");
  const auto decided = round_trip(Decided{.what = Decided::What::approve, .question = question, .by = "ops", .reason = "fine", .resumes = true});
  EXPECT_EQ(decided.what, Decided::What::approve);
  EXPECT_EQ(decided.question.index, 1);
  EXPECT_EQ(decided.question.arguments_hash, "ab");
  EXPECT_TRUE(decided.resumes);
  EXPECT_TRUE(round_trip(ToolFinished{.parks = true}).parks);
}

TEST(Record, KeepsWhatAPersonMadeOfARunInQuarantine) {
  const auto edited = round_trip(Reviewed{.what = Reviewed::What::edit, .by = "ana", .reason = "too long", .query = "shorter", .params = {R"({"n":1})"}});
  EXPECT_EQ(edited.what, Reviewed::What::edit);
  EXPECT_EQ(edited.by + edited.reason + edited.query + edited.params.text, R"(anatoo longshorter{"n":1})");
  EXPECT_EQ(round_trip(Reviewed{.what = Reviewed::What::retry}).what, Reviewed::What::retry);
}

TEST(Record, KeepsWhoIsToBeToldAndWhatBecameOfIt) {
  const auto ended = round_trip(Ended{.deliver = {{"ops", true}, {"mail"}}});
  EXPECT_EQ(ended.deliver, (std::vector<Recipient>{{"ops", true}, {"mail", false}}));
  const auto refused = round_trip(Undelivered{.sink = "ops", .run_id = "7-abc", .position = 9, .attempt = 2, .error = "down", .retry_after_ms = 0});
  EXPECT_EQ(refused.sink + refused.run_id + refused.error, "ops7-abcdown");
  EXPECT_EQ(refused.position, 9);
  EXPECT_EQ(refused.retry_after_ms, 0);
  const auto raised = round_trip(AlertRaised{.rule = "budget", .agent_id = "a", .subject = "cost", .severity = "warning", .summary = "s", .deliver = {{"ops"}}, .budget = Exhausted{"agent:a", "2026-01-01", "cost", 5, 10}});
  EXPECT_EQ(raised.budget->limit, 10);
  EXPECT_EQ(raised.deliver.size(), 1U);
}

TEST(Record, EveryKindHasItsOwnNumber) {
  std::set<std::int32_t> seen;
  const std::vector<Body> all = {Entered{}, Started{}, Answered{}, ToolFinished{}, CallFailed{}, Waiting{}, Released{}, Ended{}, Decided{}, Gated{}, Reviewed{}, HostStarted{}, HostStopped{},
                                 AgentChanged{}, PluginLoaded{}, PluginFailed{}, EventsPruned{}, BudgetRaised{}, Delivered{}, Undelivered{}, AlertRaised{}, AlertCleared{}, CancelAsked{}, RunForgotten{}};
  EXPECT_EQ(all.size(), std::variant_size_v<Body>);
  for (const auto& body : all) {
    EXPECT_TRUE(seen.insert(kind(body)).second);
    EXPECT_TRUE(decode(kind(body), encode(body)));
  }
}

TEST(Record, NamesItsSessionWhenAsked) {
  EXPECT_EQ(decode(Released::kKind, encode(Released{.reason = "drain"}, "s-1"))->session, "s-1");
  EXPECT_EQ(decode(Released::kKind, encode(Released{.reason = "drain"}))->session, "");
}

TEST(Record, RefusesWhatItCannotRead) {
  EXPECT_FALSE(decode(999, "{}"));
  for (const char* bad : {"", "{", "[]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":\"x}", "{\"step\":1}}", "{\"calls\":{}}", "{\"finish\":\"?\"}", "{\"call\":[]}"})
    EXPECT_FALSE(decode(Answered::kKind, bad)) << bad;
}

TEST(JsonFields, DecodesEveryEscape) {
  EXPECT_EQ(string_value(R"("a\"\\\/\b\f\n\r\té😀\ud800")"), "a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd");
  EXPECT_FALSE(string_value(R"("\x")"));
  EXPECT_FALSE(string_value(R"("\u12")"));
  EXPECT_FALSE(string_value("\"open"));
}

TEST(JsonFields, SlicesMembersAndElements) {
  const auto object = ObjectReader::open(R"( { "a" : [1, "]", {"b": "}"}] , "c":null,"d": true } )");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->raw("a"), R"([1, "]", {"b": "}"}])");
  EXPECT_FALSE(object->has("c"));
  EXPECT_TRUE(object->flag("d"));
  EXPECT_EQ(*array_elements(object->raw("a")), (std::vector<std::string_view>{"1", "\"]\"", R"({"b": "}"})"}));
}

}  // namespace
}  // namespace agentd::event
