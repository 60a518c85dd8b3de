#include "answer.hpp"

#include <algorithm>
#include <utility>

namespace agentd::openai {
namespace {

using sdk::Json;

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

sdk::ToolRequest read_call(Json call) {
  sdk::ToolRequest out;
  call.members([&](std::string_view name, Json value) {
    if (name == "id") out.id = text_of(value);
    if (name != "function") return;
    value.members([&](std::string_view key, Json part) {
      if (key == "name") out.name = text_of(part);
      if (key == "arguments") out.arguments = part.kind() == Json::Kind::string ? part.string() : std::string(part.text());  // some servers send the object itself
    });
  });
  return out;
}

void read_message(Json message, sdk::ModelAnswer& out, bool& refused) {
  message.members([&](std::string_view name, Json value) {
    if (name == "content" && !refused) out.text = read_content(value);
    if (name == "refusal" && value.kind() == Json::Kind::string) {
      out.text = value.string();
      refused = true;
    }
    if (name == "tool_calls" && value.kind() == Json::Kind::array) value.elements([&](Json call) { out.calls.push_back(read_call(call)); });
    if (name == "reasoning_details" && value.kind() == Json::Kind::array) out.extra = "{\"reasoning_details\":" + std::string(value.text()) + "}";
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

sdk::ModelAnswer read_answer(Json body) {
  sdk::ModelAnswer out;
  std::string reason;
  bool found = false, refused = false;
  body.members([&](std::string_view name, Json value) {
    if (name == "model") out.model = text_of(value);
    if (name == "usage" && value.kind() == Json::Kind::object) out.usage = read_usage(value);
    if (name != "choices" || value.kind() != Json::Kind::array) return;
    value.elements([&](Json choice) {
      if (std::exchange(found, true)) return;  // one was asked for
      choice.members([&](std::string_view key, Json part) {
        if (key == "message") read_message(part, out, refused);
        if (key == "finish_reason") reason = text_of(part);
      });
    });
  });
  if (!found) throw sdk::Error("it holds no choices");
  out.finish = refused ? sdk::Finish::filter : finish_of(reason, !out.calls.empty());
  return out;
}

}  // namespace agentd::openai
