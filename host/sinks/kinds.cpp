#include "host/sinks/kinds.hpp"

#include <algorithm>
#include <array>

#include "core/base/json_text.hpp"
#include "core/event/json_fields.hpp"
#include "host/api/hook_proof.hpp"

namespace agentd::host {
namespace {

struct Kind {
  std::string_view name, schema;
  SinkRequest request;  // empty: not a sink that is told by HTTP
};

const auto& kinds() {
  static const std::array<Kind, 9> all = {{
      {"slack", R"({"type":"object","additionalProperties":false,"required":["url"],"properties":{
        "url":{"type":"string","pattern":"^https?://","writeOnly":true,"description":"The incoming webhook."}}})", slack_request},
      {"discord", R"({"type":"object","additionalProperties":false,"required":["url"],"properties":{
        "url":{"type":"string","pattern":"^https?://","writeOnly":true,"description":"The channel's webhook."}}})", discord_request},
      {"telegram", R"({"type":"object","additionalProperties":false,"required":["token","chat_id"],"properties":{
        "token":{"type":"string","minLength":1,"writeOnly":true,"description":"The bot's."},
        "chat_id":{"type":["string","integer"],"description":"Who is written to."},
        "base_url":{"type":"string","pattern":"^https?://","default":"https://api.telegram.org"}}})", telegram_request},
      {"pagerduty", R"({"type":"object","additionalProperties":false,"required":["routing_key"],"properties":{
        "routing_key":{"type":"string","minLength":1,"writeOnly":true,"description":"Of an Events API v2 integration."},
        "url":{"type":"string","pattern":"^https?://","default":"https://events.pagerduty.com/v2/enqueue"}}})", pagerduty_request},
      {"ntfy", R"({"type":"object","additionalProperties":false,"required":["url"],"properties":{
        "url":{"type":"string","pattern":"^https?://[^/]+/[-_A-Za-z0-9]{1,64}$","description":"The topic: https://ntfy.sh/NAME."},
        "token":{"type":"string","minLength":1,"writeOnly":true}}})", ntfy_request},
      {"mail", R"({"type":"object","additionalProperties":false,"required":["url","from","to"],"properties":{
        "url":{"type":"string","pattern":"^smtps?://","description":"smtp://HOST:587 (STARTTLS where the server offers it) or smtps://HOST."},
        "username":{"type":"string"},
        "password":{"type":"string","writeOnly":true},
        "require_tls":{"type":"boolean","default":true,"description":"Nothing is sent without TLS; false is for a server on this machine."},
        "from":{"type":"string","pattern":"^[^<>\r\n ]+@[^<>\r\n ]+$"},
        "to":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"string","pattern":"^[^<>\r\n ]+@[^<>\r\n ]+$"}}}})", {}},
      {"webhook", R"({"type":"object","additionalProperties":false,"required":["url"],"properties":{
        "url":{"type":"string","pattern":"^https?://"},
        "secret":{"type":"string","minLength":1,"writeOnly":true,"description":"Signs as Standard Webhooks do: whsec_ and base64."},
        "token":{"type":"string","minLength":1,"writeOnly":true,"description":"Sent as Authorization: Bearer."}}})", webhook_request},
      {"file", R"({"type":"object","additionalProperties":false,"required":["path"],"properties":{
        "path":{"type":"string","minLength":1,"format":"path","description":"Gets a line of JSON per message."}}})", {}},
      {"log", R"({"type":"object","additionalProperties":false,"properties":{}})", {}},
  }};
  return all;
}

}  // namespace

const char* name(Message::Severity severity) {
  switch (severity) {
    case Message::Severity::info: return "info";
    case Message::Severity::warning: return "warning";
    case Message::Severity::critical: return "critical";
  }
  return "info";
}

std::string words_of(const Message& message, std::size_t most_bytes) {
  constexpr std::string_view kShortened = "\n[shortened]";
  const auto whole = message.text.empty() ? message.title : message.title + "\n" + message.text;
  if (whole.size() <= most_bytes) return whole;
  return std::string(clip_utf8(whole, most_bytes - kShortened.size())) += kShortened;
}

std::string message_json(const Message& message) {
  event::ObjectWriter out;
  out.text("id", message.id).text("type", message.type).text("timestamp", format_instant(message.at)).text("severity", name(message.severity));
  out.text("title", message.title).text("text", message.text).raw("data", message.data.empty() ? "{}" : message.data);
  return out.finish();
}

Async<Result<void>> Background::run(std::function<Result<void>()> work) {
  auto start = [&](Promise<Result<void>> promise) {
    auto ended = std::make_shared<Promise<Result<void>>>(std::move(promise));  // shared: a posted function is copied
    boost::asio::post(thread_, [ended, work = std::move(work)] { ended->set(work()); });
  };
  auto working = suspend<Result<void>>(start);
  co_return co_await std::move(working);
}

std::string_view sink_schema(std::string_view kind) {
  const auto found = std::ranges::find(kinds(), kind, &Kind::name);
  return found == kinds().end() ? std::string_view() : found->schema;
}

Result<std::unique_ptr<Sink>> make_sink(std::string_view kind, const std::string& name, std::string_view settings, const SinkGround& ground) {
  const auto found = std::ranges::find(kinds(), kind, &Kind::name);
  if (found == kinds().end()) return fail("there is no kind of sink \"" + std::string(kind) + "\"");
  const auto parsed = SinkSettings::parse(settings, nullptr, false);
  if (!parsed.is_object()) return fail("the settings are no JSON object");
  if (kind == "webhook" && parsed.contains("secret"))
    if (const auto usable = api::fits(manifest::WebhookVerify::standard, parsed.at("secret").get<std::string>()); !usable) return fail("\"secret\": " + usable.error().message);
  if (found->request) return make_http_sink(found->request, parsed, ground);
  if (kind == "mail") return make_mail_sink(parsed, ground);
  if (kind == "file") return make_file_sink(parsed, ground);
  return make_log_sink(name, ground);
}

}  // namespace agentd::host
