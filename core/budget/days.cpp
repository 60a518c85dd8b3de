#include "core/budget/days.hpp"

#include <algorithm>

#include "core/budget/limits.hpp"

namespace agentd::budget {
namespace {

std::string amount(bool of_cost, std::int64_t value) { return of_cost ? format_dollars(value) + " dollars" : std::to_string(value) + " tokens"; }

}  // namespace

std::int64_t day_of(Instant at) { return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count(); }
Instant end_of(std::int64_t day) { return Instant(std::chrono::days(day + 1)); }
std::string format_day(std::int64_t day) { return format_instant_s(Instant(std::chrono::days(day))).substr(0, 10); }

std::string account_of(std::string_view agent_id) { return "agent:" + std::string(agent_id); }

std::vector<DayLimit> day_limits(const manifest::AgentSpec& spec, NanoDollars host_cost_per_day) {
  std::vector<DayLimit> limits;
  if (spec.task.is_native()) return limits;
  const port::Spend own{spec.limits.tokens_per_day, spec.limits.cost_per_day};
  if (own != port::Spend{}) limits.push_back({account_of(spec.agent_id), own});
  if (host_cost_per_day > 0) limits.push_back({kHostAccount, {0, host_cost_per_day}});
  return limits;
}

port::Spend most_of(const manifest::Prices* prices, std::int64_t prompt_bytes, std::int64_t output_tokens) {
  port::Spend most{prompt_bytes + output_tokens, 0};
  if (!prices) return most;
  const manifest::Prices dearest{.input = std::max({prices->input, prices->cache_read, prices->cache_write}), .output = prices->output};
  most.cost = cost(dearest, {.input_tokens = prompt_bytes, .output_tokens = output_tokens});
  return most;
}

std::optional<port::Spend> spend_of(const event::Answered& answered) {
  const auto& usage = answered.usage;
  if (!usage || usage->input_tokens < 0 || usage->output_tokens < 0) return std::nullopt;
  return port::Spend{usage->input_tokens + usage->output_tokens, answered.cost};
}

// Endpoints do not charge for what they refuse; an answer that was lost on its way may have been charged for.
std::optional<port::Spend> spend_of(const event::CallFailed& failed) {
  if (failed.failure == port::Failure::answer) return std::nullopt;
  return port::Spend{};
}

std::optional<Exhausted> exhausted(const port::Account& account, const port::Spend& limit, const port::Spend& most) {
  const auto passes = [](std::int64_t used, std::int64_t more, std::int64_t limit_of_it, std::int64_t raised) { return limit_of_it > 0 && used + more > limit_of_it + raised; };
  const auto tokens = account.spent.tokens + account.held.tokens, cost = account.spent.cost + account.held.cost;
  if (passes(tokens, most.tokens, limit.tokens, account.raised.tokens)) return Exhausted{account.name, account.window, false, tokens, limit.tokens + account.raised.tokens, most.tokens};
  if (passes(cost, most.cost, limit.cost, account.raised.cost)) return Exhausted{account.name, account.window, true, cost, limit.cost + account.raised.cost, most.cost};
  return std::nullopt;
}

event::Fault fault_of(const Exhausted& e) {
  const bool of_host = e.account == kHostAccount;
  const std::string key = of_host ? "budget.cost_per_day of the host" : e.of_cost ? "limits.cost_per_day" : "limits.tokens_per_day";
  const auto left = e.fits_no_day() ? "which is more than all of it, " + amount(e.of_cost, e.limit) : amount(e.of_cost, e.used) + " of " + amount(e.of_cost, e.limit) + " are spent or held";
  const std::string remedy = e.fits_no_day() ? ", give a smaller model.max_output_tokens (" + std::to_string(kOutputTokens) + " where the manifest gives none)" : "";
  event::Fault fault{ErrorClass::budget, "the budget of " + e.account + " for " + format_day(e.day) + " has no room for the next model call, which may come to " + amount(e.of_cost, e.most) +
                                             (e.fits_no_day() ? ", " : ": ") + left + "; raise " + key + remedy + ", or this day's with `agentd budgets raise`"};
  fault.exhausted = event::Exhausted{e.account, format_day(e.day), e.of_cost ? "cost" : "tokens", e.used, e.limit};
  return fault;
}

}  // namespace agentd::budget
