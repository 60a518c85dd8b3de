#include "core/run/messages.hpp"

#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/tool/wire_name.hpp"

namespace agentd::run {
namespace {

std::string plain(std::string_view role, std::string_view content) {
  std::string json;
  json.reserve(role.size() + content.size() + 24);
  ((json += R"({"role":")") += role) += R"(","content":)";
  return (json += content) += '}';
}

// What the model asked for, as it wrote it: an object is its text, a string is the text in it.
std::string arguments_text(const event::Json& arguments) {
  if (auto text = event::string_value(arguments.text)) return *text;
  return arguments.text;
}

}  // namespace

port::Message system_message(std::string_view text) { return {.role = port::Role::system, .json = plain("system", json_string(text))}; }

port::Message user_message(std::string_view query, std::string_view params) {
  if (params.empty() || params == "{}") return {.role = port::Role::user, .json = plain("user", json_string(query))};
  std::string text(query);
  if (!text.empty()) text += "\n\n";
  ((text += "Parameters:\n```json\n") += params) += "\n```";
  return {.role = port::Role::user, .json = plain("user", json_string(text))};
}

port::Message note_message(const event::Json& note) { return {.role = port::Role::user, .json = plain("user", note.text)}; }

port::Message assistant_message(std::string_view run, const event::Answered& answered) {
  std::string json = R"({"role":"assistant","content":)";
  json += answered.text ? std::string_view(answered.text.text) : std::string_view("null");
  for (std::size_t i = 0; i < answered.calls.size(); ++i) {
    const auto& call = answered.calls[i];
    json += i == 0 ? R"(,"tool_calls":[{"id":")" : R"(,{"id":")";
    json += name_call(run, answered.step, static_cast<int>(i));
    ((json += R"(","type":"function","function":{"name":")") += tool::wire_name(call.tool)) += R"(","arguments":)";
    append_json_string(json, arguments_text(call.arguments));
    json += "}}";
  }
  json += answered.calls.empty() ? "}" : "]}";
  return {port::Role::assistant, std::move(json), answered.extra.text, answered.extra_owner};
}

port::Message tool_message(std::string_view call_id, const event::Json& content) {
  std::string json;
  json.reserve(content.text.size() + call_id.size() + 48);
  ((json += R"({"role":"tool","tool_call_id":")") += call_id) += R"(","content":)";
  (json += content.text) += '}';
  return {.role = port::Role::tool, .json = std::move(json)};
}

port::Message recalled_message(event::Json message) {
  const auto object = event::ObjectReader::open(message.text);
  const auto role = object ? object->text("role") : std::string();
  auto kind = port::Role::user;
  if (role == "system") kind = port::Role::system;
  if (role == "assistant") kind = port::Role::assistant;
  if (role == "tool") kind = port::Role::tool;
  return {.role = kind, .json = std::move(message.text)};
}

std::string name_call(std::string_view run, int step, int index) {
  std::string id(run);
  ((id += '/') += std::to_string(step)) += '/';
  return id += std::to_string(index);
}

std::string lay_over(std::string_view base, std::string_view top) {
  const auto is_bare = [](std::string_view json) { return json.empty() || json == "{}"; };
  if (is_bare(top)) return std::string(is_bare(base) ? std::string_view() : base);
  if (is_bare(base)) return std::string(top);
  auto merged = nlohmann::json::parse(base, nullptr, false);
  const auto over = nlohmann::json::parse(top, nullptr, false);
  if (!merged.is_object() || !over.is_object()) return std::string(top);
  merged.update(over);
  return merged.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace agentd::run
