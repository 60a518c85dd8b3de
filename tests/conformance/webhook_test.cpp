// What the receiver of webhooks meets beyond what every event store promises.
#include <gtest/gtest.h>

#include "host/conformance/events.hpp"
#include "stores/webhook/filter.hpp"
#include "stores/webhook/signature.hpp"
#include "tests/conformance/online_events.hpp"
#include "tests/support/hook_receiver.hpp"

namespace agentd::conformance {
namespace {

using Ids = std::vector<std::string>;
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";  // of the standard's own example

class Webhook : public testing::Test {
 protected:
  // More settings, as members of an object.
  std::unique_ptr<OnlineEvents> open(const std::string& more = "") {
    const auto url = more.starts_with("\"url\"") ? "" : R"("url":")" + receiver_.url() + "\"" + (more.empty() ? "" : ",");
    return std::make_unique<OnlineEvents>(AGENTD_WEBHOOK_PLUGIN, "webhook", "{" + url + more + "}");
  }
  static port::Event of(const std::string& agent, int position, const std::string& type = "model_call_started") {
    auto e = event(position);
    e.agent_id = agent;
    e.type = type;
    return e;
  }
  static std::string id(int position) { return event(position).id; }
  Ids ids_of(const std::string& agent) const {
    Ids ids;
    for (const auto& asked : receiver_.asked())
      if (asked.body.find("\"agent_id\":\"" + agent + "\"") != asked.body.npos) ids.push_back(asked.headers.at("webhook-id"));
    return ids;
  }
  support::HookReceiver receiver_;
};

TEST(WebhookSignature, IsTheOneOfTheStandardsExample) {
  EXPECT_EQ(webhook::signature(webhook::key_of(kSecret).value(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  for (const char* wrong : {"", "whsec_", "whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!!"}) EXPECT_FALSE(webhook::key_of(wrong)) << wrong;
}

TEST(WebhookFilter, KnowsStarsAndNothingElse) {
  for (const char* pattern : {"*", "**", "background_task_failed", "background_*", "*_failed", "*task*", "background*task*failed", "b*d"}) EXPECT_TRUE(webhook::fits(pattern, "background_task_failed")) << pattern;
  for (const char* pattern : {"", "background", "*failed_", "failed*", "background_task_faile?", "*taskx*", "background_task_failed*failed"}) EXPECT_FALSE(webhook::fits(pattern, "background_task_failed")) << pattern;
  EXPECT_TRUE(webhook::fits(std::vector<std::string>(), "anything"));
}

TEST_F(Webhook, SendsAnEventSignedAndWhole) {
  const auto store = open(std::string(R"("token":"let me in","secret":")") + kSecret + "\"");
  ASSERT_TRUE(store->append({event(7, "{\n\"step\":1}")}));
  const auto asked = receiver_.asked().at(0);
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.body, R"({"type":"model_call_started","timestamp":"2023-11-14T22:13:20.123Z","data":{"id":")" + id(7) +
                            R"(","type":"model_call_started","agent_id":"a","agent_name":"a","run_id":null,"session_id":null,"timestamp":"2023-11-14T22:13:20.123Z","payload":{ "step":1}}})");
  EXPECT_EQ(asked.headers.at("authorization"), "Bearer let me in");
  EXPECT_EQ(asked.headers.at("content-type"), "application/json");
  const auto seconds = std::stoll(asked.headers.at("webhook-timestamp"));
  EXPECT_LT(std::abs(seconds - std::time(nullptr)), 60);
  EXPECT_EQ(asked.headers.at("webhook-signature"), webhook::signature(webhook::key_of(kSecret).value(), id(7), seconds, asked.body));
}

TEST_F(Webhook, SendsWhatIsWantedAlone) {
  const auto store = open(R"("types":["background_*"],"agents":["watch-*","nightly"])");
  ASSERT_TRUE(store->append({of("watch-disk", 1, "background_task_failed"), of("watch-disk", 2), of("other", 3, "background_task_failed"), of("nightly", 4, "background_task_completed")}));
  auto ids = receiver_.ids();
  std::ranges::sort(ids);
  EXPECT_EQ(ids, (Ids{id(1), id(4)}));
}

TEST_F(Webhook, KeepsTheOrderOfAnAgentAndHoldsUpNoOther) {
  const auto store = open();
  receiver_.judge([](const support::HttpAsked& asked) { return asked.body.find("\"agent_id\":\"stuck\"") != asked.body.npos ? 503 : 204; }, "Retry-After: 7\r\n");
  const std::vector<port::Event> batch = {of("stuck", 1), of("free", 2), of("stuck", 3), of("free", 4), of("free", 5)};
  const auto refused = store->append(batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::retryable);
  EXPECT_EQ(refused.error().retry_after, Millis(7'000));
  EXPECT_EQ(refused.error().message.substr(refused.error().message.find("2 events")), "2 events are still to be delivered to " + receiver_.origin() + ": status 503: not today");
  EXPECT_EQ(ids_of("free"), (Ids{id(2), id(4), id(5)}));
  EXPECT_EQ(ids_of("stuck"), (Ids{id(1)})) << "what comes later waits";
  receiver_.judge({});
  ASSERT_TRUE(store->append(batch));
  EXPECT_EQ(ids_of("free"), (Ids{id(2), id(4), id(5)})) << "nothing twice";
  EXPECT_EQ(ids_of("stuck"), (Ids{id(1), id(1), id(3)}));
}

TEST_F(Webhook, GivesUpAnEventThatIsRefusedForGoodWhereToldToAndSaysSo) {
  const auto store = open(R"("drop_statuses":[422])");
  receiver_.judge([](const support::HttpAsked& asked) { return asked.headers.at("webhook-id") == id(1) ? 422 : 204; });
  ASSERT_TRUE(store->append({event(1), event(2)}));
  EXPECT_EQ(receiver_.ids(), Ids{id(2)});
  EXPECT_NE(store->log().find("event " + id(1) + " (model_call_started of a) is not delivered: " + receiver_.origin() + " answered with status 422: not today; that status is among drop_statuses"), std::string::npos) << store->log();
}

TEST_F(Webhook, TriesAgainWhateverTheReceiverSaysAndShowsNoSecret) {
  const auto store = open(R"("timeout":"300ms","token":"let me in")");
  for (const int status : {0, 301, 400, 404, 410, 429, 500}) {
    receiver_.judge([status](const support::HttpAsked&) { return status; });
    const auto refused = store->append({event(1)});
    ASSERT_FALSE(refused) << status;
    EXPECT_EQ(refused.error().error_class, ErrorClass::retryable) << status;
    EXPECT_EQ((refused.error().message + store->log()).find("secret-path"), std::string::npos) << refused.error().message;
    EXPECT_EQ((refused.error().message + store->log()).find("let me in"), std::string::npos) << refused.error().message;
  }
  receiver_.judge({});
  EXPECT_TRUE(store->append({event(1)}));
  EXPECT_EQ(receiver_.ids(), Ids{id(1)});
}

TEST_F(Webhook, WaitsForNobodyLongerThanItMay) {
  support::HttpServer silent([](const support::HttpAsked&, support::HttpTalk& talk) { talk.hang(); });
  const auto store = open(R"("url":")" + silent.url() + R"(","timeout":"200ms")");
  const auto begun = std::chrono::steady_clock::now();
  const auto refused = store->append({event(1), event(2)});
  ASSERT_FALSE(refused);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(9)) << "within the time of a batch";
  EXPECT_EQ(silent.asked().size(), 1u);
}

TEST_F(Webhook, RefusesSettingsThatCannotBeMeant) {
  for (const auto& [settings, said] : {std::pair(R"("url":"ftp://a")", "url: must begin"), std::pair(R"("secret":"hush")", "secret: must be"), std::pair(R"("timeout":"1h")", "timeout:"),
                                       std::pair(R"("parallel":0)", "parallel: 1 to 64"), std::pair(R"("drop_statuses":[200])", "drop_statuses:")}) {
    const auto store = open(settings);
    EXPECT_NE(store->error().find(said), std::string::npos) << settings << ": " << store->error();
  }
}

}  // namespace
}  // namespace agentd::conformance
