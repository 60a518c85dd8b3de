#include "stream.hpp"

#include "answer.hpp"

namespace agentd::openai {
namespace {

using sdk::Json;

constexpr std::size_t kMaxCalls = 128;

}  // namespace

bool StreamedAnswer::take(std::string_view data, sdk::Completion& completion) {
  if (data == "[DONE]") {
    done_ = true;
    return true;
  }
  bool go_on = true;
  Json(data).members([&](std::string_view name, Json value) {
    if (name == "error" && !value.is_null()) error_ = data;
    if (name == "model" && answer_.model.empty() && value.kind() == Json::Kind::string) answer_.model = value.string();
    if (name == "usage" && value.kind() == Json::Kind::object) answer_.usage = read_usage(value);
    if (name != "choices" || value.kind() != Json::Kind::array) return;
    if (const Json choice = value[0]) go_on = take_choice(choice, completion);
  });
  return go_on && error_.empty();
}

bool StreamedAnswer::take_choice(Json choice, sdk::Completion& completion) {
  bool go_on = true;
  choice.members([&](std::string_view name, Json value) {
    if (name == "finish_reason" && value.kind() == Json::Kind::string) reason_ = value.string();
    if (name == "delta" && value.kind() == Json::Kind::object) go_on = take_delta(value, completion);
  });
  return go_on;
}

bool StreamedAnswer::take_delta(Json delta, sdk::Completion& completion) {
  bool go_on = true;
  delta.members([&](std::string_view name, Json value) {
    if (!value || value.is_null()) return;
    if (name == "content" || name == "refusal") {
      const std::string text = read_content(value);
      refused_ = refused_ || (name == "refusal" && !text.empty());
      answer_.text += text;
      if (!text.empty()) go_on = completion.emit_text(text) && go_on;
    }
    if ((name == "reasoning" || name == "reasoning_content") && value.kind() == Json::Kind::string) {
      const std::string text = value.string();
      if (!text.empty()) go_on = completion.emit_reasoning(text) && go_on;
    }
    if (name == "reasoning_details" && value.kind() == Json::Kind::array) {
      value.elements([&](Json detail) { (reasoning_details_ += reasoning_details_.empty() ? "" : ",") += detail.text(); });
    }
    if (name == "tool_calls" && value.kind() == Json::Kind::array) value.elements([&](Json call) { go_on = take_call(call, completion) && go_on; });
  });
  return go_on;
}

bool StreamedAnswer::take_call(Json call, sdk::Completion& completion) {
  auto& calls = answer_.calls;
  const Json index = call["index"], function = call["function"], id = call["id"];
  // Without an index a piece with an id begins a call, and one without belongs to the last.
  std::size_t at = calls.empty() ? 0 : calls.size() - (id ? 0 : 1);
  if (index.kind() == Json::Kind::number) at = index.integer<std::size_t>();
  if (at >= kMaxCalls || at > calls.size()) throw sdk::Error("tool call " + std::to_string(at) + " comes before those below it");
  if (at == calls.size()) calls.emplace_back();
  auto& request = calls[at];
  std::string name, arguments;
  if (id.kind() == Json::Kind::string && request.id.empty()) request.id = id.string();
  if (const Json given = function["name"]; given.kind() == Json::Kind::string && request.name.empty()) request.name = name = given.string();
  if (const Json given = function["arguments"]; given && !given.is_null()) arguments = given.kind() == Json::Kind::string ? given.string() : std::string(given.text());
  request.arguments += arguments;
  return (name.empty() && arguments.empty()) || completion.emit_tool_call(at, name, arguments);
}

sdk::ModelAnswer StreamedAnswer::end() {
  if (reason_.empty() && !done_) throw sdk::Error("the stream ended before the answer did");
  answer_.finish = refused_ ? sdk::Finish::filter : finish_of(reason_, !answer_.calls.empty());
  if (!reasoning_details_.empty()) answer_.extra = "{\"reasoning_details\":[" + reasoning_details_ + "]}";
  return std::move(answer_);
}

}  // namespace agentd::openai
