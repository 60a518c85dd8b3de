// What is not as it should be now.
#include "host/api/endpoints.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace {

Json alert_view(const alert::Firing& firing) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"rule", firing.name.rule}, {"severity", firing.alert.severity}, {"agent_id", or_null(firing.name.agent_id)}, {"subject", or_null(firing.name.subject)},
          {"summary", firing.alert.summary}, {"since", format_instant(firing.since)}, {"sinks", firing.alert.sinks}};
}

// Cursor is how many alerts the pages before had.
Async<Answer> list_alerts(const Context& context, Request request) {
  const auto limit = limit_of(request, 1000, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto first = offset_of(request);
  if (!first) co_return problem(400, "cursor is what `next` said");
  Page page("alerts", *limit);
  std::size_t seen = 0;
  for (const auto& firing : context.watch.board().firing())
    if (seen++ >= *first && !page.add(alert_view(firing))) co_return page.answer(std::to_string(*first + page.size()));
  co_return page.answer(nullptr);
}

}  // namespace

void add_alerts(Routes& routes, Context& context) {
  routes.add("GET", "/v1/alerts", [&context](Request r) { return list_alerts(context, std::move(r)); }).reading({"limit", "cursor"});
}

}  // namespace agentd::api
