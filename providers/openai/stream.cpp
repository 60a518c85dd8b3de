#include "stream.hpp"

#include "answer.hpp"

namespace agentd::openai {
namespace {

using sdk::Json;
using sdk::JsonReader;

constexpr std::size_t kMaxCalls = 128;

}  // namespace

bool StreamedAnswer::take(std::string_view data, sdk::Completion& completion) {
  if (data == "[DONE]") {
    done_ = true;
    return true;
  }
  if (const auto text = text_alone(data)) {
    answer_.text += *text;
    return true;
  }
  bool go_on = true;
  words_ = {};
  says_more_ = false;
  JsonReader event(data);
  event.members([&](std::string_view name) {
    if (name == "choices" && event.kind() == Json::Kind::array) go_on = take_choices(event, completion);
    if (name == "model" && answer_.model.empty() && event.kind() == Json::Kind::string) answer_.model = event.string();
    if (name == "usage" && event.kind() == Json::Kind::object) answer_.usage = read_usage(event.value());
    if (name == "error" && event.kind() != Json::Kind::null) error_ = data;
  });
  event.end();
  keep_frame(data);
  return go_on && error_.empty();
}

std::optional<std::string> StreamedAnswer::text_alone(std::string_view data) const {
  const std::size_t around = before_.size() + after_.size();
  if (before_.empty() || data.size() < around || data.substr(0, before_.size()) != before_ || data.substr(data.size() - after_.size()) != after_) return std::nullopt;
  try {
    JsonReader words(data.substr(before_.size(), data.size() - around));
    auto text = words.string();
    words.end();
    return text;
  } catch (const sdk::Error&) {  // it only looked alike
    return std::nullopt;
  }
}

void StreamedAnswer::keep_frame(std::string_view data) {
  const bool alone = !words_.empty() && !says_more_ && error_.empty();
  const std::size_t begin = alone ? static_cast<std::size_t>(words_.data() - data.data()) : 0;
  before_ = data.substr(0, begin);
  after_ = alone ? data.substr(begin + words_.size()) : std::string_view();
}

bool StreamedAnswer::tell_text(sdk::Completion& completion) {
  const auto text = std::string_view(answer_.text).substr(std::exchange(told_, answer_.text.size()));
  return text.empty() || completion.emit_text(text);
}

bool StreamedAnswer::take_choices(JsonReader& event, sdk::Completion& completion) {
  bool go_on = true, first = true;
  event.elements([&] {
    if (!std::exchange(first, false) || event.kind() != Json::Kind::object) return;  // one was asked for
    event.members([&](std::string_view name) {
      if (name == "delta" && event.kind() == Json::Kind::object) go_on = take_delta(event, completion);
      if (name == "finish_reason" && event.kind() == Json::Kind::string) reason_ = event.string();
    });
  });
  return go_on;
}

bool StreamedAnswer::take_delta(JsonReader& event, sdk::Completion& completion) {
  bool go_on = true;
  event.members([&](std::string_view name) {
    if (event.kind() == Json::Kind::null) return;
    if (name == "content" || name == "refusal") {
      const Json content = event.value();
      const std::string text = read_content(content);
      refused_ = refused_ || (name == "refusal" && !text.empty());
      says_more_ = says_more_ || !words_.empty() || name == "refusal" || content.kind() != Json::Kind::string;
      words_ = content.text();
      answer_.text += text;
      return;
    }
    says_more_ = says_more_ || name != "role";
    go_on = tell_text(completion) && go_on;
    if ((name == "reasoning" || name == "reasoning_content") && event.kind() == Json::Kind::string) {
      const std::string text = event.string();
      if (!text.empty()) go_on = completion.emit_reasoning(text) && go_on;
    } else if (name == "reasoning_details" && event.kind() == Json::Kind::array) {
      event.elements([&] { (reasoning_details_ += reasoning_details_.empty() ? "" : ",") += event.value().text(); });
    } else if (name == "tool_calls" && event.kind() == Json::Kind::array) {
      event.elements([&] { go_on = take_call(event.value(), completion) && go_on; });
    }
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
