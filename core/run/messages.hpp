// Messages of the chat-completions format, built as text, once. A conversation rebuilt from the journal has the same bytes as the
// one it was, so a provider's cache of the prompt still fits.
#pragma once
#include <string>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/event/record.hpp"
#include "core/port/provider.hpp"

namespace agentd::run {

port::Message system_message(std::string_view text);
// The query, and the parameters as a block of JSON under it; "{}" or nothing leaves the block out.
port::Message user_message(std::string_view query, std::string_view params);
port::Message note_message(const event::Json& note);
port::Message assistant_message(std::string_view run, const event::Answered& answered);
port::Message tool_message(std::string_view call_id, const event::Json& content);
// One that is serialised already, as a memory gives it.
port::Message recalled_message(event::Json message);

// call_id() of ids.hpp for a run whose name is at hand as text.
std::string name_call(std::string_view run, int step, int index);

// `top` laid over `base` by its top-level keys; both are JSON objects or empty.
std::string lay_over(std::string_view base, std::string_view top);

}  // namespace agentd::run
