#include "tests/support/endpoint/scenario.hpp"

#include <agentd/sdk/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace agentd::endpoint {
namespace {

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value, base).ptr);
}

std::string text_of(const Scenario& scenario, const Conversation& conversation) {  // the inside of a JSON string
  std::string text;
  sdk::write_string(text, scenario.text);
  text = text.substr(1, text.size() - 2);
  constexpr std::string_view kMark = "{result}";
  if (const auto at = text.find(kMark); at != text.npos) text.replace(at, kMark.size(), conversation.last_tool_result);
  return text;
}

void append_usage(std::string& out, const Scenario& scenario, const Conversation& conversation, int output) {
  output *= scenario.usage;
  const auto input = static_cast<std::uint64_t>((100 + 20 * conversation.messages) * scenario.usage);
  out += "{\"prompt_tokens\":";
  append_number(out, input);
  out += ",\"completion_tokens\":";
  append_number(out, static_cast<std::uint64_t>(output));
  out += ",\"total_tokens\":";
  append_number(out, input + static_cast<std::uint64_t>(output));
  out += R"(,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":0}})";
}

void append_calls(std::string& out, const Scenario& scenario, const Conversation& conversation, std::string_view arguments, int number, bool indexed) {
  out += '[';
  for (int i = 0; i < scenario.calls; ++i) {
    if (i > 0) out += ',';
    out += '{';
    if (indexed) {
      out += "\"index\":";
      append_number(out, static_cast<std::uint64_t>(i));
      out += ',';
    }
    out += "\"id\":\"call_";
    append_number(out, static_cast<std::uint64_t>(number));
    out += '_';
    append_number(out, static_cast<std::uint64_t>(i));
    out += R"(","type":"function","function":{"name":")";
    out += scenario.tool.empty() ? conversation.first_tool : scenario.tool;
    out += "\",\"arguments\":";
    sdk::write_string(out, arguments);
    out += "}}";
  }
  out += ']';
}

// Server-sent events in one chunked body. What is written is one event's worth of JSON after `"choices":`.
class Stream {
 public:
  Stream(const Scenario& scenario, const Conversation& conversation) : scenario_(scenario), conversation_(conversation) {
    bytes_ = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  }
  void choice(std::string_view delta, std::string_view finish = "null") {
    ((((begin() += "[{\"index\":0,\"delta\":") += delta) += ",\"finish_reason\":") += finish) += "}]";
    end();
  }
  void usage(int output) {
    begin() += "[],\"usage\":";
    append_usage(event_, scenario_, conversation_, output);
    end();
  }
  std::string done() {
    event_ = "data: [DONE]\n\n";
    chunk();
    return std::move(bytes_ += "0\r\n\r\n");
  }

 private:
  std::string& begin() {
    event_ = R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":")";
    return (event_ += conversation_.model) += "\",\"choices\":";
  }
  void end() {
    event_ += "}\n\n";
    chunk();
  }
  void chunk() {
    append_number(bytes_, event_.size(), 16);
    ((bytes_ += "\r\n") += event_) += "\r\n";
  }
  const Scenario& scenario_;
  const Conversation& conversation_;
  std::string bytes_, event_;
};

Reply stream_call(const Scenario& scenario, const Conversation& conversation, std::string_view arguments, int number) {
  Stream stream(scenario, conversation);
  stream.choice(R"({"role":"assistant","content":null})");
  std::string delta = "{\"tool_calls\":";
  append_calls(delta, scenario, conversation, "", number, true);
  stream.choice(delta + "}");
  for (int i = 0; i < scenario.calls; ++i) {
    for (std::size_t at = 0; at < arguments.size(); at += 7) {
      delta = "{\"tool_calls\":[{\"index\":";
      append_number(delta, static_cast<std::uint64_t>(i));
      delta += ",\"function\":{\"arguments\":";
      sdk::write_string(delta, arguments.substr(at, 7));
      stream.choice(delta + "}}]}");
    }
  }
  stream.choice("{}", "\"tool_calls\"");
  if (conversation.include_usage) stream.usage(12);
  return {.bytes = stream.done()};
}

Reply stream_text(const Scenario& scenario, const Conversation& conversation) {
  Stream stream(scenario, conversation);
  stream.choice(R"({"role":"assistant","content":""})");
  const std::string text = text_of(scenario, conversation);
  stream.choice("{\"content\":\"" + text + "\"}");
  for (int i = 1; i < scenario.chunks; ++i) stream.choice(R"({"content":" word"})");
  stream.choice("{}", "\"stop\"");
  if (conversation.include_usage) stream.usage(scenario.chunks);
  return {.bytes = stream.done()};
}

Reply completion(const Scenario& scenario, const Conversation& conversation, std::string_view message, std::string_view finish, int output) {
  std::string body = R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":")";
  ((((body += conversation.model) += R"(","choices":[{"index":0,"message":)") += message) += R"(,"logprobs":null,"finish_reason":")") += finish;
  body += R"("}],"usage":)";
  append_usage(body, scenario, conversation, output);
  return whole(200, body += '}');
}

Reply call_tools(const Scenario& scenario, const Conversation& conversation, std::string_view arguments, int number) {
  if (conversation.stream) return stream_call(scenario, conversation, arguments, number);
  std::string message = R"({"role":"assistant","content":null,"tool_calls":)";
  append_calls(message, scenario, conversation, arguments, number, false);
  return completion(scenario, conversation, message += '}', "tool_calls", 12);
}

bool wants_call(const Scenario& scenario, const Conversation& conversation) {
  return !conversation.first_tool.empty() && conversation.rounds < scenario.rounds;
}

}  // namespace

Reply whole(int status, std::string_view body, std::string_view more_headers, std::string_view type) {
  Reply reply{.status = status};
  auto& out = reply.bytes;
  out.reserve(160 + more_headers.size() + body.size());
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  (((out += " X\r\nContent-Type: ") += type) += "\r\n") += more_headers;
  out += "Content-Length: ";
  append_number(out, body.size());
  (out += "\r\n\r\n") += body;
  return reply;
}

const std::string* Scenario::failure(int number) const {
  auto found = failures.find(number);
  if (found == failures.end()) found = failures.find(0);
  return found == failures.end() ? nullptr : &found->second;
}

Reply answer(const Scenario& scenario, const Conversation& conversation, int number) {
  if (wants_call(scenario, conversation)) return call_tools(scenario, conversation, scenario.arguments, number);
  if (conversation.stream) return stream_text(scenario, conversation);
  return completion(scenario, conversation, R"({"role":"assistant","content":")" + text_of(scenario, conversation) + R"(","refusal":null})", "stop", 8);
}

Reply refuse(int status, std::string_view type, std::string_view code, std::string_view message, std::string_view more_headers) {
  std::string body = "{\"error\":{\"message\":";
  sdk::write_string(body, message);
  ((((body += ",\"type\":\"") += type) += "\",\"param\":null,\"code\":\"") += code) += "\"}}";
  return whole(status, body, more_headers);
}

Reply misbehave(std::string_view how, const Scenario& scenario, const Conversation& conversation, int number) {
  const auto colon = how.find(':');
  const auto word = how.substr(0, colon);
  const auto detail = colon == how.npos ? std::string_view() : how.substr(colon + 1);
  if (word == "html") return whole(200, "<html><body>Bad gateway</body></html>", "", "text/html");
  if (word == "json") return whole(200, "{}");
  if (word == "nothing") return {.status = 0, .bytes = {}, .close = true};
  if (word == "hang") return {.status = 0, .bytes = {}, .never = true};
  if (word == "badargs") return call_tools(scenario, conversation, "{\"path\": ", number);
  if (word == "wrongargs") return call_tools(scenario, conversation, "{\"no_such_argument\":1}", number);
  if (word == "context") return refuse(400, "invalid_request_error", "context_length_exceeded", "This model's maximum context length is 128000 tokens.");
  if (word == "quota") return refuse(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.");
  if (word == "half") {
    auto reply = answer(scenario, conversation, number);
    reply.bytes.resize(reply.bytes.size() - std::min<std::size_t>(reply.bytes.size() / 4, 100));
    reply.close = true;
    return reply;
  }
  int status = 500;
  std::from_chars(word.data(), word.data() + word.size(), status);
  std::string headers;
  if (!detail.empty()) headers = "Retry-After: " + std::string(detail) + "\r\n";
  return refuse(status, "error", "scripted", "scripted failure " + std::to_string(status), headers);
}

Reply models() { return whole(200, R"({"object":"list","data":[{"id":"fake","object":"model","created":1,"owned_by":"tests"}]})"); }

std::optional<std::string> check_failure(std::string_view how) {
  static constexpr std::array kWords = {"html", "json", "nothing", "hang", "badargs", "wrongargs", "context", "quota", "half"};
  const auto word = how.substr(0, how.find(':'));
  if (std::ranges::find(kWords, word) != kWords.end()) return std::nullopt;
  int status = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), status);
  if (read.ec == std::errc() && read.ptr == word.data() + word.size() && status >= 400 && status <= 599) return std::nullopt;
  return "\"" + std::string(how) + "\" is not a way to fail";
}

}  // namespace agentd::endpoint
