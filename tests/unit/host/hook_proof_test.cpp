// Who may start runs with a request.
#include "host/api/hook_proof.hpp"

#include <gtest/gtest.h>

namespace agentd::api {
namespace {

using manifest::WebhookVerify;

// The example that libraries of Standard Webhooks are tested with.
const char* const kStandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const char* const kStandardSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr std::int64_t kStandardTime = 1614265330;
Request standard(std::string signature = kStandardSignature) {
  Request request;
  request.body = R"({"test": 2432232314})";
  request.headers = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                     {"webhook-timestamp", std::to_string(kStandardTime)},
                     {"webhook-signature", std::move(signature)}};
  return request;
}
Instant at(std::int64_t seconds) { return Instant(std::chrono::seconds(seconds)); }

std::string verdict(WebhookVerify verify, std::string_view secret, const Request& request, Instant now = at(kStandardTime)) {
  const auto delivery = prove(verify, secret, request, now);
  return delivery ? "ok " + delivery->id + (delivery->event.empty() ? "" : " " + delivery->event) : delivery.error().message;
}
std::string standard_verdict(const Request& request, std::int64_t now = kStandardTime) {
  return verdict(WebhookVerify::standard, kStandardSecret, request, at(now));
}

constexpr const char* kFine = "ok msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr const char* kUnfit = "the signature does not fit";

TEST(StandardWebhook, IsKnownByItsSignature) {
  EXPECT_EQ(standard_verdict(standard()), kFine);
  EXPECT_EQ(verdict(WebhookVerify::standard, std::string_view(kStandardSecret).substr(6), standard()),
            kFine);  // also without the prefix
}

TEST(StandardWebhook, MayHaveSeveralSignaturesAndOthersVersions) {
  const std::string other = "v1,AAAASsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  EXPECT_EQ(standard_verdict(standard(other + " " + kStandardSignature)), kFine);
  EXPECT_EQ(standard_verdict(standard("v1a,xyz " + std::string(kStandardSignature) + "  " + other)), kFine);
  EXPECT_EQ(standard_verdict(standard(other + " v2," + std::string(kStandardSignature).substr(3))), kUnfit);
  EXPECT_EQ(standard_verdict(standard(" ")), kUnfit);
}

TEST(StandardWebhook, IsRefusedWhenAnythingOfItIsAnother) {
  for (const char* header : {"webhook-id", "webhook-timestamp"}) {
    auto request = standard();
    request.headers.find(header)->second += "1";
    EXPECT_EQ(standard_verdict(request), kUnfit) << header;
  }
  auto request = standard();
  request.body += " ";
  EXPECT_EQ(standard_verdict(request), kUnfit);
  EXPECT_EQ(standard_verdict(standard(std::string(kStandardSignature) + "=")), kUnfit);
  EXPECT_EQ(standard_verdict(standard(std::string(kStandardSignature).substr(0, 20))), kUnfit);
  EXPECT_EQ(verdict(WebhookVerify::standard, "whsec_AAAAAAAAAAAA", standard()), kUnfit);
}

TEST(StandardWebhook, NeedsItsThreeHeaders) {
  for (const char* header : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    auto request = standard();
    request.headers.erase(header);
    EXPECT_EQ(standard_verdict(request), "webhook-id, webhook-timestamp and webhook-signature are needed");
  }
}

TEST(StandardWebhook, IsRefusedFiveMinutesFromItsTimeBothWays) {
  EXPECT_EQ(standard_verdict(standard(), kStandardTime + 300), kFine);
  EXPECT_EQ(standard_verdict(standard(), kStandardTime - 300), kFine);
  for (const auto away : {301, -301, 86'400})
    EXPECT_EQ(standard_verdict(standard(), kStandardTime + away), "webhook-timestamp is more than 5 minutes away from now");
}

TEST(StandardWebhook, NeedsASecretInBase64) {
  EXPECT_TRUE(fits(WebhookVerify::standard, kStandardSecret));
  for (const char* wrong : {"whsec_", "whsec_abc", "whsec_****", "my secret"})
    EXPECT_FALSE(fits(WebhookVerify::standard, wrong)) << wrong;
  EXPECT_TRUE(fits(WebhookVerify::github, "my secret"));
  EXPECT_TRUE(fits(WebhookVerify::bearer, "my secret"));
}

// The example of GitHub's documentation.
Request github(std::string signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17") {
  Request request;
  request.body = "Hello, World!";
  request.headers = {
      {"x-hub-signature-256", std::move(signature)}, {"x-github-delivery", "72d3162e"}, {"x-github-event", "push"}};
  return request;
}
std::string github_verdict(const Request& request) {
  return verdict(WebhookVerify::github, "It's a Secret to Everybody", request);
}

TEST(GithubWebhook, IsKnownByItsSignature) {
  EXPECT_EQ(github_verdict(github()), "ok 72d3162e push");
  EXPECT_EQ(github_verdict(github("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")), kUnfit);
  EXPECT_EQ(github_verdict(github("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18")), kUnfit);
  EXPECT_EQ(github_verdict(Request()), "X-Hub-Signature-256 is needed");
  auto request = github();
  request.body += "!";
  EXPECT_EQ(github_verdict(request), kUnfit);
}

TEST(BearerWebhook, IsKnownByItsToken) {
  const auto with = [](const char* authorization) {
    Request request;
    request.headers = {{"authorization", authorization}, {"idempotency-key", "k"}};
    return verdict(WebhookVerify::bearer, "token-1", request);
  };
  EXPECT_EQ(with("Bearer token-1"), "ok k");
  EXPECT_EQ(with("bearer token-1"), "ok k");
  for (const char* wrong : {"Bearer token-2", "Bearer token-", "Bearer token-11", "Bearer ", "Bearer  token-1"})
    EXPECT_EQ(with(wrong), "the token does not fit") << wrong;
  for (const char* wrong : {"", "token-1", "Basic token-1"}) EXPECT_EQ(with(wrong), "Authorization: Bearer is needed") << wrong;
}

}  // namespace
}  // namespace agentd::api
