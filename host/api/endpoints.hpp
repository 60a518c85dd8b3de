// The API's endpoints: each group of them adds its routes. The context and what the functions answer with are the engine thread's.
#pragma once
#include "host/api/context.hpp"
#include "host/api/routes.hpp"

namespace agentd::api {

void add_health(Routes& routes, Context& context);    // /healthz /readyz /metrics
void add_agents(Routes& routes, Context& context);    // /v1/status /v1/agents /v1/schedule
void add_agent_control(Routes& routes, Context& context);  // /v1/agents/{id}/pause /resume /stop /start, /-/reload
void add_enrolment(Routes& routes, Context& context);  // POST /v1/agents, PUT, PATCH and DELETE /v1/agents/{id}
void add_runs(Routes& routes, Context& context);      // /v1/agents/{id}/runs /v1/runs
void add_approvals(Routes& routes, Context& context); // /v1/approvals
void add_run_control(Routes& routes, Context& context);  // /v1/runs/{id}/cancel /retry
void add_replay(Routes& routes, Context& context);    // /v1/runs/{id}/replay
void add_batches(Routes& routes, Context& context);   // /v1/agents/{id}/batches /v1/batches
void add_quarantine(Routes& routes, Context& context);  // /v1/quarantine
void add_events(Routes& routes, Context& context);    // /v1/events
void add_catalogue(Routes& routes, Context& context); // /v1/tools /v1/plugins
void add_budgets(Routes& routes, Context& context);   // /v1/budgets
void add_alerts(Routes& routes, Context& context);    // /v1/alerts
void add_memory(Routes& routes, Context& context);    // /v1/memory
void add_hooks(Routes& routes, Context& context);     // /v1/hooks
void add_ledger(Routes& routes, Context& context);    // /v1/ledger
void add_openapi(Routes& routes);                     // /v1/openapi.json

void add_endpoints(Routes& routes, Context& context);  // all of them

}  // namespace agentd::api
