// What a run may use, and what it has used. Pure functions over plain values.
#pragma once
#include <optional>

#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/manifest/host_config.hpp"

namespace agentd::budget {

// What a model call costs. Tokens the endpoint did not name count nothing; what was read from or written to a cache is part of the
// input and has its own price. Rounded up to a whole nano-dollar.
NanoDollars cost(const manifest::Prices& prices, const port::Usage& usage);

// Adds what an embedding took: tokens and money, but no model call.
void add(event::Totals& totals, const event::Embedding& embedding);
// Adds a model call that has answered.
void add(event::Totals& totals, const event::Answered& answered);
// Adds one that was sent and failed. What an endpoint refuses for its account's sake does not count: such a run waits.
void add(event::Totals& totals, const event::CallFailed& failed);
// Adds one whose answer was lost: it may have been paid for.
void add_unknown(event::Totals& totals);
// Leaves what came after `before`.
void take_away(event::Totals& totals, const event::Totals& before);

// An estimate of the tokens that no endpoint named.
struct Unsaid {
  std::int64_t input_tokens = 0, output_tokens = 0;
  std::int64_t tokens() const { return input_tokens + output_tokens; }
  friend Unsaid operator+(const Unsaid& a, const Unsaid& b) { return {a.input_tokens + b.input_tokens, a.output_tokens + b.output_tokens}; }
  bool operator==(const Unsaid&) const = default;
};

// Whether a run may begin model call number `step` (from 1) after what it has used; else why it ends. What was not said counts for the
// limits on tokens and cost alone; prices: the model's, if it has any.
std::optional<event::Fault> refusal(const manifest::Limits& limits, const event::Totals& used, const Unsaid& unsaid, const manifest::Prices* prices, int step);

}  // namespace agentd::budget
