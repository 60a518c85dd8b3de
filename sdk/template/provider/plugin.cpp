// A way to reach models: here an imaginary endpoint that takes {"model", "messages"} and answers {"text", "tokens"}. Replace it by yours.
// One that turns texts into vectors, too, is a Provider and an Embedder.
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/provider.hpp>

#include <string>
#include <utility>

using namespace agentd::sdk;

namespace {

struct Settings {
  std::string base_url = "http://127.0.0.1:8080";
  Secret api_key;
  AGENTD_FIELDS(base_url, api_key)
};

struct Answered {
  std::string text;
  int64_t tokens = -1;
  AGENTD_FIELDS(text, tokens)
};

std::string request_body(const Prompt& prompt) {
  std::string body = R"({"model":)";
  write_string(body, prompt.model());
  body += R"(,"messages":[)";
  for (std::size_t i = 0; i < prompt.size(); ++i) body += (i > 0 ? "," : "") + std::string(prompt[i].text());
  return body + "]}";
}

// The kind of failure decides about retry, fallback and the provider's health.
void refused(Completion completion, int status) {
  const std::string said = "the endpoint answered with status " + std::to_string(status);
  if (status == 401 || status == 403) return completion.fail(Error(said), ModelFailure::credentials);
  if (status == 402) return completion.fail(Error(said), ModelFailure::quota);
  if (status == 429) return completion.fail(Error(said, Failure::retryable), ModelFailure::rate);
  if (status >= 500) return completion.fail(Error(said, Failure::retryable), ModelFailure::server);
  completion.fail(Error(said));
}

void finish(Completion completion, const HttpResult& result) {
  if (const auto* error = std::get_if<Error>(&result)) return completion.fail(*error, ModelFailure::server);
  const auto& response = std::get<HttpResponse>(result);
  if (response.status != 200) return refused(std::move(completion), response.status);
  try {
    const auto answered = from_json<Answered>(Json(response.body));
    Usage usage;
    usage.output_tokens = answered.tokens;
    completion.answer({answered.text, {}, Finish::stop, usage});
  } catch (const Error& e) {
    completion.fail(e, ModelFailure::answer);
  }
}

struct Endpoint : Provider {
  static constexpr bool concurrent = true;
  using Config = Settings;
  Endpoint(const Config& config, const Host& host) : config_(config), host_(host) {}

  void complete(const Prompt& prompt, Completion completion) override {
    HttpRequest request{"POST", config_.base_url + "/complete", {{"content-type", "application/json"}}, request_body(prompt)};
    if (!config_.api_key.empty()) request.headers.emplace_back("authorization", "Bearer " + config_.api_key.reveal());
    const agentd_op op = completion.op();
    send(host_, op, request, [completion = std::move(completion)](const HttpResult& result) mutable { finish(std::move(completion), result); });
  }

 private:
  Config config_;
  Host host_;
};

}  // namespace

AGENTD_PLUGIN("my_provider", "0.1.0", provides<Endpoint>("my_provider", "Models behind an endpoint of mine"), license{"MIT"},
              needs{AGENTD_HOST_HTTP_1})
