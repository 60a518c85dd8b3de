#include "host/api/agent_view.hpp"

#include <algorithm>

#include "core/budget/days.hpp"
#include "core/manifest/nearest.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kMostRefused = 100;
constexpr std::size_t kMostCompared = 1000;  // names, with one that nobody has

Json interval_of(const manifest::Schedule& schedule) {
  const auto* interval = std::get_if<manifest::Interval>(&schedule.when);
  return interval ? Json(format_duration(interval->every)) : Json();
}
Json cron_of(const manifest::Schedule& schedule) {
  const auto* cron = std::get_if<manifest::Cron>(&schedule.when);
  return cron ? Json(cron->expression) : Json();
}

// The limits that a run of it meets, and what today came to so far: a task without a model spends nothing, and a model without a price costs nothing that is known.
Json budget_of(const Context& context, const manifest::AgentSpec& spec) {
  Json limits = Json::object();
  if (spec.task.is_native()) return limits;
  limits["request_limit"] = spec.limits.request_limit;
  limits["total_tokens_limit"] = spec.limits.total_tokens_limit;
  const auto provider = context.config.providers.find(spec.model.provider);
  if (provider != context.config.providers.end() && provider->second.prices.contains(spec.model.model))
    limits["cost_limit"] = static_cast<double>(spec.limits.cost_limit.value_or(manifest::kDefaultCostLimit)) / 1e9;
  const bool is_limited = spec.limits.tokens_per_day > 0 || spec.limits.cost_per_day > 0;
  const auto today = is_limited ? context.ledger.account(budget::account_of(spec.agent_id), budget::day_of(context.world.clock.now())).spent : context.journal.spent_today().of(spec.agent_id);
  if (spec.limits.tokens_per_day > 0) limits["tokens_per_day"] = spec.limits.tokens_per_day;
  limits["tokens_today"] = today.tokens;
  if (spec.limits.cost_per_day > 0) limits["cost_per_day"] = static_cast<double>(spec.limits.cost_per_day) / 1e9;
  limits["cost_today"] = static_cast<double>(today.cost) / 1e9;
  return limits;
}

// Who left it paused or stopped, when and why.
Json left_by(const Context& context, const host::Member& member) {
  const auto* kept = context.modes.find(member.agent_id);
  if (!kept || kept->mode == host::Mode::active) return Json();
  return {{"since", format_instant(kept->since)}, {"by", text_or_null(kept->by)}, {"reason", text_or_null(kept->reason)}};
}

}  // namespace

std::string agent_state(const Context& context, const host::Member& member) {
  const auto& id = member.agent_id;
  if (member.mode == host::Mode::stopped) return "stopped";  // though what ran may not have ended yet
  if (context.ledger.running(id) > 0) return "running";
  if (!member.enabled) return "stopped";
  if (member.mode == host::Mode::paused) return "paused";
  return context.ledger.stats(id).consecutive_failures > 0 ? "error" : "idle";
}

Document unknown_agent(const Context& context, const std::string& id) {
  for (const auto& refused : context.roster.refused())
    if (refused.agent_id == id) return problem(404, "agent \"" + id + "\" was refused: " + manifest::to_text(refused.problems.front()));
  std::vector<std::string> names;
  if (context.roster.members().size() <= kMostCompared)
    for (const auto& [name, member] : context.roster.members()) names.push_back(name);
  return problem(404, "there is no agent \"" + id + "\"" + manifest::did_you_mean(id, names));
}

Json refused_agents(const Context& context) {
  Json list = Json::array();
  for (const auto& refused : context.roster.refused()) {
    if (list.size() == kMostRefused) break;
    Json problems = Json::array();
    for (const auto& each : refused.problems) problems.push_back(manifest::to_text(each));
    list.push_back({{"agent_id", refused.agent_id}, {"origin", refused.file}, {"problems", problems}});
  }
  return list;
}

Json agent_view(const Context& context, const host::Member& member) {
  const auto spec = member.spec();
  const auto stats = context.ledger.stats(spec.agent_id);
  Json view;
  view["agent_id"] = spec.agent_id;
  view["description"] = text_or_null(spec.description);
  view["state"] = agent_state(context, member);
  view["paused"] = left_by(context, member);
  view["is_running"] = context.ledger.running(spec.agent_id) > 0;
  view["is_scheduled"] = member.starts_by_itself() && member.schedule.has_value();
  view["run_count"] = stats.run_count;
  view["error_count"] = stats.error_count;
  view["consecutive_failures"] = stats.consecutive_failures;
  view["last_run"] = instant(stats.last_run);
  view["next_run"] = instant(context.slots.next(spec.agent_id));
  view["last_error"] = text_or_null(stats.last_error);
  view["session_id"] = spec.memory.session.scope == manifest::Session::Scope::run     ? Json()
                       : spec.memory.session.scope == manifest::Session::Scope::fixed ? Json(spec.memory.session.name)
                                                                                      : Json(spec.agent_id);
  view["available_tools"] = member.means->tools;
  view["event_store"] = context.config.events.stores;
  view["memory_store"] = spec.memory.store.empty() ? context.config.memory.store : spec.memory.store;
  view["queue_depth"] = context.ledger.queued(spec.agent_id);
  view["interval"] = interval_of(spec.schedule);
  view["cron"] = cron_of(spec.schedule);
  view["origin"] = member.file;
  view["revision"] = member.revision;
  view["labels"] = spec.labels;
  view["budget"] = budget_of(context, spec);
  return view;
}

}  // namespace agentd::api
