#include "host/check_cost.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

namespace agentd::host {
namespace {
using Json = nlohmann::ordered_json;

struct Total {
  std::uint64_t runs = 0;
  std::optional<NanoDollars> per_day = 0;  // nothing: one of them has no limit
};

Total total_of(const std::vector<AgentCost>& agents, NanoDollars host_per_day) {
  Total total;
  for (const auto& [agent_id, forecast] : agents) {
    total.runs += forecast.runs;
    if (!forecast.per_day) total.per_day.reset();
    else if (total.per_day && *forecast.per_day <= INT64_MAX - *total.per_day) *total.per_day += *forecast.per_day;
  }
  if (host_per_day > 0) total.per_day = std::min(total.per_day.value_or(host_per_day), host_per_day);
  return total;
}

std::string amount(const budget::Forecast& forecast, const std::optional<NanoDollars>& value) {
  if (!forecast.priced) return "no price";
  return value ? "$" + format_dollars(*value) : "no limit";
}

Json dollars_or_null(const std::optional<NanoDollars>& value) { return value ? Json(static_cast<double>(*value) / 1e9) : Json(); }

}  // namespace

AgentCost cost_of(const manifest::AgentSpec& spec, const manifest::HostConfig& config, Instant now) {
  const auto schedule = schedule::make_schedule(spec.schedule);
  const auto provider = config.providers.find(spec.model.provider);
  const manifest::Prices* prices = nullptr;
  if (provider != config.providers.end())
    if (const auto found = provider->second.prices.find(spec.model.model); found != provider->second.prices.end()) prices = &found->second;
  return {spec.agent_id, budget::forecast(spec, schedule ? *schedule : std::nullopt, prices, now)};
}

Json costs_json(const std::vector<AgentCost>& agents, NanoDollars host_per_day) {
  Json list = Json::array();
  for (const auto& [agent_id, forecast] : agents)
    list.push_back({{"agent_id", agent_id}, {"runs_per_day", forecast.runs}, {"for_memory", forecast.for_memory}, {"priced", forecast.priced}, {"cost_per_run", dollars_or_null(forecast.per_run)}, {"cost_per_day", dollars_or_null(forecast.per_day)}});
  const auto total = total_of(agents, host_per_day);
  return {{"agents", list}, {"runs_per_day", total.runs}, {"cost_per_day", dollars_or_null(total.per_day)}};
}

void print_costs(const std::vector<AgentCost>& agents, NanoDollars host_per_day, const cli::Output& to) {
  cli::Table table({{"agent", cli::Cut::never}, "runs a day", "for memory", "a run at most", "a day at most"});
  for (const auto& [agent_id, forecast] : agents) table.row({agent_id, std::to_string(forecast.runs), forecast.for_memory == 0 ? "-" : "+" + std::to_string(forecast.for_memory) + " each", amount(forecast, forecast.per_run), amount(forecast, forecast.per_day)});
  const auto total = total_of(agents, host_per_day);
  table.row({"all", std::to_string(total.runs), "", "", total.per_day ? "$" + format_dollars(*total.per_day) : "no limit"});
  auto with_header = to.terminal;
  with_header.is_terminal = true;  // for people, wherever it goes; programs have --json
  to.out << table.text(with_header) << "Runs are those of schedules; what people and triggers ask for comes on top. A run ends when its limit is reached, so its last call may\n"
            "pass it; limits of a day are not passed. Behind a run there may be runs for memory, with the same limits: one that makes a summary\n"
            "(memory.summarize; mostly behind every fifth run or fewer), one that learns (memory.learn).\n";
}

}  // namespace agentd::host
