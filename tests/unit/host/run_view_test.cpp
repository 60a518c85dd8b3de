#include "host/api/run_view.hpp"

#include <gtest/gtest.h>

#include "core/base/json_text.hpp"

namespace agentd::api {
namespace {

constexpr RunId kRun{7, 42};
const Instant kBegin = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

struct Records {
  std::vector<port::StoredRecord> all;
  Records& add(const event::Body& body, std::string_view session = {}) {
    const auto record = event::to_record(body, session);
    const auto n = static_cast<std::int64_t>(all.size());
    all.push_back({.position = 7 + n,
                   .at = kBegin + std::chrono::seconds(n),
                   .run = kRun,
                   .agent_id = "a",
                   .kind = record.kind,
                   .status = port::RunStatus::queued,
                   .payload = record.payload});
    return *this;
  }
};

event::Answered asks_for_a_tool() {
  event::Answered answered{
      .step = 1, .provider = "p", .model = "m", .duration_ms = 5, .usage = port::Usage{.input_tokens = 10, .output_tokens = 2}};
  answered.finish_reason = port::FinishReason::tool_calls;
  event::CallAsked call{.tool = "fs.stat", .effect = port::Effect::pure};
  call.arguments.text = R"({"path":"/"})";
  answered.calls.push_back(call);
  answered.starts = {0};
  return answered;
}

event::Ended ends() {
  event::Ended ended{.steps = 2, .duration_ms = 3000, .run_count = 1};
  event::Answered last{.step = 2, .provider = "p", .model = "m", .duration_ms = 6};
  last.text.text = "\"It is fine.\"";
  ended.answer = last;
  ended.totals.requests = 2;
  return ended;
}

Records whole_run() {
  event::ToolFinished finished{.step = 1, .index = 0, .tool = "fs.stat", .effect = port::Effect::pure, .duration_ms = 3};
  finished.content.text = "\"{}\"";
  Records records;
  records.add(event::Entered{.trigger = "api", .key = "k"}, "s");
  records.add(event::Started{.run_count = 1, .trigger = "api", .query = "How is it?"}, "s");
  records.add(asks_for_a_tool(), "s").add(finished, "s").add(ends(), "s");
  return records;
}

TEST(RunView, ShowsWhatAReplayReplaysAndWhereItDiffers) {
  Records records;
  records.add(event::Entered{.trigger = "replay", .replay = event::Replay{.of = "run-1", .from_step = 2, .model = "m2"}});
  const Json begun = {{"of", "run-1"}, {"from_step", 2}, {"provider", nullptr}, {"model", "m2"}, {"live", false}, {"difference", nullptr}};
  EXPECT_EQ(run_view(records.all)["replay"], begun);
  auto end = ends();
  end.replay_of = "run-1";
  end.difference = event::Difference{.step = 2, .what = event::Difference::What::text, .recorded = {"\"a\""}, .replayed = {}};
  records.add(end);
  EXPECT_EQ(run_view(records.all)["replay"]["difference"], (Json{{"step", 2}, {"what", "text"}, {"recorded", "a"}, {"replayed", nullptr}}));
  EXPECT_EQ(run_summary(records.all)["replay"]["difference"], (Json{{"step", 2}, {"what", "text"}})) << "a list is short";
  EXPECT_FALSE(run_view(whole_run().all).contains("replay"));
}

TEST(StepsView, ShowsACallThatWasCutOff) {
  const event::ModelCall lost{1, "p", "m"};
  Records records;
  records.add(event::Entered{.trigger = "api"}).add(event::Started{.run_count = 1, .call = lost});
  records.add(event::Started{.why = event::Started::Why::resume_crash, .crashes = 1, .call = lost, .unsure = lost});
  records.add(event::Released{.reason = "drain", .unsure = lost}).add(ends());
  const auto steps = steps_view(records.all);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0]["outcome"], "unknown");
  EXPECT_EQ(steps[0]["name"], "p/m");
  EXPECT_TRUE(steps[0]["detail"].get<std::string>().starts_with("cut off: the host ended before its answer was kept")) << steps[0];
  EXPECT_TRUE(steps[1]["detail"].get<std::string>().starts_with("cut off: it was stopped")) << steps[1];
  EXPECT_EQ(steps[2]["outcome"], "ok");
}

TEST(RunView, MarksACallThatTheRecordAnswered) {
  auto answered = asks_for_a_tool();
  answered.starts.clear();
  answered.calls[0].refused = event::ToolOutcome::ok;
  answered.calls[0].content = {"\"{}\""};
  answered.calls[0].recorded = true;
  Records records;
  records.add(event::Entered{.trigger = "replay"}).add(answered);
  const auto steps = steps_view(records.all);
  ASSERT_EQ(steps.size(), 2);
  EXPECT_EQ(steps[1]["outcome"], "ok");
  EXPECT_EQ(steps[1]["recorded"], true);
  EXPECT_FALSE(steps_view(whole_run().all)[1].contains("recorded"));
}

TEST(RunView, TellsWhatAPersonMadeOfARunInQuarantine) {
  using What = event::Reviewed::What;
  auto records = whole_run();
  records.add(event::Ended{.status = port::RunStatus::quarantined, .fault = event::Fault{ErrorClass::crash, "died"}, .reason = "crashes"});
  EXPECT_TRUE(has_ended(records.all));
  records.add(event::Reviewed{.what = What::edit, .query = "Once more?"});
  EXPECT_TRUE(has_ended(records.all));
  EXPECT_EQ(run_view(records.all)["status"], "quarantined");
  EXPECT_EQ(run_view(records.all)["query"], "Once more?");
  auto dropped = records;
  dropped.add(event::Reviewed{.what = What::drop, .by = "ana"});
  EXPECT_TRUE(has_ended(dropped.all));
  EXPECT_EQ(run_view(dropped.all)["status"], "dropped");
  EXPECT_EQ(run_view(dropped.all)["dropped_by"], "ana");
  records.add(event::Reviewed{.what = What::retry});
  EXPECT_FALSE(has_ended(records.all));
  const auto view = run_view(records.all);
  EXPECT_EQ(view["status"], "queued");
  EXPECT_TRUE(view["error"].is_null() && view["finished_at"].is_null() && view["result"].is_null());
}

TEST(RunView, TellsTheWholeRun) {
  const auto view = run_view(whole_run().all);
  EXPECT_EQ(view["run_id"], to_text(kRun));
  EXPECT_EQ(view["session_id"], "s");
  EXPECT_EQ(view["status"], "completed");
  EXPECT_EQ(view["result"], "It is fine.");
  EXPECT_EQ(view["query"], "How is it?");
  EXPECT_EQ(view["key"], "k");
  EXPECT_EQ(view["steps"], 2);
  EXPECT_EQ(view["queued_at"], "2026-03-01T00:00:00.000Z");
  EXPECT_EQ(view["started_at"], "2026-03-01T00:00:01.000Z");
  EXPECT_EQ(view["finished_at"], "2026-03-01T00:00:04.000Z");
  EXPECT_EQ(view["usage"]["requests"], 2);
  EXPECT_TRUE(view["error"].is_null());
}

TEST(RunView, TellsARunUnderWay) {
  auto records = whole_run();
  records.all.resize(3);
  const auto view = run_view(records.all);
  EXPECT_EQ(view["status"], "running");
  EXPECT_EQ(view["usage"]["input_tokens"], 10);
  EXPECT_TRUE(view["finished_at"].is_null());
  EXPECT_FALSE(has_ended(records.all));
  EXPECT_TRUE(has_ended(whole_run().all));
}

TEST(RunView, SaysWhatAWaitingRunWaitsFor) {
  Records records;
  records.add(event::Entered{.trigger = "schedule"}).add(event::Started{.run_count = 1, .trigger = "schedule"});
  records.add(event::Waiting{
      .what = event::Waiting::For::provider, .until = kBegin, .fault = event::Fault{ErrorClass::retryable, "401"}});
  const auto view = run_view(records.all);
  EXPECT_EQ(view["status"], "waiting");
  EXPECT_EQ(view["waiting_for"], "provider");
  EXPECT_EQ(view["error"], "401");
  EXPECT_EQ(view["waiting_until"], format_instant(kBegin));
  records.add(ends());
  EXPECT_TRUE(run_view(records.all)["waiting_for"].is_null());
  EXPECT_FALSE(run_view(records.all).contains("waiting_until"));
}

TEST(RunView, TellsWhoDecidedAndThatTheRunGoesOn) {
  event::Waiting waiting{.what = event::Waiting::For::approval, .until = kBegin};
  waiting.questions = {{.step = 1, .index = 0, .tool = "fs.stat", .arguments = {"{}"}, .arguments_hash = "ab"}};
  Records records;
  records.add(event::Entered{.trigger = "schedule"})
      .add(event::Started{.run_count = 1, .trigger = "schedule"})
      .add(asks_for_a_tool())
      .add(waiting);
  EXPECT_EQ(run_view(records.all)["waiting_for"], "approval");
  records.add(event::Decided{
      .what = event::Decided::What::approve, .question = waiting.questions[0], .by = "ops", .reason = "fine", .resumes = true});
  EXPECT_EQ(run_view(records.all)["status"], "queued");
  EXPECT_TRUE(run_view(records.all)["waiting_for"].is_null());
  const auto step = steps_view(records.all).back();
  EXPECT_EQ(step["kind"], "approval");
  EXPECT_EQ(step["outcome"], "approve");
  EXPECT_EQ(step["call_id"], call_id(kRun, 1, 0));
  EXPECT_EQ(step["detail"], "ops: fine");
}

TEST(RunView, ListsEachCallOnce) {
  const auto steps = steps_view(whole_run().all);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0]["kind"], "model");
  EXPECT_EQ(steps[0]["calls"][0]["call_id"], call_id(kRun, 1, 0));
  EXPECT_EQ(steps[1]["kind"], "tool");
  EXPECT_EQ(steps[1]["name"], "fs.stat");
  EXPECT_EQ(steps[1]["arguments"]["path"], "/");
  EXPECT_EQ(steps[1]["call_id"], call_id(kRun, 1, 0));
  EXPECT_EQ(steps[2]["text"], "It is fine.");
}

TEST(RunSummary, OfAnEndedRunIsToldByItsEntryAndItsEnd) {
  const auto all = whole_run().all;
  const std::vector<port::StoredRecord> ends = {all.front(), all.back()};
  auto summary = run_summary(ends);
  EXPECT_EQ(summary["started_at"], "2026-03-01T00:00:01.000Z");  // the end says how long it took
  EXPECT_EQ(summary, run_summary(all));
  auto view = run_view(all);
  for (const auto* member : {"query", "params"}) view.erase(member);
  summary.erase("shortened");
  EXPECT_EQ(summary, view);
}

TEST(RunSummary, CutsWhatIsLongAndSaysSo) {
  auto ended = ends();
  ended.answer->text.text = json_string(std::string(5000, 'x'));
  ended.reason = std::string(5000, 'y');
  ended.fault = event::Fault{ErrorClass::terminal, std::string(5000, 'z')};
  event::Entered entered{.trigger = "api"};
  entered.params.text = "{\"a\":\"" + std::string(100'000, 'x') + "\"}";
  Records records;
  records.add(entered).add(ended);
  const auto summary = run_summary(records.all);
  EXPECT_LT(summary.dump().size(), 5000U);
  EXPECT_EQ(summary["result"], std::string(1000, 'x'));
  EXPECT_EQ(summary["shortened"], Json::parse(R"(["result","error","reason"])"));
  EXPECT_EQ(run_view(records.all)["result"].get<std::string>().size(), 5000U);
}

TEST(RunSummary, LeavesOutALongResultThatIsNoText) {
  auto ended = ends();
  ended.result.text = "[" + std::string(2000, ' ') + "1]";
  Records records;
  records.add(event::Entered{}).add(ended);
  EXPECT_TRUE(run_summary(records.all)["result"].is_null());
}

TEST(RunSummary, OfAShortRunIsWhole) { EXPECT_TRUE(run_summary(whole_run().all)["shortened"].empty()); }

TEST(RunView, OfNothingIsNothing) {
  EXPECT_TRUE(run_view({}).is_null());
  EXPECT_TRUE(steps_view({}).empty());
}

}  // namespace
}  // namespace agentd::api
