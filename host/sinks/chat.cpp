// Slack, Discord and Telegram: a short text for people. What a model wrote must neither call a whole channel nor be read as markup.
#include "host/sinks/kinds.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kSlackBytes = 4'000, kDiscordBytes = 2'000, kTelegramBytes = 4'096;  // theirs are characters: bytes are never more

port::HttpRequest post_json(std::string url, const nlohmann::json& body) {
  port::HttpRequest request;
  request.method = "POST";
  request.url = std::move(url);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return request;
}

// https://api.slack.com/reference/surfaces/formatting#escaping: with it no <!channel> is left either.
std::string slack_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

}  // namespace

port::HttpRequest slack_request(const SinkSettings& settings, const Message& message) {
  return post_json(settings.at("url"), {{"text", slack_escaped(words_of(message, kSlackBytes))}});
}

port::HttpRequest discord_request(const SinkSettings& settings, const Message& message) {
  return post_json(settings.at("url"), {{"content", words_of(message, kDiscordBytes)}, {"allowed_mentions", {{"parse", nlohmann::json::array()}}}});
}

port::HttpRequest telegram_request(const SinkSettings& settings, const Message& message) {
  const auto url = settings.value("base_url", "https://api.telegram.org") + "/bot" + settings.at("token").get<std::string>() + "/sendMessage";
  return post_json(url, {{"chat_id", settings.at("chat_id")}, {"text", words_of(message, kTelegramBytes)}, {"disable_web_page_preview", true}});
}

}  // namespace agentd::host
