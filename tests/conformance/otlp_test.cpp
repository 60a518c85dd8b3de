// Spans as whoever collects traces receives them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "host/conformance/events.hpp"
#include "tests/conformance/online_events.hpp"
#include "tests/support/hook_receiver.hpp"

namespace agentd::conformance {
namespace {

using Json = nlohmann::json;

class Otlp : public testing::Test {
 protected:
  // More settings, as members of an object.
  std::unique_ptr<OnlineEvents> open(const std::string& more = "") {
    const auto endpoint = more.starts_with("\"endpoint\"") ? "" : R"("endpoint":")" + receiver_.origin() + "\"" + (more.empty() ? "" : ",");
    return std::make_unique<OnlineEvents>(AGENTD_OTLP_PLUGIN, "otlp", "{" + endpoint + more + "}");
  }
  static port::Event of(int position, const std::string& type, const std::string& payload, int after_ms = 0) {
    auto e = event(position, payload);
    e.type = type;
    e.agent_id = "watch";
    e.run_id = "7-2g8z63p";
    e.session_id = "daily";
    e.timestamp += Millis(after_ms);
    return e;
  }
  static std::vector<port::Event> a_run() {
    return {of(1, "background_task_queued", "{}"),
            of(2, "background_task_started", R"({"run_count":1})", 10),
            of(3, "model_call_started", R"({"step":1})", 10),
            of(4, "model_call_completed", R"({"step":1,"provider":"openai","model":"gpt","usage":{"input_tokens":257,"output_tokens":4,"cost":0.00083},"finish_reason":"tool_calls","duration_ms":701})", 711),
            of(5, "tool_call_completed", R"({"step":1,"call_id":"7-2g8z63p/1/0","tool":"fs.list","effect":"pure","outcome":"ok","duration_ms":2})", 713),
            of(6, "background_task_completed", R"({"result":"two","duration_ms":703,"usage":{"input_tokens":257,"output_tokens":4,"cost":0.00083}})", 720)};
  }
  // Of every request so far.
  std::vector<Json> spans() const {
    std::vector<Json> all;
    for (const auto& asked : receiver_.asked())
      for (const auto& span : Json::parse(asked.body).at("/resourceSpans/0/scopeSpans/0/spans"_json_pointer)) all.push_back(span);
    return all;
  }
  static Json attribute(const Json& span, const std::string& key) {
    for (const auto& attribute : span.at("attributes"))
      if (attribute.at("key") == key) return attribute.at("value");
    return nullptr;
  }
  support::HookReceiver receiver_;
};

TEST_F(Otlp, MakesATreeOfARun) {
  const auto store = open(R"("headers":{"x-key":"let me in"},"service_name":"fleet")");
  ASSERT_TRUE(store->append(a_run()));
  const auto asked = receiver_.asked().at(0);
  EXPECT_EQ(asked.target, "/v1/traces");
  EXPECT_EQ(asked.headers.at("content-type"), "application/json");
  EXPECT_EQ(asked.headers.at("x-key"), "let me in");
  EXPECT_EQ(Json::parse(asked.body).at("/resourceSpans/0/resource/attributes/0"_json_pointer), Json({{"key", "service.name"}, {"value", {{"stringValue", "fleet"}}}}));
  const auto all = spans();
  ASSERT_EQ(all.size(), 3u);
  const auto &model = all[0], &tool = all[1], &run = all[2];
  EXPECT_EQ(model.at("name"), "chat gpt");
  EXPECT_EQ(tool.at("name"), "execute_tool fs.list");
  EXPECT_EQ(run.at("name"), "invoke_agent watch");
  EXPECT_EQ(model.at("kind"), 3);
  EXPECT_EQ(run.at("traceId").get<std::string>().size(), 32u);
  for (const auto* part : {&model, &tool}) {
    EXPECT_EQ(part->at("traceId"), run.at("traceId"));
    EXPECT_EQ(part->at("parentSpanId"), run.at("spanId"));
    EXPECT_EQ(part->at("spanId").get<std::string>().size(), 16u);
    EXPECT_FALSE(part->contains("status"));
  }
  EXPECT_FALSE(run.contains("parentSpanId"));
  EXPECT_EQ(model.at("startTimeUnixNano"), "1700000000133000000");
  EXPECT_EQ(model.at("endTimeUnixNano"), "1700000000834000000");
  EXPECT_EQ(run.at("startTimeUnixNano"), "1700000000133000000");
  EXPECT_EQ(run.at("endTimeUnixNano"), "1700000000843000000");
  EXPECT_EQ(attribute(model, "gen_ai.provider.name").at("stringValue"), "openai");
  EXPECT_EQ(attribute(model, "gen_ai.usage.input_tokens").at("intValue"), "257");
  EXPECT_EQ(attribute(model, "agentd.cost").at("doubleValue"), 0.00083);
  EXPECT_EQ(attribute(model, "gen_ai.response.finish_reasons"), Json::parse(R"({"arrayValue":{"values":[{"stringValue":"tool_calls"}]}})"));
  EXPECT_EQ(attribute(tool, "gen_ai.tool.call.id").at("stringValue"), "7-2g8z63p/1/0");
  EXPECT_EQ(attribute(run, "gen_ai.conversation.id").at("stringValue"), "daily");
}

// What the host puts into each event of a run that was asked for with a `traceparent`.
std::vector<port::Event> in_a_trace(std::vector<port::Event> events, const std::string& traceparent) {
  for (auto& e : events) {
    auto payload = Json::parse(e.payload);
    payload["traceparent"] = traceparent;
    e.payload = payload.dump();
  }
  return events;
}

TEST_F(Otlp, PutsARunBelowWhatAskedForIt) {
  const auto events = in_a_trace(a_run(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const auto store = open();
  ASSERT_TRUE(store->append({events[3]}));
  ASSERT_TRUE(open()->append({events[4], events[5]})) << "after a restart";
  const auto all = spans();
  ASSERT_EQ(all.size(), 3u);
  for (const auto& span : all) EXPECT_EQ(span.at("traceId"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(all[2].at("parentSpanId"), "b7ad6b7169203331");
  EXPECT_EQ(all[0].at("parentSpanId"), all[2].at("spanId"));
  EXPECT_EQ(all[1].at("parentSpanId"), all[2].at("spanId"));
  EXPECT_EQ(all[0].at("spanId"), "7dec6e9cf96f4989") << "as the endpoint was told: the SHA-256 of \"call 7-2g8z63p/1\"";
}

TEST_F(Otlp, SendsNothingOfATraceThatIsNotSampled) {
  const auto store = open();
  ASSERT_TRUE(store->append(in_a_trace(a_run(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")));
  EXPECT_TRUE(receiver_.asked().empty());
}

TEST_F(Otlp, SaysWhatWentWrong) {
  const auto store = open();
  ASSERT_TRUE(store->append({of(1, "model_call_completed", R"({"step":1,"provider":"p","model":"m","usage":null,"finish_reason":"error","failure":"retryable","error":"HTTP 503","duration_ms":5})"),
                              of(2, "model_call_completed", R"({"step":2,"provider":"p","model":"m","usage":null,"finish_reason":"unknown","duration_ms":null})"),
                              of(3, "tool_call_completed", R"({"step":2,"call_id":"c","tool":"t","effect":"once","outcome":"timeout","duration_ms":5})"),
                              of(4, "background_task_error", R"({"error":"again","error_class":"retryable","will_retry":true})"),
                              of(5, "background_task_error", R"({"error":"no more","error_class":"terminal","will_retry":false})")}));
  std::vector<std::string> said;
  for (const auto& span : spans()) said.push_back(attribute(span, "error.type").at("stringValue").get<std::string>() + ": " + span.at("/status/message"_json_pointer).get<std::string>());
  EXPECT_EQ(said, (std::vector<std::string>{"retryable: HTTP 503", "unknown_outcome: the host ended while this call was made", "timeout: timeout", "terminal: no more"}));
}

TEST_F(Otlp, MakesTheSameSpansAgain) {
  const auto again = open();
  receiver_.judge([](const support::HttpAsked&) { return 503; }, "Retry-After: 7\r\n");
  const auto refused = again->append(a_run());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::retryable);
  EXPECT_EQ(refused.error().retry_after, Millis(7'000));
  EXPECT_NE(refused.error().message.find(receiver_.origin() + " answered with status 503: not today"), std::string::npos) << refused.error().message;
  receiver_.judge({});
  ASSERT_TRUE(again->append(a_run()));
  const auto restarted = open();
  ASSERT_TRUE(restarted->append(a_run()));
  const auto asked = receiver_.asked();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].body, asked[1].body);
  EXPECT_EQ(asked[0].body, asked[2].body);
}

TEST_F(Otlp, GivesUpWhatMustNotBeSentAgainAndSaysSo) {
  const auto store = open();
  receiver_.judge([](const support::HttpAsked&) { return 400; });
  ASSERT_TRUE(store->append(a_run()));
  EXPECT_NE(store->log().find("3 spans given up: " + receiver_.origin() + " answered with status 400: not today"), std::string::npos) << store->log();
  support::HttpServer partial([](const support::HttpAsked&, support::HttpTalk& talk) { talk.answer(200, R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}})"); });
  const auto other = open(R"("endpoint":")" + partial.url() + "\"");
  ASSERT_TRUE(other->append(a_run()));
  EXPECT_NE(other->log().find("refused 2 of 3 spans: too old"), std::string::npos) << other->log();
}

TEST_F(Otlp, PassesOverWhatItCannotRead) {
  const auto store = open();
  ASSERT_TRUE(store->append({of(1, "model_call_completed", "[]"), of(2, "model_call_completed", "{"), of(3, "model_call_completed", R"({"duration_ms":"x","usage":7,"model":3})")}));
  EXPECT_EQ(spans().size(), 1u);
}

TEST_F(Otlp, RefusesSettingsThatCannotBeMeant) {
  for (const auto& [settings, said] : {std::pair(R"("endpoint":"localhost:4318")", "endpoint: must begin"), std::pair(R"("timeout":"1h")", "timeout:"), std::pair(R"("service_name":"")", "service_name: is empty")}) {
    const auto store = open(settings);
    EXPECT_NE(store->error().find(said), std::string::npos) << settings << ": " << store->error();
  }
}

}  // namespace
}  // namespace agentd::conformance
