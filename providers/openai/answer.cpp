#include "answer.hpp"

#include <algorithm>
#include <utility>

namespace agentd::openai {
namespace {

using sdk::Json;
using sdk::JsonReader;

// A count that makes no sense was not said: no answer that has been paid for is lost over it.
int64_t count(Json value) {
  if (value.kind() != Json::Kind::number) return -1;
  try {
    return std::max<int64_t>(value.integer<int64_t>(), -1);
  } catch (const sdk::Error&) {
    return -1;
  }
}

std::string text_of(Json value) { return value.kind() == Json::Kind::string ? value.string() : std::string(); }

sdk::ToolRequest read_call(JsonReader& body) {
  sdk::ToolRequest out;
  body.members([&](std::string_view name) {
    if (name == "id") out.id = text_of(body.value());
    if (name != "function") return;
    body.members([&](std::string_view key) {
      if (key == "name") out.name = text_of(body.value());
      if (key != "arguments") return;
      const Json part = body.value();
      out.arguments = part.kind() == Json::Kind::string ? part.string() : std::string(part.text());  // some servers send the object itself
    });
  });
  return out;
}

void read_message(JsonReader& body, sdk::ModelAnswer& out, bool& refused) {
  body.members([&](std::string_view name) {
    if (name == "content" && !refused) out.text = read_content(body.value());
    if (name == "refusal" && body.kind() == Json::Kind::string) {
      out.text = body.string();
      refused = true;
    }
    if (name == "tool_calls" && body.kind() == Json::Kind::array) body.elements([&] { out.calls.push_back(read_call(body)); });
    if (name == "reasoning_details" && body.kind() == Json::Kind::array) out.extra = "{\"reasoning_details\":" + std::string(body.value().text()) + "}";
  });
}

}  // namespace

std::string read_content(Json content) {
  if (content.kind() != Json::Kind::array) return text_of(content);
  std::string text;
  content.elements([&](Json part) { text += text_of(part["text"]); });
  return text;
}

sdk::Finish finish_of(std::string_view reason, bool has_calls) {
  if (reason == "length") return sdk::Finish::length;
  if (reason == "content_filter") return sdk::Finish::filter;
  return has_calls ? sdk::Finish::tool_calls : sdk::Finish::stop;
}

sdk::Usage read_usage(Json usage) {
  sdk::Usage out;
  usage.members([&](std::string_view name, Json value) {
    if (name == "prompt_tokens") out.input_tokens = count(value);
    if (name == "completion_tokens") out.output_tokens = count(value);
    if (name == "prompt_cache_hit_tokens" && out.cache_read_tokens < 0) out.cache_read_tokens = count(value);  // DeepSeek's name
    if (name == "prompt_tokens_details" && value.kind() == Json::Kind::object) {
      if (const Json cached = value["cached_tokens"]) out.cache_read_tokens = count(cached);
      if (const Json written = value["cache_write_tokens"]) out.cache_write_tokens = count(written);
    }
    if (name == "completion_tokens_details" && value.kind() == Json::Kind::object) out.reasoning_tokens = count(value["reasoning_tokens"]);
  });
  return out;
}

sdk::ModelAnswer read_answer(std::string_view text) {
  sdk::ModelAnswer out;
  std::string reason;
  bool found = false, refused = false;
  JsonReader body(text);
  body.members([&](std::string_view name) {
    if (name == "model") out.model = text_of(body.value());
    if (name == "usage" && body.kind() == Json::Kind::object) out.usage = read_usage(body.value());
    if (name != "choices" || body.kind() != Json::Kind::array) return;
    body.elements([&] {
      if (std::exchange(found, true)) return;  // one was asked for
      body.members([&](std::string_view key) {
        if (key == "message") read_message(body, out, refused);
        if (key == "finish_reason") reason = text_of(body.value());
      });
    });
  });
  body.end();
  if (!found) throw sdk::Error("it holds no choices");
  out.finish = refused ? sdk::Finish::filter : finish_of(reason, !out.calls.empty());
  return out;
}

}  // namespace agentd::openai
