#include "core/budget/forecast.hpp"

#include <algorithm>

namespace agentd::budget {

std::uint64_t runs_per_day(const schedule::Schedule& schedule, Instant now) {
  const auto slots_on = [&schedule](std::chrono::sys_days day) {
    const Instant before = Instant(day) - Millis(1);
    return schedule::count_slots(schedule, before, before + std::chrono::days(1)).count;
  };
  const auto today = std::chrono::floor<std::chrono::days>(now);
  std::uint64_t most = 0;
  for (int day = 0; day < 7; ++day) most = std::max(most, slots_on(today + std::chrono::days(day)));
  if (most > 0) return most;
  const auto next = schedule::next_slot(schedule, now);
  return next ? slots_on(std::chrono::floor<std::chrono::days>(*next)) : 0;
}

Forecast forecast(const manifest::AgentSpec& spec, const std::optional<schedule::Schedule>& schedule, const manifest::Prices* prices, Instant now) {
  Forecast found;
  found.runs = schedule && spec.enabled ? runs_per_day(*schedule, now) : 0;
  if (spec.task.is_native()) {
    found.per_run = found.per_day = 0;
    return found;
  }
  found.priced = prices != nullptr;
  if (!found.priced) return found;
  const bool summarizes = spec.memory.summarize && spec.memory.window > 0 && spec.memory.session.scope != manifest::Session::Scope::run;
  found.for_memory = (summarizes ? 1 : 0) + (spec.memory.learn.empty() ? 0 : 1);
  const auto& limits = spec.limits;
  const auto per_run = limits.cost_limit.value_or(manifest::kDefaultCostLimit);
  if (per_run > 0) {
    found.per_run = per_run;
    const __int128 all = static_cast<__int128>(per_run) * found.runs * (1 + found.for_memory);
    found.per_day = static_cast<NanoDollars>(std::min<__int128>(all, INT64_MAX));
  }
  if (limits.cost_per_day > 0) found.per_day = std::min(found.per_day.value_or(limits.cost_per_day), limits.cost_per_day);
  return found;
}

}  // namespace agentd::budget
