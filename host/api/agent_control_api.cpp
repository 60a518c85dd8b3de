// What people do about agents while the host runs.
#include <array>

#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"
#include "host/api/said.hpp"

namespace agentd::api {
namespace {

using What = event::AgentChanged::What;
using host::Fleet;

Document refused(const Context& context, const Fleet::Refusal& refusal) {
  switch (refusal.why) {
    case Fleet::Refusal::Why::unknown_agent: return unknown_agent(context, refusal.message);
    case Fleet::Refusal::Why::conflict: return problem(409, refusal.message);
    case Fleet::Refusal::Why::ledger: break;
  }
  return ledger_problem(refusal.of_ledger);
}

Async<Answer> change_mode(Context& context, Request request, What what) {
  if (context.draining) co_return problem(503, "the host is stopping");
  auto read = read_said(request, std::array{kBy, kReason});
  if (auto* wrong = std::get_if<Document>(&read)) co_return std::move(*wrong);
  auto said = std::get<Said>(std::move(read));
  for (auto& [name, text] : said) context.ports.cleaner().clean(text);
  const auto agent_id = request.capture("id");
  Fleet::Wish wish{what, std::move(said["by"]), std::move(said["reason"])};
  auto changing = context.fleet.set_mode(agent_id, std::move(wish));
  const auto changed = co_await std::move(changing);
  if (!changed) co_return refused(context, changed.error());
  const auto member = context.roster.find(agent_id);
  if (!member) co_return unknown_agent(context, agent_id);
  co_return document(agent_view(context, *member));
}

Json ids_of(const std::vector<host::MemberRef>& members) {
  Json ids = Json::array();
  for (const auto& member : members) ids.push_back(member->agent_id);
  return ids;
}

Async<Answer> reload(Context& context, Request request) {
  if (auto wrong = read_nothing(request)) co_return std::move(*wrong);
  if (context.draining) co_return problem(503, "the host is stopping");
  auto reading = context.reload.everything();
  const auto read = co_await std::move(reading);
  if (!read.problems.empty()) {
    std::vector<InputError> errors;
    for (const auto& each : read.problems) errors.push_back({"", manifest::to_text(each)});
    co_return problem(422, "nothing was reloaded", errors);
  }
  Json body;
  body["created"] = ids_of(read.changes.created);
  body["updated"] = ids_of(read.changes.updated);
  body["deleted"] = ids_of(read.changes.removed);
  body["refused_agents"] = refused_agents(context);
  auto needs_restart = read.needs_restart;
  for (const auto& outdated : context.ports.catalog().outdated()) needs_restart.push_back(outdated.file.string());
  body["needs_restart"] = needs_restart;
  co_return document(body);
}

}  // namespace

void add_agent_control(Routes& routes, Context& context) {
  const auto mode = [&](const std::string& verb, What what) {
    routes.add("POST", "/v1/agents/{id}/" + verb, [&context, what](Request r) { return change_mode(context, std::move(r), what); });
  };
  mode("pause", What::paused), mode("resume", What::resumed), mode("stop", What::stopped), mode("start", What::started);
  routes.add("POST", "/-/reload", [&context](Request r) { return reload(context, std::move(r)); }, Role::admin);
}

}  // namespace agentd::api
