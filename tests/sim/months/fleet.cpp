#include "tests/sim/months/fleet.hpp"

namespace agentd::sim::months {
namespace {

using namespace std::chrono;
using port::Overlap;

// A fifth of them each hour, a fifth each week. Where a day has 23 or 25 hours some of these fall into the hour that is left out
// or comes twice.
manifest::Schedule when(Dice& dice, std::size_t nth) {
  manifest::Schedule schedule;
  const auto minute = std::to_string(dice.below(60));
  const auto every = [&](Millis time) { schedule.when = manifest::Interval{time}; };
  const auto cron = [&](const std::string& expression) { schedule.when = manifest::Cron{expression}; };
  const bool by_clock = dice.percent(60);
  switch (nth % 5) {
    case 0:
      by_clock ? cron(minute + " * * * *") : every(1h);
      break;
    case 1:
      by_clock ? cron(minute + " */2 * * *") : every(dice.of<Millis>({90min, 2h, 3h}));
      break;
    case 2:
      by_clock ? cron(minute + " 1-23/6 * * *") : every(dice.of<Millis>({5h, 8h}));
      break;
    case 3:
      by_clock ? cron(minute + ' ' + dice.of<const char*>({"1", "2", "3", "0"}) + " * * *") : every(24h);
      break;
    default:
      by_clock ? cron(minute + ' ' + dice.of<const char*>({"2 * * SUN", "9 * * MON", "3 1,15 * *"})) : every(168h);
  }
  schedule.timezone = dice.of<const char*>(
      {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Europe/London", "America/Santiago", "Asia/Kolkata", "UTC"});
  return schedule;
}

void rules(Dice& dice, manifest::Schedule& schedule) {
  schedule.overlap = dice.of({Overlap::skip, Overlap::queue, Overlap::allow});
  schedule.misfire = dice.of({manifest::Misfire::latest, manifest::Misfire::skip, manifest::Misfire::all});
  if (dice.percent(50)) schedule.catchup_window = dice.of<Millis>({10min, 2h, 12h, 72h});
  if (dice.percent(40)) schedule.jitter = dice.of<Millis>({30s, 10min});
}

}  // namespace

std::vector<manifest::AgentSpec> make_fleet(Dice& dice, std::size_t size) {
  std::vector<manifest::AgentSpec> fleet;
  for (std::size_t i = 0; i < size; ++i) {
    auto& spec = fleet.emplace_back();
    spec.agent_id = (dice.percent(10) ? "slow" : "agent") + std::to_string(i);
    spec.schedule = when(dice, i);
    rules(dice, spec.schedule);
    if (dice.percent(50)) {
      spec.task.native = kTask;
    } else {
      spec.model = {.provider = kModel, .model = "m", .max_output_tokens = 200};
      spec.task.query = "what is new?";
      if (dice.percent(30)) spec.limits.tokens_per_day = dice.of<std::int64_t>({2'000, 100'000});
      if (dice.percent(50)) spec.limits.on_budget = manifest::OnBudget::park;
    }
    spec.task.timeout = 6h;
    if (dice.percent(25)) spec.gate = manifest::Gate{.native = kTask};
    spec.limits.queue_size = dice.of<std::int64_t>({1, 3, 100});
    spec.limits.max_concurrent = dice.of<std::int64_t>({1, 1, 2});
    spec.memory.session.scope = manifest::Session::Scope::run;
  }
  return fleet;
}

}  // namespace agentd::sim::months
