#include "core/budget/days.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace {

void add_budget(metrics::Snapshot& now, const std::string& agent, const port::Account& account, const port::Spend& limit) {
  const auto ratio = [](std::int64_t used, std::int64_t of) { return static_cast<double>(used) / static_cast<double>(of); };
  if (limit.tokens > 0) now.budgets.push_back({agent, "tokens", ratio(account.spent.tokens + account.held.tokens, limit.tokens + account.raised.tokens)});
  if (limit.cost > 0) now.budgets.push_back({agent, "cost", ratio(account.spent.cost + account.held.cost, limit.cost + account.raised.cost)});
}

Async<metrics::Snapshot> snapshot(const Context& context) {
  metrics::Snapshot now;
  const auto day = budget::day_of(context.world.clock.now());
  add_budget(now, {}, context.ledger.account(budget::kHostAccount, day), {0, context.config.budget.cost_per_day});
  for (const auto* state : {"idle", "running", "error", "paused", "stopped"}) now.agents_by_state[state] = 0;
  const auto visit = [&](const host::Member& member) {
    const auto& id = member.agent_id;
    ++now.agents_by_state[agent_state(context, member)];
    if (member.day_limit != port::Spend{}) add_budget(now, id, context.ledger.account(budget::account_of(id), day), member.day_limit);
    now.agents.push_back({id, context.ledger.queued(id), member.queue_size, context.slots.next(id)});
    return true;
  };
  auto visiting = each_member(context, std::string(), visit);
  co_await std::move(visiting);
  now.runs_in_flight = context.worker.in_flight();
  now.quarantined_runs = context.journal.quarantine().runs().size();
  now.approvals_pending = context.journal.approvals().open().size();
  const auto& catalog = context.ports.catalog();
  now.plugins_by_state = {{"loaded", static_cast<int>(catalog.libraries().size())}, {"failed", static_cast<int>(catalog.broken().size())}};
  for (const auto& library : catalog.libraries()) now.stale_finishes[library->name] = library->stale_finishes();
  for (const auto& [name, endpoint] : context.ports.endpoints())
    if (endpoint) now.provider_circuit_open[name] = (*endpoint)->down();
  now.leases = context.leases.all();
  now.of_fleet = context.leases.holds(host::kFleetGauges);
  for (const auto& copier : context.copiers)
    if (copier->is_following()) now.event_store_lag_seconds[copier->name()] = copier->lag_seconds();
  for (const auto& [rule, severity] : host::Watch::rules()) now.alerts_firing[{rule, severity}] = 0;
  for (const auto& firing : context.watch.board().firing()) ++now.alerts_firing[{firing.name.rule, firing.alert.severity}];
  now.last_reload_successful = context.reload.is_current();
  now.wal_bytes = context.ledger.vitals().wal_bytes;
  co_return now;
}

Async<Answer> healthz() { co_return Document{200, "text/plain; charset=utf-8", "ok\n"}; }

Async<Answer> readyz(const Context& context) {
  if (context.draining) co_return problem(503, "the host is stopping");
  if (!context.ready) co_return problem(503, "the host is starting");
  if (!context.ledger.accepts()) co_return problem(503, "the ledger takes nothing: its disk is full");
  co_return Document{200, "text/plain; charset=utf-8", "ready\n"};
}

Async<Answer> metrics_text(const Context& context) {
  const auto now = co_await snapshot(context);
  co_return Document{200, "text/plain; version=0.0.4; charset=utf-8", context.metrics.render(now)};
}

}  // namespace

// Probes and scrapers send what they are set up to send everywhere, such as Prometheus its `params`, and a host that refused it would be
// taken for one that is down.
void add_health(Routes& routes, Context& context) {
  routes.add_vital("GET", "/healthz", [](Request) { return healthz(); }).for_any_query();
  routes.add_vital("GET", "/readyz", [&context](Request) { return readyz(context); }).for_any_query();
  routes.add_vital("GET", "/metrics", [&context](Request) { return metrics_text(context); }).for_any_query();
}

}  // namespace agentd::api
