// Reading what a chat-completions endpoint says. Every function throws sdk::Error on what it cannot read.
#pragma once
#include <agentd/sdk/provider.hpp>

#include <string_view>

namespace agentd::openai {

sdk::ModelAnswer read_answer(std::string_view body);
sdk::Usage read_usage(sdk::Json usage);

// How an answer ended, where the endpoint says (some say "stop" beside tool calls, some nothing).
sdk::Finish finish_of(std::string_view reason, bool has_calls);

// The text of a message's content: a string, null, or parts.
std::string read_content(sdk::Json content);

}  // namespace agentd::openai
