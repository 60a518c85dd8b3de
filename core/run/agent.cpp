#include "core/run/agent.hpp"

#include <nlohmann/json.hpp>

#include "core/run/messages.hpp"

namespace agentd::run {
namespace {

std::string options_of(const manifest::AgentSpec& spec, std::int64_t output_tokens) {
  event::ObjectWriter options;
  if (spec.model.temperature) options.raw("temperature", nlohmann::json(*spec.model.temperature).dump());
  if (output_tokens > 0) options.number("max_output_tokens", output_tokens);
  if (!spec.model.reasoning_effort.empty()) options.text("reasoning_effort", spec.model.reasoning_effort);
  if (!spec.task.output_schema.empty()) options.raw("output_schema", spec.task.output_schema);
  return options.finish();
}

}  // namespace

Result<AgentRef> make_agent(Parts parts) {
  auto agent = std::make_shared<Agent>(std::move(parts));
  const auto& spec = agent->spec;
  if (spec.task.is_native() ? !agent->task : !agent->endpoint)
    return fail("the agent \"" + spec.agent_id + "\" cannot run: " + (spec.task.is_native() ? "no native task \"" + spec.task.native + '"' : "no provider \"" + spec.model.provider + '"'));
  if (spec.gate && !agent->gate) return fail("the agent \"" + spec.agent_id + "\" cannot run: no native task \"" + spec.gate->native + "\" for its gate");
  if (!spec.system_instruction.empty()) agent->system = system_message(spec.system_instruction);
  if (!spec.task.output_schema.empty()) {
    auto schema = tool::Schema::compile(spec.task.output_schema);
    if (!schema) return fail("task.output_schema: " + schema.error().message);
    agent->output = std::move(*schema);
  }
  agent->day_limits = budget::day_limits(spec, agent->host_cost_per_day);
  agent->output_tokens = spec.model.max_output_tokens;
  if (agent->output_tokens == 0 && !agent->day_limits.empty()) agent->output_tokens = budget::kOutputTokens;
  agent->options = options_of(spec, agent->output_tokens);
  if (agent->endpoint) agent->prices = agent->endpoint->prices(spec.model.model);
  return agent;
}

}  // namespace agentd::run
