// What an agent may come to in a day, before it has run once. Pure functions.
#pragma once
#include <cstdint>
#include <optional>

#include "core/manifest/agent_spec.hpp"
#include "core/manifest/host_config.hpp"
#include "core/schedule/schedule.hpp"

namespace agentd::budget {

// Slots on the busiest of seven UTC days, today the first, or on the day of the next slot when none of them has any.
std::uint64_t runs_per_day(const schedule::Schedule& schedule, Instant now);

struct Forecast {
  std::uint64_t runs = 0;             // per day, by its schedule; people, triggers and retries come on top
  int for_memory = 0;                 // runs for its memory behind each of them, at most; each has the run's limits
  bool priced = true;                 // false: nobody knows what a call costs
  std::optional<NanoDollars> per_run; // nothing: no limit
  std::optional<NanoDollars> per_day; // likewise
};
// prices: of the agent's model; null where there are none. A native task costs nothing.
Forecast forecast(const manifest::AgentSpec& spec, const std::optional<schedule::Schedule>& schedule, const manifest::Prices* prices, Instant now);

}  // namespace agentd::budget
