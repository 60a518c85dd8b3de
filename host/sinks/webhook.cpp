// Any receiver of JSON, signed as Standard Webhooks has it where there is a secret.
#include "host/api/hook_proof.hpp"
#include "host/sinks/kinds.hpp"

namespace agentd::host {

port::HttpRequest webhook_request(const SinkSettings& settings, const Message& message) {
  port::HttpRequest request{.method = "POST", .url = settings.at("url"), .headers = {{"Content-Type", "application/json"}}, .body = message_json(message)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(message.sent_at).time_since_epoch().count();
  request.headers.emplace_back("webhook-id", message.id);
  request.headers.emplace_back("webhook-timestamp", std::to_string(seconds));
  if (settings.contains("secret"))
    request.headers.emplace_back("webhook-signature", api::standard_signature(settings.at("secret").get<std::string>(), message.id, seconds, request.body));
  if (settings.contains("token")) request.headers.emplace_back("Authorization", "Bearer " + settings.at("token").get<std::string>());
  return request;
}

}  // namespace agentd::host
