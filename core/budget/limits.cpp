#include "core/budget/limits.hpp"

#include <algorithm>

namespace agentd::budget {
namespace {

constexpr NanoDollars kTokensOfAPrice = 1'000'000;

std::int64_t known(std::int64_t tokens) { return std::max<std::int64_t>(tokens, 0); }

event::Fault spent(std::string what, std::string limit, std::string key, event::Exhausted exhausted) {
  return {ErrorClass::budget, "the run has used " + std::move(what) + " and its limit is " + std::move(limit) + "; raise limits." + std::move(key) + " to let it go on", std::move(exhausted)};
}

}  // namespace

NanoDollars cost(const manifest::Prices& prices, const port::Usage& usage) {
  const auto read = known(usage.cache_read_tokens), written = known(usage.cache_write_tokens);
  const auto fresh = known(usage.input_tokens - read - written);
  const __int128 sum = static_cast<__int128>(fresh) * prices.input + static_cast<__int128>(read) * prices.cache_read +
                       static_cast<__int128>(written) * prices.cache_write + static_cast<__int128>(known(usage.output_tokens)) * prices.output;
  return static_cast<NanoDollars>((sum + kTokensOfAPrice - 1) / kTokensOfAPrice);
}

void add(event::Totals& totals, const event::Embedding& embedding) {
  totals.input_tokens += known(embedding.tokens);
  totals.cost += embedding.cost;
}

void add(event::Totals& totals, const event::Answered& answered) {
  ++totals.requests;
  totals.cost += answered.cost;
  if (!answered.usage) return;
  totals.input_tokens += known(answered.usage->input_tokens);
  totals.output_tokens += known(answered.usage->output_tokens);
  totals.cache_read_tokens += known(answered.usage->cache_read_tokens);
  totals.cache_write_tokens += known(answered.usage->cache_write_tokens);
  totals.reasoning_tokens += known(answered.usage->reasoning_tokens);
}

void add(event::Totals& totals, const event::CallFailed& failed) {
  const bool for_its_account = failed.failure == port::Failure::credentials || failed.failure == port::Failure::quota;
  if (!for_its_account) ++totals.requests;
}

void add_unknown(event::Totals& totals) {
  ++totals.requests;
  ++totals.unknown;
}

void take_away(event::Totals& totals, const event::Totals& before) {
  totals.requests -= before.requests, totals.unknown -= before.unknown, totals.cost -= before.cost;
  totals.input_tokens -= before.input_tokens, totals.output_tokens -= before.output_tokens;
  totals.cache_read_tokens -= before.cache_read_tokens, totals.cache_write_tokens -= before.cache_write_tokens;
  totals.reasoning_tokens -= before.reasoning_tokens;
}

std::optional<event::Fault> refusal(const manifest::Limits& limits, const event::Totals& used, const Unsaid& unsaid, const manifest::Prices* prices, int step) {
  const auto tokens = used.input_tokens + used.output_tokens + unsaid.tokens();
  const auto unsaid_cost = prices ? cost(*prices, {.input_tokens = unsaid.input_tokens, .output_tokens = unsaid.output_tokens}) : 0;
  const auto whole_cost = used.cost + unsaid_cost;
  const auto cost_limit = limits.cost_limit.value_or(manifest::kDefaultCostLimit);
  if (limits.max_steps > 0 && step > limits.max_steps)
    return event::Fault{ErrorClass::loop, "no final answer after " + std::to_string(limits.max_steps) + " steps; raise limits.max_steps if the task needs more"};
  if (limits.request_limit > 0 && used.requests >= limits.request_limit)
    return spent(std::to_string(used.requests) + " model calls", std::to_string(limits.request_limit), "request_limit", {"run", "run", "requests", used.requests, limits.request_limit});
  if (limits.total_tokens_limit > 0 && tokens >= limits.total_tokens_limit)
    return spent((unsaid.tokens() > 0 ? "about " : "") + std::to_string(tokens) + " tokens", std::to_string(limits.total_tokens_limit), "total_tokens_limit",
                 {"run", "run", "tokens", tokens, limits.total_tokens_limit});
  if (cost_limit > 0 && whole_cost >= cost_limit)
    return spent((unsaid_cost > 0 ? "about " : "") + format_dollars(whole_cost) + " dollars", format_dollars(cost_limit), "cost_limit", {"run", "run", "cost", whole_cost, cost_limit});
  return std::nullopt;
}

}  // namespace agentd::budget
