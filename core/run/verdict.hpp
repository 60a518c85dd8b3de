// What follows from a model's answer. Pure.
#pragma once
#include <variant>

#include "core/port/provider.hpp"
#include "core/run/agent.hpp"
#include "core/run/state.hpp"

namespace agentd::run {

struct CallTools {};
struct Final {
  event::Json result;  // where it is not the answer's text: the value that fits the output schema
};
struct AskAgain {
  event::Json note;    // what the model is told
};
struct GiveUp {
  event::Fault fault;
};
using Verdict = std::variant<CallTools, Final, AskAgain, GiveUp>;

// An answer that will not do is asked for once more, with words that say why; the second in a row ends the run.
Verdict judge(const Agent& agent, const State& state, const port::Answer& answer);

// What a run comes to whose final answer has this text, which is `json` as a JSON string.
event::Json result_of(const Agent& agent, std::string_view text, const event::Json& json);

}  // namespace agentd::run
