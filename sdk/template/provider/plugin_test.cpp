#include <agentd/testing/fake_host.hpp>

#include <cstdio>

using agentd::sdk::ModelFailure;
using agentd::sdk::Role;
using agentd::testing::FakeAnswer;
using agentd::testing::FakeRequest;

int main() {
  agentd::testing::FakeHost host;
  FakeAnswer next{200, R"({"text": "4", "tokens": 1})"};
  host.answer_http([&next](const FakeRequest&) { return next; });
  auto provider = host.create("my_provider", R"({"api_key": "secret"})");

  const auto answered = provider.complete({{Role::user, R"({"role":"user","content":"2+2?"})"}});
  next.status = 401;
  const auto refused = provider.complete({{Role::user, R"({"role":"user","content":"2+2?"})"}});
  std::printf("%s\n%s\n", host.requests()[0].body.c_str(), refused.value.c_str());
  return answered.ok() && answered.answer->text == "4" && refused.failure == ModelFailure::credentials ? 0 : 1;
}
