// A toolset whose calls are seen from outside: each is a request to an endpoint, which keeps a journal of its own.
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/toolset.hpp>

#include <cstdlib>

using namespace agentd::sdk;

namespace {

struct Courier final : Toolset {
  static constexpr bool concurrent = true;

  struct Config {
    std::string url;
    AGENTD_FIELDS(url)
  };

  Courier(const Config& config, const Host& host) : host_(host), url_(config.url) {
    add("deliver", "Delivers something that must not be delivered twice", Effect::once, [this](Reply<std::string> reply) { deliver(std::move(reply)); });
  }

 private:
  // Who answers 503 has taken nothing, and says when to come again.
  void deliver(Reply<std::string> reply) {
    const auto op = reply.call().op();
    const HttpRequest request{"POST", url_, {{"content-type", "text/plain"}}, std::string(reply.call().id())};
    send(host_, op, request, [reply = std::move(reply)](HttpResult result) mutable {
      if (const auto* error = std::get_if<Error>(&result)) return reply.fail(*error);
      const auto& answer = std::get<HttpResponse>(result);
      if (answer.status == 200) return reply(answer.body);
      const auto seconds = std::strtoll(std::string(answer.header("retry-after")).c_str(), nullptr, 10);
      reply.fail(Error("it was not taken", Failure::retryable, seconds * 1000));
    });
  }

  Host host_;
  std::string url_;
};

}  // namespace

AGENTD_PLUGIN("courier", "1.0.0", provides<Courier>("courier", "Delivers, and is seen to"), needs({AGENTD_HOST_HTTP_1}))
