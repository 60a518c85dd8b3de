#include "tests/support/endpoint/conversation.hpp"

#include <agentd/sdk/json.hpp>

#include <algorithm>
#include <vector>

namespace agentd::endpoint {
namespace {

using sdk::Error;
using sdk::Json;

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

void check_tool_name(const std::string& name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (name.empty() || name.size() > 64 || !std::ranges::all_of(name, allowed)) throw Error("Invalid tool name '" + name + "': expected a string that matches ^[a-zA-Z0-9_-]{1,64}$");
}

// Every call of an assistant's is answered by one tool message before anything else follows.
class Messages {
 public:
  explicit Messages(Conversation& out) : out_(out) {}
  void take(Json message) {
    const std::string role = message["role"].string();
    const Json content = message["content"];
    ++out_.messages;
    out_.last_tool_result = {};
    if (role == "tool") return take_result(message, content);
    if (!open_.empty()) throw Error("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: " + open_.front());
    if (role == "user") out_.rounds = 0;
    if (role == "assistant") return take_assistant(message, content);
    if (role != "user" && role != "system" && role != "developer") throw Error("Invalid role '" + role + "'");
    if (content.kind() != Json::Kind::string && content.kind() != Json::Kind::array) throw Error("Invalid content of a message of the role '" + role + "'");
  }
  void end() const {
    if (!open_.empty()) throw Error("The last tool calls have no tool messages");
    if (out_.messages == 0) throw Error("'messages' is empty");
  }

 private:
  void take_assistant(Json message, Json content) {
    ++out_.rounds;
    const Json calls = message["tool_calls"];
    if (!calls && (!content || content.is_null())) throw Error("An assistant message needs 'content' or 'tool_calls'");
    if (!calls) return;
    calls.elements([&](Json call) {
      open_.push_back(call["id"].string());
      check_tool_name(call["function"]["name"].string());
      (void)call["function"]["arguments"].string();
    });
    if (open_.empty()) throw Error("'tool_calls' is empty");
  }
  void take_result(Json message, Json content) {
    const std::string id = message["tool_call_id"].string();
    const auto found = std::ranges::find(open_, id);
    if (found == open_.end()) throw Error("A tool message answers '" + id + "', which is not a call of the message before it");
    open_.erase(found);
    if (content.kind() == Json::Kind::string) out_.last_tool_result = content.text().substr(1, content.text().size() - 2);
    else if (content.kind() != Json::Kind::array) throw Error("Invalid content of a tool message");
  }
  Conversation& out_;
  std::vector<std::string> open_;
};

}  // namespace

std::variant<Conversation, std::string> read_conversation(std::string_view body) try {
  Conversation out;
  bool has_messages = false;
  Json(body).members([&](std::string_view key, Json value) {
    if (key == "model") out.model = value.string();
    if (key == "stream") out.stream = value.boolean();
    if (key == "stream_options" && value["include_usage"]) out.include_usage = value["include_usage"].boolean();
    if (key == "tools") {
      value.elements([&](Json tool) {
        if (tool["type"].string() != "function") throw Error("Invalid type of a tool");
        const std::string name = tool["function"]["name"].string();
        check_tool_name(name);
        if (out.first_tool.empty()) out.first_tool = name;
      });
    }
    if (key == "messages") {
      has_messages = true;
      Messages messages(out);
      value.elements([&](Json message) { messages.take(message); });
      messages.end();
      out.fingerprint = fnv1a(value.text());
    }
  });
  if (out.model.empty()) return "you must provide a model parameter";
  if (!has_messages) return "Missing required parameter: 'messages'";
  return out;
} catch (const sdk::Error& e) {
  return std::string(e.what());
}

}  // namespace agentd::endpoint
