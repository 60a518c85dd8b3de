#include "core/run/agent_state.hpp"

#include "core/event/json_fields.hpp"

namespace agentd::run {
namespace {

constexpr std::string_view kGate = "agentd.gate", kTask = "agentd.task", kGateRun = "agentd.gate_run";

std::string or_null(std::string_view json) { return json.empty() ? "null" : std::string(json); }

// The state of an agent without a gate is its task's alone, whatever it looks like.
std::optional<event::ObjectReader> two_parts(std::string_view kept) {
  auto both = event::ObjectReader::open(kept);
  if (both && (both->has(kGate) || both->has(kTask))) return both;
  return std::nullopt;
}

}  // namespace

std::string task_state(std::string_view kept) {
  const auto both = two_parts(kept);
  return or_null(both ? both->raw(kTask) : kept);
}

std::string gate_state(std::string_view kept) {
  const auto both = two_parts(kept);
  return or_null(both ? both->raw(kGate) : std::string_view());
}

std::string state_with_gate(std::string_view kept, std::optional<std::string_view> task, std::optional<GateLeft> gate) {
  const auto before = two_parts(kept);
  const auto left_by = before ? before->number(kGateRun) : 0;
  if (gate && gate->run < left_by) gate.reset();
  event::ObjectWriter both;
  both.raw(kGate, gate ? std::string(gate->state) : gate_state(kept)).number(kGateRun, gate ? gate->run : left_by);
  both.raw(kTask, task ? std::string(*task) : task_state(kept));
  return both.finish();
}

}  // namespace agentd::run
