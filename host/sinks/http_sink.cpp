// What all sinks that are told by HTTP have in common.
#include "core/base/json_text.hpp"
#include "host/sinks/kinds.hpp"

namespace agentd::host {
namespace {

constexpr Millis kAnswerWithin{30'000};
constexpr std::size_t kMostOfAnAnswer = 64 << 10, kQuoted = 300;

struct SinkAnswer {
  port::HttpHead head;
  std::string body;
  Result<void> end;
};

std::optional<Millis> retry_after(const port::HttpHead& head) {
  for (const auto& [name, value] : head.headers) {
    if (name != "retry-after") continue;
    const double seconds = std::strtod(value.c_str(), nullptr);  // a date, which few send, says nothing here
    if (seconds > 0 && seconds < 86'400) return Millis(static_cast<std::int64_t>(seconds * 1000));
  }
  return std::nullopt;
}

Result<void> verdict(const SinkAnswer& answer) {
  if (!answer.end && answer.head.status == 0) {  // what is in an answer's body, or how long it is, changes nothing
    auto error = answer.end.error();
    if (error.error_class == ErrorClass::unknown_outcome) error.error_class = ErrorClass::retryable;  // told twice is better than not told
    return std::unexpected(std::move(error));
  }
  const int status = answer.head.status;
  if (status >= 200 && status < 300) return {};
  Error error{ErrorClass::terminal, "it answered " + std::to_string(status), {}};
  if (!answer.body.empty()) error.message += ": " + to_utf8(clip_utf8(answer.body, kQuoted));
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    error.error_class = ErrorClass::retryable;
    error.retry_after = retry_after(answer.head);
  }
  return std::unexpected(std::move(error));
}

class HttpSink final : public Sink {
 public:
  HttpSink(SinkRequest request, SinkSettings settings, const SinkGround& ground) : request_(std::move(request)), settings_(std::move(settings)), ground_(ground) {}

  Async<Result<void>> send(Message message, std::stop_token stop) override {
    auto request = request_(settings_, message);
    request.timeout = kAnswerWithin;
    SinkAnswer answer{.head = {}, .body = {}, .end = {}};
    port::HttpClient::Id id = 0;
    auto start = [&](Promise<bool> promise) {
      auto done = std::make_shared<Promise<bool>>(std::move(promise));  // shared: a std::function is copied
      port::HttpHandler handler{.head = [&answer](const port::HttpHead& head) { answer.head = head; return true; },
                                .body = [&answer](std::string_view chunk) { return (answer.body += chunk).size() < kMostOfAnAnswer; },
                                .end = [&answer, done](Result<void> how) {
                                  answer.end = std::move(how);
                                  done->set(true);
                                }};
      id = ground_.http.start(std::move(request), std::move(handler));
    };
    const std::stop_callback aborting(stop, [&] { ground_.http.abort(id); });
    auto exchange = suspend<bool>(start);
    co_await std::move(exchange);
    co_return verdict(answer);
  }

 private:
  const SinkRequest request_;
  const SinkSettings settings_;
  const SinkGround ground_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_http_sink(SinkRequest request, const SinkSettings& settings, const SinkGround& ground) {
  return std::make_unique<HttpSink>(std::move(request), settings, ground);
}

}  // namespace agentd::host
