#include "host/api/endpoints.hpp"

#include "host/api/web_api.hpp"

namespace agentd::api {

void add_endpoints(Routes& routes, Context& context) {
  add_health(routes, context);
  add_agents(routes, context);
  add_agent_control(routes, context);
  add_enrolment(routes, context);
  add_runs(routes, context);
  add_run_control(routes, context);
  add_replay(routes, context);
  add_approvals(routes, context);
  add_batches(routes, context);
  add_quarantine(routes, context);
  add_events(routes, context);
  add_catalogue(routes, context);
  add_budgets(routes, context);
  add_alerts(routes, context);
  add_memory(routes, context);
  add_hooks(routes, context);
  add_ledger(routes, context);
  add_openapi(routes);
  add_web(routes);
}

}  // namespace agentd::api
