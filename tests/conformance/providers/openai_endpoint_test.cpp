// The openai provider against the fake endpoint over real HTTP.
#include <gtest/gtest.h>

#include "tests/support/endpoint/endpoint_process.hpp"
#include "tests/support/real_http.hpp"

namespace agentd {
namespace {

using sdk::ModelFailure;
using sdk::Role;
using support::EndpointProcess;
using testing::Ended;
using testing::FakeHost;

constexpr char kTools[] = R"([{"type":"function","function":{"name":"fs__read_file","description":"x","parameters":{"type":"object"}}}])";
using Messages = std::vector<std::pair<Role, std::string>>;
const Messages kAsked = {{Role::system, R"({"role":"system","content":"be brief"})"}, {Role::user, R"({"role":"user","content":"go"})"}};

Ended ask(const EndpointProcess& endpoint, const Messages& messages, bool streamed, std::string_view key = "") {
  FakeHost host;
  host.answer_http(support::real_http());
  auto provider = host.create("openai", R"({"base_url":")" + endpoint.base_url() + R"(","api_key":")" + std::string(key) + "\"}");
  provider.streamed = streamed;
  return provider.complete(messages, "{}", kTools);
}

TEST(OpenAiEndpoint, CallsAToolAndThenSpeaks) {
  const EndpointProcess endpoint({"--arguments", R"({"path":"/etc/hostname"})", "--text", "It says {result}."});
  for (const bool streamed : {false, true}) {
    const auto first = ask(endpoint, kAsked, streamed);
    ASSERT_TRUE(first.ok()) << first.value;
    ASSERT_EQ(first.answer->calls.size(), 1U);
    EXPECT_EQ(first.answer->calls[0].name, "fs__read_file");
    EXPECT_EQ(first.answer->calls[0].arguments, R"({"path":"/etc/hostname"})");
    EXPECT_GT(first.answer->usage->input_tokens, 0);

    auto messages = kAsked;
    messages.emplace_back(Role::assistant, R"({"role":"assistant","content":null,"tool_calls":[{"id":"r/0/0","type":"function","function":{"name":"fs__read_file","arguments":"{}"}}]})");
    messages.emplace_back(Role::tool, R"({"role":"tool","tool_call_id":"r/0/0","content":"\"box\""})");
    const auto second = ask(endpoint, messages, streamed);
    ASSERT_TRUE(second.ok()) << second.value;
    EXPECT_EQ(second.answer->text.substr(0, 14), "It says \"box\".");
  }
}

TEST(OpenAiEndpoint, TellsEveryMisbehaviourApart) {
  struct Case {
    const char* how;
    ModelFailure failure;
    int32_t status;
  };
  const Case cases[] = {{"500", ModelFailure::server, AGENTD_RETRYABLE},   {"503", ModelFailure::server, AGENTD_RETRYABLE},
                        {"429:2", ModelFailure::rate, AGENTD_RETRYABLE},   {"401", ModelFailure::credentials, AGENTD_TERMINAL},
                        {"402", ModelFailure::quota, AGENTD_TERMINAL},     {"quota", ModelFailure::quota, AGENTD_TERMINAL},
                        {"context", ModelFailure::context, AGENTD_TERMINAL}, {"html", ModelFailure::answer, AGENTD_RETRYABLE},
                        {"json", ModelFailure::answer, AGENTD_RETRYABLE},  {"half", ModelFailure::answer, AGENTD_RETRYABLE},
                        {"nothing", ModelFailure::answer, AGENTD_RETRYABLE}};
  for (const auto& c : cases) {
    const EndpointProcess endpoint({"--fail", std::string("*=") + c.how});
    for (const bool streamed : {false, true}) {
      const auto ended = ask(endpoint, kAsked, streamed);
      EXPECT_EQ(ended.failure, c.failure) << c.how << ": " << ended.value;
      EXPECT_EQ(ended.status, c.status) << c.how << ": " << ended.value;
    }
  }
}

TEST(OpenAiEndpoint, BringsItsKey) {
  const EndpointProcess endpoint({"--key", "secret"});
  EXPECT_TRUE(ask(endpoint, kAsked, false, "secret").ok());
  EXPECT_EQ(ask(endpoint, kAsked, false, "wrong").failure, ModelFailure::credentials);
}

TEST(OpenAiEndpoint, SaysThatNobodyListens) {
  std::string url;
  {
    const EndpointProcess endpoint;
    url = endpoint.base_url();
  }
  FakeHost host;
  host.answer_http(support::real_http());
  auto provider = host.create("openai", R"({"base_url":")" + url + "\"}");
  const auto ended = provider.complete(kAsked);
  EXPECT_EQ(ended.failure, ModelFailure::server);
  EXPECT_NE(ended.value.find("Connection refused"), std::string::npos) << ended.value;
}

}  // namespace
}  // namespace agentd
