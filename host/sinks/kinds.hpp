// Every kind of sink: a row in kinds.cpp and a maker in a file of its own.
#pragma once
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "host/sinks/sink.hpp"

namespace agentd::host {

using SinkSettings = nlohmann::json;

// The request that brings a message to its receiver.
using SinkRequest = std::function<port::HttpRequest(const SinkSettings&, const Message&)>;
Result<std::unique_ptr<Sink>> make_http_sink(SinkRequest request, const SinkSettings& settings, const SinkGround& ground);

port::HttpRequest slack_request(const SinkSettings&, const Message&);      // https://api.slack.com/messaging/webhooks
port::HttpRequest discord_request(const SinkSettings&, const Message&);    // https://discord.com/developers/docs/resources/webhook#execute-webhook
port::HttpRequest telegram_request(const SinkSettings&, const Message&);   // https://core.telegram.org/bots/api#sendmessage
port::HttpRequest pagerduty_request(const SinkSettings&, const Message&);  // https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
port::HttpRequest ntfy_request(const SinkSettings&, const Message&);       // https://docs.ntfy.sh/publish/#publish-as-json
port::HttpRequest webhook_request(const SinkSettings&, const Message&);    // https://github.com/standard-webhooks/standard-webhooks

// What may block has a thread of its own.
class Background {
 public:
  Async<Result<void>> run(std::function<Result<void>()> work);

 private:
  boost::asio::thread_pool thread_{1};
};

Result<std::unique_ptr<Sink>> make_mail_sink(const SinkSettings& settings, const SinkGround& ground);
Result<std::unique_ptr<Sink>> make_file_sink(const SinkSettings& settings, const SinkGround& ground);
Result<std::unique_ptr<Sink>> make_log_sink(const std::string& name, const SinkGround& ground);

// A message as a line of JSON: {"id", "type", "timestamp", "severity", "title", "text", "data"}.
std::string message_json(const Message& message);

}  // namespace agentd::host
