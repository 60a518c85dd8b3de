#include "host/doctor/providers.hpp"

#include <nlohmann/json.hpp>

#include "host/doctor/ask.hpp"

namespace agentd::doctor {
namespace {

using Json = nlohmann::json;

// What the settings say, else what the plugin takes when they say nothing.
std::string setting(const Json& settings, const Json& schema, const char* key) {
  const auto found = settings.find(key);
  if (found != settings.end()) return found->is_string() ? found->get<std::string>() : "";
  const auto pointer = Json::json_pointer(std::string("/properties/") + key + "/default");
  return schema.is_object() && schema.contains(pointer) && schema[pointer].is_string() ? schema[pointer].get<std::string>() : "";
}

struct Question {
  std::string url;
  port::HttpHeaders headers;
  bool shows_key = false;   // and so learns whether it is taken
  bool wants_list = false;  // of models
};

// A list of models costs nothing wherever chat completions are spoken. Of others only the address is known.
Question question_for(const Asked& provider, const Json& settings, const std::string& base_url) {
  if (provider.plugin != "openai") return {.url = base_url, .headers = {}};
  Question question{.url = base_url + (base_url.ends_with('/') ? "models" : "/models"), .headers = {}, .wants_list = true};
  const auto headers = settings.value("headers", Json::object());
  for (const auto& [name, value] : headers.items())
    if (value.is_string()) question.headers.emplace_back(name, value.get<std::string>());
  const auto key = settings.value("api_key", std::string());
  question.shows_key = !key.empty() || !question.headers.empty();
  if (!key.empty()) question.headers.emplace_back("Authorization", "Bearer " + key);
  return question;
}

std::string advice_for(const std::string& why, const std::string& entry) {
  if (why.contains("could not find the address")) return "Correct base_url of " + entry + ", or look after this machine's name server.";
  if (why.contains("certificate") || why.contains("TLS")) return "Make this machine trust who signed it (the package ca-certificates, or the server's own authority), or correct base_url of " + entry + ".";
  if (why.contains("could not connect")) return "Start the server there, let this machine through to it, or correct base_url of " + entry + ".";
  return "Correct base_url of " + entry + ", or look at the server there.";
}

Finding judge(const Asked& provider, const Question& question, const Heard& heard) {
  const auto check = "provider " + provider.name, entry = "[providers." + provider.name + "]";
  const auto answered = question.url + " answers with " + std::to_string(heard.status);
  if (heard.status == 401 || heard.status == 403) {
    if (question.shows_key) return failed(check, answered + ": the key is refused", "Put a key that is valid behind api_key of " + entry + ".");
    return question.wants_list ? failed(check, answered + ": it wants a key", "Set api_key of " + entry + ".") : ok(check, answered + "; the key was not tried");
  }
  if (heard.status == 429) return warning(check, answered + ": too many requests", "Wait, or lower max_concurrent of " + entry + ".");
  if (heard.status >= 500) return failed(check, answered, "Look at the server there; runs wait and try again meanwhile.");
  if (heard.status >= 300 && heard.status < 400) return warning(check, answered + ": it leads elsewhere", "Write the address it leads to as base_url of " + entry + ".");
  if (!question.wants_list) return ok(check, answered + "; a key was not tried");
  if (heard.status != 200) return ok(check, answered + ": it lists no models, so whether it takes the key is not known");
  if (!heard.body.starts_with('{') && !heard.body.starts_with('[')) return warning(check, answered + ", but with no list of models", "Correct base_url of " + entry + ": most end in /v1.");
  return ok(check, answered + (question.shows_key ? "; the key is taken" : ""));
}

}  // namespace

Async<Finding> ask_provider(port::HttpClient& http, Asked provider) {
  const auto check = "provider " + provider.name;
  const auto settings = Json::parse(provider.settings, nullptr, false), schema = Json::parse(provider.schema, nullptr, false);
  const auto base_url = setting(settings, schema, "base_url");
  if (base_url.empty()) co_return ok(check, "plugin " + provider.plugin + " is there; it has no address to ask");
  const auto question = question_for(provider, settings, base_url);
  auto asking = ask(http, question.url, question.headers);
  const auto heard = co_await std::move(asking);
  if (!heard) co_return failed(check, heard.error().message, advice_for(heard.error().message, "[providers." + provider.name + "]"));
  co_return judge(provider, question, *heard);
}

}  // namespace agentd::doctor
