#include "tests/sim/agents.hpp"

namespace agentd::sim {
namespace {

using namespace std::chrono;
using port::Overlap;

// Of a day: some have none, some hardly ever use them up, some do soon.
void budgets(Dice& dice, manifest::AgentSpec& spec) {
  spec.model.max_output_tokens = 200;
  if (dice.percent(35)) spec.limits.tokens_per_day = dice.of<std::int64_t>({8'000, 30'000, 100'000});
  if (dice.percent(35)) spec.limits.cost_per_day = dice.of<NanoDollars>({30'000'000, 100'000'000, 400'000'000});
  if (dice.percent(60)) spec.limits.on_budget = manifest::OnBudget::park;
}

manifest::AgentSpec of_any_kind(Dice& dice, std::string id) {
  manifest::AgentSpec spec;
  spec.agent_id = std::move(id);
  spec.model = {.provider = kModel, .model = "m"};
  spec.task.query = "what is to be done?";
  spec.task.timeout = dice.of<Millis>({20s, 60s, 120s});
  if (dice.percent(30)) spec.task.deadline = dice.of<Millis>({60s, 300s});
  spec.retry = {.max_retries = static_cast<std::int64_t>(dice.below(4)),
                .delay = dice.of<Millis>({2s, 10s}),
                .max_delay = 30s,
                .jitter = 0.2};
  spec.limits.queue_size = dice.of<std::int64_t>({2, 5, 100});
  spec.limits.max_concurrent = dice.of<std::int64_t>({1, 2, 4});
  spec.limits.max_steps = dice.of<std::int64_t>({3, 6});
  spec.limits.request_limit = dice.of<std::int64_t>({3, 6, 50});
  spec.limits.max_crashes = dice.of<std::int64_t>({2, 3, 5});
  spec.limits.tool_call_timeout = dice.of<Millis>({3s, 10s});
  spec.limits.parallel_tools = dice.of<std::int64_t>({1, 2, 4});
  spec.memory.window = 4;
  if (dice.percent(30)) spec.memory.session.scope = manifest::Session::Scope::run;
  if (dice.percent(25)) spec.memory.learn = {"long_term"};
  spec.tools.allow = {std::string(kTools) + ".*"};
  spec.tools.deny = {std::string(kTools) + ".never"};
  if (dice.percent(40)) spec.tools.ask = {std::string(kTools) + ".pay"};
  spec.tools.approval_timeout = dice.of<Millis>({20s, 300s});
  spec.tools.on_unknown_outcome =
      dice.of({manifest::OnUnknownOutcome::tell_model, manifest::OnUnknownOutcome::fail, manifest::OnUnknownOutcome::park});
  budgets(dice, spec);
  if (dice.percent(40)) spec.deliver = {{.sinks = {kSink}, .on = {"completed", "failed", "timed_out", "quarantined"}}};
  return spec;
}

void slots(Dice& dice, manifest::AgentSpec& spec) {
  spec.schedule.overlap = dice.of({Overlap::skip, Overlap::queue, Overlap::cancel_previous, Overlap::allow});
  spec.schedule.misfire =
      dice.of({manifest::Misfire::latest, manifest::Misfire::latest, manifest::Misfire::skip, manifest::Misfire::all});
  if (dice.percent(25)) spec.schedule.catchup_window = dice.of<Millis>({90s, 600s});
  if (dice.percent(40)) spec.schedule.jitter = dice.of<Millis>({2s, 30s});
}

}  // namespace

// Minutes before what is to happen soon: the change itself, or the times of day that come twice or never.
Instant beginning(Dice& dice) {
  const Millis before = dice.between(0min, 8min), hour = dice.of<Millis>({0min, 0min, 30min, -30min});
  switch (dice.below(4)) {
    case 0:
      return sys_days(2026y / 10 / 25) + 1h + hour - before;  // Berlin's clocks go back at 01:00
    case 1:
      return sys_days(2026y / 3 / 29) + 1h + hour - before;  // and forward
    case 2:
      return sys_days(2026y / 11 / 1) + 6h + hour - before;  // New York's go back at 06:00
    default:
      return dice.percent(50) ? sys_days(2026y / 1 / 2) - before  // a day's budgets end
                              : sys_days(2026y / 1 / 1) + dice.between(0min, 24h);
  }
}

std::vector<manifest::AgentSpec> make_agents(Dice& dice, Instant begin) {
  std::vector<manifest::AgentSpec> agents;
  for (int i = 0; i < 2; ++i) {
    auto& spec = agents.emplace_back(of_any_kind(dice, "every" + std::to_string(i)));
    slots(dice, spec);
    spec.schedule.when = manifest::Interval{dice.of<Millis>({20s, 37s, 60s})};
    if (dice.percent(30)) spec.schedule.start = begin + dice.between(0s, 300s);
    if (dice.percent(30)) spec.schedule.run_on_start = true;
    if (dice.percent(40)) spec.gate = manifest::Gate{.native = kGate};
  }
  auto& cron = agents.emplace_back(of_any_kind(dice, "cron"));
  slots(dice, cron);
  cron.schedule.when = manifest::Cron{dice.of<const char*>({"* * * * *", "*/2 * * * *", "30 2 * * *", "0,20,40 * * * *"})};
  cron.schedule.timezone = dice.of<const char*>({"Europe/Berlin", "America/New_York", "UTC"});
  auto& native = agents.emplace_back(of_any_kind(dice, "native"));
  slots(dice, native);
  native.schedule.when = manifest::Interval{dice.of<Millis>({30s, 120s})};
  native.task.query.clear();
  native.task.native = kTask;
  agents.push_back(of_any_kind(dice, kFollower));
  for (int i = 0; i < 2; ++i) agents.push_back(of_any_kind(dice, "asked" + std::to_string(i)));
  return agents;
}

NanoDollars make_host_limit(Dice& dice) { return dice.of<NanoDollars>({0, 0, 200'000'000, 600'000'000}); }

}  // namespace agentd::sim
