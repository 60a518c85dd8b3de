// PagerDuty and ntfy: what wakes people.
#include "core/base/json_text.hpp"
#include "host/sinks/kinds.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kSummaryBytes = 1'024, kNtfyBytes = 4'000;

std::string dumped(const nlohmann::json& body) { return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

}  // namespace

port::HttpRequest pagerduty_request(const SinkSettings& settings, const Message& message) {
  nlohmann::json body = {{"routing_key", settings.at("routing_key")}, {"dedup_key", message.subject}, {"event_action", message.is_over ? "resolve" : "trigger"}};
  if (!message.is_over)
    body["payload"] = {{"summary", std::string(clip_utf8(message.title, kSummaryBytes))},
                       {"source", "agentd"},
                       {"severity", name(message.severity)},
                       {"timestamp", format_instant(message.at)},
                       {"custom_details", {{"text", words_of(message, 8 << 10)}, {"id", message.id}}}};
  return {.method = "POST", .url = settings.value("url", "https://events.pagerduty.com/v2/enqueue"), .headers = {{"Content-Type", "application/json"}}, .body = dumped(body)};
}

port::HttpRequest ntfy_request(const SinkSettings& settings, const Message& message) {
  const auto url = settings.at("url").get<std::string>();
  const auto slash = url.rfind('/');
  const int priority = message.is_over || message.severity == Message::Severity::info ? 3 : message.severity == Message::Severity::warning ? 4 : 5;
  nlohmann::json body = {{"topic", url.substr(slash + 1)}, {"title", message.title}, {"priority", priority}};
  if (!message.text.empty()) {
    Message only_text = message;
    only_text.title.swap(only_text.text);
    only_text.text.clear();
    body["message"] = words_of(only_text, kNtfyBytes);
  }
  port::HttpRequest request{.method = "POST", .url = url.substr(0, slash + 1), .headers = {{"Content-Type", "application/json"}}, .body = dumped(body)};
  if (settings.contains("token")) request.headers.emplace_back("Authorization", "Bearer " + settings.at("token").get<std::string>());
  return request;
}

}  // namespace agentd::host
