// What is not as it should be now.
#include "host/api/endpoints.hpp"
#include "host/api/page.hpp"

namespace agentd::api {
namespace {

Json alert_view(const alert::Firing& firing) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"rule", firing.name.rule}, {"severity", firing.alert.severity}, {"agent_id", or_null(firing.name.agent_id)}, {"subject", or_null(firing.name.subject)},
          {"summary", firing.alert.summary}, {"since", format_instant(firing.since)}, {"sinks", firing.alert.sinks}};
}

// All there are, which are at most a thousand.
Async<Answer> list_alerts(const Context& context) {
  Page page("alerts", alert::Board::kMostFiring);
  for (const auto& firing : context.watch.board().firing()) page.add(alert_view(firing));
  co_return page.answer(Json());
}

}  // namespace

void add_alerts(Routes& routes, Context& context) {
  routes.add("GET", "/v1/alerts", [&context](Request) { return list_alerts(context); });
}

}  // namespace agentd::api
