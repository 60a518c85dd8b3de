#include "core/event/expand.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

namespace agentd::event {
namespace {

using port::RunStatus;
using port::StoredRecord;

const RunId kRun{7, 0};

StoredRecord stored(const Body& body, RunStatus status = RunStatus::queued, std::string_view session = {}) {
  return {12, *parse_instant("2026-01-01T00:00:05Z"), kRun, "watcher", kind(body), status, encode(body, session)};
}

std::vector<std::string> types(const Body& body, RunStatus status = RunStatus::queued) {
  std::vector<std::string> out;
  for (const auto& event : expand(stored(body, status)).value()) out.push_back(event.type);
  return out;
}

nlohmann::json payload(const Body& body, std::size_t i, RunStatus status = RunStatus::queued) {
  return nlohmann::json::parse(expand(stored(body, status)).value().at(i).payload);
}

using Types = std::vector<std::string>;

TEST(Types, AreInOrderAndEachOnce) { EXPECT_EQ(std::ranges::adjacent_find(event::types(), std::ranges::greater_equal()), event::types().end()); }

Answered answer_with_calls() {
  Answered a;
  a.step = 1;
  a.provider = "script";
  a.model = "m";
  a.calls = {{.tool = "fs.read", .effect = port::Effect::pure}, {.tool = "fs.rm", .refused = ToolOutcome::denied, .content = {"\"no\""}}};
  a.starts = {0};
  return a;
}

TEST(Expand, NamesEveryEventAfterItsRecord) {
  const auto events = expand(stored(answer_with_calls(), RunStatus::queued, "daily")).value();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[2].id, "000000000000000c-2");
  EXPECT_EQ(events[2].run_id, to_text(kRun));
  EXPECT_EQ(events[2].session_id, "daily");
  EXPECT_EQ(events[2].agent_id, "watcher");
  EXPECT_EQ(format_instant(events[2].timestamp), "2026-01-01T00:00:05.000Z");
}

TEST(Expand, AnAnswerCompletesItsCallRefusesAndStartsTools) {
  EXPECT_EQ(types(answer_with_calls()), (Types{"model_call_completed", "tool_call_completed", "tool_call_started"}));
  EXPECT_EQ(payload(answer_with_calls(), 1)["outcome"], "denied");
  EXPECT_EQ(payload(answer_with_calls(), 2)["call_id"], "7-0000000/1/0");
  EXPECT_EQ(payload(answer_with_calls(), 2)["effect"], "pure");
}

TEST(Expand, WhatIsInATraceSaysWhich) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(payload(Entered{.trigger = "api", .traceparent = trace}, 0)["traceparent"], trace);
  EXPECT_FALSE(payload(Entered{.trigger = "api"}, 0).contains("traceparent"));
  auto record = stored(Ended{.status = RunStatus::completed});
  record.payload = encode(Ended{.status = RunStatus::completed}, {}, trace);
  const auto events = expand(record).value();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(events[0].payload)["traceparent"], trace);
  EXPECT_EQ(events[1].type, "background_agent_status");
  EXPECT_FALSE(nlohmann::json::parse(events[1].payload).contains("traceparent")) << "it is of the agent";
}

TEST(Expand, ASlotThatGaveNoRunSaysWhy) {
  Entered e;
  e.trigger = "schedule";
  e.scheduled_at = parse_instant("2026-01-01T00:00:00Z").value();
  e.reason = "the previous run is still going";
  EXPECT_EQ(types(e), Types{"background_task_queued"});
  EXPECT_EQ(types(e, RunStatus::skipped), Types{"background_task_skipped"});
  EXPECT_EQ(types(e, RunStatus::dropped), Types{"background_task_dropped"});
  EXPECT_EQ(payload(e, 0, RunStatus::skipped)["reason"], "the previous run is still going");
  EXPECT_EQ(payload(e, 0)["delay_ms"], 5000);
  e.count = 3;
  e.first = e.last = e.scheduled_at;
  EXPECT_EQ(payload(e, 0, RunStatus::missed)["count"], 3);
}

TEST(Expand, AGateThatSaysNoTellsWhyOnce) {
  Ended skipped;
  skipped.status = RunStatus::skipped;
  skipped.reason = "nothing has changed";
  EXPECT_EQ(types(Gated{}), Types{});
  EXPECT_EQ(types(Gated{.proceed = false}), Types{"background_task_gated"});
  EXPECT_EQ(payload(Gated{.proceed = false, .reason = "nothing has changed"}, 0)["reason"], "nothing has changed");
  EXPECT_EQ(types(skipped), Types{"background_agent_status"});
}

TEST(Expand, WhatBecomesOfARunInQuarantineSaysWho) {
  using What = Reviewed::What;
  EXPECT_EQ(types(Reviewed{.what = What::edit}), Types{"background_task_edited"});
  EXPECT_EQ(types(Reviewed{.what = What::retry}), Types{"background_task_queued"});
  EXPECT_EQ(types(Reviewed{.what = What::drop}), Types{"background_task_dropped"});
  EXPECT_EQ(payload(Reviewed{.what = What::edit, .by = "ana", .query = "q", .params = {"{}"}}, 0),
            nlohmann::json::parse(R"({"reason":"edited in quarantine","scheduled_at":null,"delay_ms":0,"by":"ana","query":"q","params":{}})"));
  EXPECT_EQ(payload(Reviewed{.what = What::drop, .reason = "a test"}, 0)["reason"], "a test");
}

TEST(Expand, ASlotThatGaveNoRunSaysWhyAlsoWhereTheLedgerDecided) {
  EXPECT_EQ(payload(Entered{.trigger = "schedule"}, 0, RunStatus::skipped)["reason"], "a run of the agent was alive, and overlap = \"skip\"");
  EXPECT_EQ(payload(Entered{.trigger = "schedule"}, 0, RunStatus::dropped)["reason"], "the agent's queue was full");
  EXPECT_EQ(payload(Entered{.trigger = "schedule"}, 0)["reason"], "schedule");
}

TEST(Expand, AStartTellsItsInputAndTheFirstModelCall) {
  Started s;
  s.run_count = 4;
  s.query = "look";
  s.params = {R"({"a":1})"};
  s.call = ModelCall{1, "script", "m"};
  EXPECT_EQ(types(s), (Types{"background_task_started", "background_agent_status", "model_call_started"}));
  EXPECT_EQ(payload(s, 0)["kwargs"], nlohmann::json::parse(R"({"query":"look","params":{"a":1}})"));
  s.why = Started::Why::resume_crash;
  s.unsure = ModelCall{1, "script", "m"};
  s.starts = {{1, 0, "fs.read", port::Effect::pure}};
  EXPECT_EQ(types(s), (Types{"background_task_resumed", "background_agent_status", "model_call_completed", "model_call_started", "tool_call_started"}));
  EXPECT_EQ(payload(s, 2)["finish_reason"], "unknown");
}

TEST(Expand, AModelCallThatWasStoppedHasEnded) {
  const ModelCall call{1, "script", "m"};
  Ended cancelled;
  cancelled.status = RunStatus::cancelled;
  cancelled.unsure = call;
  for (const Body& body : {Body(Released{.reason = "drain", .unsure = call}), Body(Waiting{.unsure = call}), Body(cancelled)}) {
    EXPECT_EQ(types(body).front(), "model_call_completed");
    EXPECT_EQ(payload(body, 0)["finish_reason"], "unknown");
  }
}

TEST(Expand, AStretchOfSlotsLostWhilePausedIsCounted) {
  Entered e;
  e.trigger = "schedule";
  e.reason = "paused";
  e.count = 6;
  e.first = e.last = parse_instant("2026-01-01T00:00:00Z").value();
  EXPECT_EQ(types(e, RunStatus::skipped), Types{"background_task_skipped"});
  EXPECT_EQ(payload(e, 0, RunStatus::skipped)["count"], 6);
}

TEST(Expand, EveryEventOfARunsWaySaysWhyWhichSlotAndHowLong) {
  Started resumed;
  resumed.why = Started::Why::resume_crash;
  Waiting waiting, retrying;
  waiting.reason = "the provider is down";
  retrying.ends_attempt = true;
  Ended cancelled, quarantined;
  cancelled.status = RunStatus::cancelled;
  quarantined.status = RunStatus::quarantined;
  for (const Body& body : {Body(Entered{}), Body(resumed), Body(waiting), Body(retrying), Body(Released{.reason = "drain"}), Body(cancelled), Body(quarantined)})
    for (const auto* key : {"reason", "scheduled_at", "delay_ms"}) EXPECT_TRUE(payload(body, 0).contains(key)) << types(body).front() << ' ' << key;
}

TEST(Expand, AQuestionToPeopleIsAnEventForEachCallAndSoIsItsAnswer) {
  Waiting waiting{.what = Waiting::For::approval, .until = *parse_instant("2026-01-02T00:00:00Z"), .reason = "a person is asked about bank.pay"};
  waiting.questions = {{.step = 1, .index = 0, .tool = "bank.pay", .arguments = {R"({"n":1})"}, .arguments_hash = "ab"}, {.step = 1, .index = 1, .tool = "bank.pay"}};
  EXPECT_EQ(types(waiting), (Types{"background_task_waiting", "approval_requested", "approval_requested"}));
  EXPECT_EQ(payload(waiting, 0)["waiting_for"], "approval");
  EXPECT_EQ(payload(waiting, 1), nlohmann::json::parse(R"({"step":1,"call_id":"7-0000000/1/0","about":"call","tool":"bank.pay","arguments":{"n":1},"arguments_hash":"ab",
                                                          "expires_at":"2026-01-02T00:00:00.000Z"})"));
  Decided decided{.what = Decided::What::approve, .question = waiting.questions[0], .by = "ops", .reason = "fine"};
  EXPECT_EQ(types(decided), Types{"approval_decided"});
  EXPECT_EQ(payload(decided, 0), nlohmann::json::parse(R"({"step":1,"call_id":"7-0000000/1/0","about":"call","tool":"bank.pay","arguments":{"n":1},"arguments_hash":"ab",
                                                          "decision":"approve","by":"ops","reason":"fine"})"));
  decided.resumes = true;
  EXPECT_EQ(types(decided), (Types{"approval_decided", "background_task_queued"}));
}

TEST(Expand, AFailedAttemptIsToldByItsOwnNumberAndTheRetryByTheNext) {
  Waiting waiting;
  waiting.attempt = 2;
  waiting.ends_attempt = true;
  waiting.fault = Fault{ErrorClass::retryable, "down"};
  ASSERT_EQ(types(waiting), (std::vector<std::string>{"background_task_error", "background_task_retrying"}));
  EXPECT_EQ(payload(waiting, 0)["attempt"], 1);
  EXPECT_EQ(payload(waiting, 1)["attempt"], 2);
}

TEST(Expand, TheAgentsStateAlwaysHasTheSameMembers) {
  Started resumed;
  resumed.why = Started::Why::resume_wait;
  AgentChanged paused;
  paused.what = AgentChanged::What::paused;
  Ended ended;
  ended.run_count = 3;
  for (const Body& body : {Body(resumed), Body(paused), Body(ended)}) {
    ASSERT_EQ(types(body).at(1), "background_agent_status");
    for (const auto* key : {"status", "last_run", "run_count", "error_count", "error"}) EXPECT_TRUE(payload(body, 1).contains(key)) << key;
  }
  EXPECT_EQ(payload(paused, 1)["status"], "paused");
  EXPECT_TRUE(payload(resumed, 1)["run_count"].is_null());  // the record of a resumption does not say
}

TEST(Expand, ADamagedRecordStartsNoCallThatItDoesNotHold) {
  auto a = answer_with_calls();
  a.starts = {0, 7, -1};
  EXPECT_EQ(types(a), (Types{"model_call_completed", "tool_call_completed", "tool_call_started"}));
}

TEST(Expand, AnEndIsOneTerminalEventAndTheAgentsState) {
  Ended e;
  e.answer = answer_with_calls();
  e.answer->text = {"\"done\""};
  e.totals.requests = 2;
  e.totals.cost = dollars(0.5);
  EXPECT_EQ(types(e), (Types{"model_call_completed", "background_task_completed", "background_agent_status"}));
  EXPECT_EQ(payload(e, 1)["result"], "done");
  EXPECT_EQ(payload(e, 1)["usage"]["requests"], 2);
  EXPECT_EQ(payload(e, 1)["usage"]["cost"], 0.5);
  e.answer.reset();
  e.fault = Fault{ErrorClass::budget, "spent"};
  e.status = RunStatus::failed;
  EXPECT_EQ(types(e), (Types{"background_task_error", "background_agent_status"}));
  EXPECT_EQ(payload(e, 0)["error_class"], "budget");
  EXPECT_EQ(payload(e, 1)["status"], "error");
}

TEST(Expand, AReplaySaysNothingOfTheAgent) {
  const Entered entered{.trigger = "replay", .replay = Replay{.of = "run-1", .from_step = 2, .model = "m2", .live = true}};
  EXPECT_EQ(payload(entered, 0)["replay"], (nlohmann::json{{"of", "run-1"}, {"from_step", 2}, {"model", "m2"}, {"live", true}}));
  EXPECT_EQ(types(Started{.trigger = "replay", .call = ModelCall{1, "p", "m"}}), (Types{"background_task_started", "model_call_started"}));
  EXPECT_EQ(types(Started{.why = Started::Why::resume_crash, .trigger = "replay"}), Types{"background_task_resumed"});

  Ended end{.replay_of = "run-1"};
  EXPECT_EQ(types(end), Types{"background_task_completed"});
  EXPECT_EQ(payload(end, 0)["replay_of"], "run-1");
  EXPECT_EQ(payload(end, 0)["difference"], nullptr);
  end.difference = Difference{.step = 2, .what = Difference::What::text, .recorded = {"\"a\""}, .replayed = {}};
  EXPECT_EQ(payload(end, 0)["difference"], (nlohmann::json{{"step", 2}, {"what", "text"}, {"recorded", "a"}, {"replayed", nullptr}}));
  end.status = RunStatus::failed;
  end.fault = Fault{ErrorClass::budget, "spent"};
  EXPECT_EQ(types(end), Types{"background_task_error"});
}

TEST(Expand, ACallThatTheRecordAnswersHasEndedAndSaysSo) {
  const Answered answered{.step = 1, .calls = {{.tool = "fs.read", .refused = ToolOutcome::ok, .content = {"\"x\""}, .recorded = true}}};
  EXPECT_EQ(types(answered), (Types{"model_call_completed", "tool_call_completed"}));
  EXPECT_EQ(payload(answered, 1)["recorded"], true);
  EXPECT_FALSE(payload(answer_with_calls(), 1).contains("recorded"));
}

TEST(Expand, ABudgetThatIsUsedUpIsToldBeforeWhatComesOfIt) {
  const Fault fault{ErrorClass::budget, "no room", Exhausted{"agent:watcher", "2026-01-01", "cost", 1'500'000'000, 2'000'000'000}};
  const Waiting waiting{.what = Waiting::For::budget, .fault = fault};
  EXPECT_EQ(types(waiting), (Types{"budget_exhausted", "background_task_waiting"}));
  EXPECT_EQ(payload(waiting, 0), nlohmann::json::parse(R"({"scope":"agent:watcher","window":"2026-01-01","resource":"cost","spent":1.5,"limit":2.0})"));
  EXPECT_EQ(types(Ended{.status = RunStatus::failed, .fault = fault}), (Types{"budget_exhausted", "background_task_error", "background_agent_status"}));
  EXPECT_EQ(payload(BudgetRaised{"host", "2026-01-01", "tokens", 500, "ops"}, 0), nlohmann::json::parse(R"({"scope":"host","window":"2026-01-01","resource":"tokens","amount":500,"by":"ops"})"));
}

TEST(Expand, ADeliveryAndAnAlertAreOfWhomTheyTell) {
  auto record = stored(Undelivered{.sink = "ops", .run_id = "7-abc", .position = 9, .attempt = 2, .error = "down", .retry_after_ms = 10});
  record.run = {};
  const auto refused = expand(record);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->front().type, "result_undelivered");
  EXPECT_EQ(refused->front().run_id, "7-abc");
  EXPECT_EQ(nlohmann::json::parse(refused->front().payload), nlohmann::json::parse(R"({"sink":"ops","attempt":2,"error":"down","will_retry":true,"delay_ms":10})"));
  record = stored(AlertRaised{.rule = "budget", .agent_id = "a", .subject = "cost", .severity = "warning", .summary = "s", .deliver = {}, .budget = Exhausted{"agent:a", "2026-01-01", "cost", 5, 10}});
  record.agent_id = "@alerts";
  const auto raised = expand(record);
  ASSERT_TRUE(raised);
  ASSERT_EQ(raised->size(), 2U);
  EXPECT_EQ((*raised)[0].agent_id, "a");
  EXPECT_EQ((*raised)[1].type, "budget_warning");
}

TEST(Expand, ARecordThatCannotBeReadNamesItsPosition) {
  auto record = stored(answer_with_calls());
  record.payload = "{\"step\":";
  const auto events = expand(record);
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().message.find("record 12"), std::string::npos);
}

TEST(ToJson, HasTheEightMembersPeopleReadAndNothingElse) {
  const auto json = nlohmann::json::parse(to_json(expand(stored(HostStarted{"1.0"})).value().at(0)));
  EXPECT_EQ(json.size(), 8u);
  EXPECT_EQ(json["agent_name"], json["agent_id"]);
  EXPECT_EQ(json["payload"]["version"], "1.0");
  EXPECT_EQ(json["timestamp"], "2026-01-01T00:00:05.000Z");
}

}  // namespace
}  // namespace agentd::event
