// What the endpoint must know of a request's body. As strict as the strictest real one: a lenient double hides mistakes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace agentd::endpoint {

struct Conversation {
  std::string model;
  bool stream = false;
  bool include_usage = false;
  int messages = 0;
  int rounds = 0;                     // assistant messages since the last one of the user's
  std::string first_tool;             // empty: none offered
  std::string_view last_tool_result;  // the inside of its JSON string, still escaped; empty when the last message is not a tool's
  std::uint64_t fingerprint = 0;      // of the messages: the same request again has the same
};

// The conversation, or what is wrong with the request.
std::variant<Conversation, std::string> read_conversation(std::string_view body);

}  // namespace agentd::endpoint
