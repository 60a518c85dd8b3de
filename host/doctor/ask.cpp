#include "host/doctor/ask.hpp"

#include <memory>

namespace agentd::doctor {
namespace {
constexpr Millis kAnswerWithin{5'000};
constexpr std::size_t kMostOfAnAnswer = 256 << 10;
}  // namespace

Async<Result<Heard>> ask(port::HttpClient& http, std::string url, port::HttpHeaders headers) {
  Heard heard;
  auto start = [&](Promise<Result<void>> promise) {
    auto done = std::make_shared<Promise<Result<void>>>(std::move(promise));  // shared: a std::function is copied
    const auto head = [&heard](const port::HttpHead& head) {
      heard.status = head.status;
      for (const auto& [name, value] : head.headers)
        if (name == "server") heard.server = value;
      return true;
    };
    const auto body = [&heard](std::string_view chunk) { return (heard.body += chunk).size() < kMostOfAnAnswer; };
    http.start({.url = std::move(url), .headers = std::move(headers), .body = {}, .timeout = kAnswerWithin}, {.head = head, .body = body, .end = [done](Result<void> end) { done->set(std::move(end)); }});
  };
  auto asking = suspend<Result<void>>(start);
  const auto end = co_await std::move(asking);
  if (!end && heard.status == 0) co_return std::unexpected(end.error());
  co_return heard;
}

}  // namespace agentd::doctor
