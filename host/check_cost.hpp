// `agentd check --cost`: runs and at most how much a day.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/budget/forecast.hpp"
#include "host/cli/client.hpp"

namespace agentd::host {

struct AgentCost {
  std::string agent_id;
  budget::Forecast forecast;
};

AgentCost cost_of(const manifest::AgentSpec& spec, const manifest::HostConfig& config, Instant now);
nlohmann::ordered_json costs_json(const std::vector<AgentCost>& agents, NanoDollars host_per_day);
void print_costs(const std::vector<AgentCost>& agents, NanoDollars host_per_day, const cli::Output& to);

}  // namespace agentd::host
