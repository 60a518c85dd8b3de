#include "server.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "stores/http/address.hpp"
#include "stores/http/answer.hpp"

namespace agentd::points {
namespace {

using namespace std::chrono_literals;
constexpr auto kPause = 100ms;
constexpr std::uint64_t kMostOfAnAnswer = 256u << 20;

bool is_for_now(int status) { return status == 408 || status == 429 || status == 502 || status == 503 || status == 504; }

}  // namespace

Server::Server(sdk::Host host, std::string product, std::string url, sdk::HttpHeaders headers)
    : host_(host), product_(std::move(product)), url_(std::move(url)), headers_(std::move(headers)) {}

std::string Server::name() const { return product_ + " at " + stores::origin_of(url_); }

nlohmann::json Answer::json() const {
  auto read = nlohmann::json::parse(body, nullptr, false);
  if (read.is_discarded()) throw sdk::Error("the answer is no JSON" + stores::first_line(body));
  return read;
}

Answer Conversation::ask(const std::string& method, const std::string& path, const nlohmann::json* body) {
  sdk::HttpRequest request{.method = method, .url = server_.url_ + path, .headers = server_.headers_};
  if (body) request.headers.emplace_back("Content-Type", "application/json"), request.body = body->dump();
  request.max_response_bytes = kMostOfAnAnswer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now());
    request.timeout = std::max<std::chrono::milliseconds>(left, 1ms);
    std::string why;
    try {
      auto response = sdk::fetch(server_.host_, request);
      if (response.status == 401 || response.status == 403) throw sdk::Error("it does not take this api_key: it answered with " + stores::said(response));
      if (!is_for_now(response.status)) {
        server_.is_told_ = false;
        return {response.status, std::move(response.body)};
      }
      why = "it answered with " + stores::said(response);
    } catch (const sdk::Error& error) {
      if (error.failure == sdk::Failure::terminal || error.failure == sdk::Failure::cancelled) throw sdk::Error(server_.name() + ": " + error.what(), error.failure);
      why = error.what();
    }
    if (Clock::now() + kPause < until_) {
      std::this_thread::sleep_for(kPause);
      continue;
    }
    const auto text = server_.name() + " cannot be used now: " + why;
    if (!server_.is_told_.exchange(true)) server_.host_.log(sdk::Level::warn, text);
    throw sdk::Error(text, sdk::Failure::retryable);
  }
}

nlohmann::json Conversation::fine(const Answer& answer) const {
  if (!answer.is_fine()) refused(answer);
  return answer.json();
}
nlohmann::json Conversation::get(const std::string& path) { return fine(ask("GET", path, nullptr)); }
nlohmann::json Conversation::post(const std::string& path, const nlohmann::json& body) { return fine(ask("POST", path, &body)); }
nlohmann::json Conversation::put(const std::string& path, const nlohmann::json& body) { return fine(ask("PUT", path, &body)); }

void Conversation::refused(const Answer& answer) const {
  throw sdk::Error(server_.name() + " answered with status " + std::to_string(answer.status) + stores::first_line(answer.body), answer.status >= 500 ? sdk::Failure::retryable : sdk::Failure::terminal);
}

}  // namespace agentd::points
