#include <unistd.h>

#include <algorithm>

#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/problem.hpp"
#include "host/version.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kMostAgents = 1000;  // of a page

// By id; cursor is the last id of the page before. Answers what next is.
Async<Json> fill(const Context& context, Page& page, std::string cursor) {
  Json next;
  std::string last;
  const auto visit = [&](const host::Member& member) {
    const bool added = page.add(agent_view(context, member));
    if (added) last = member.agent_id;
    else next = last;
    return added;
  };
  auto filling = each_member(context, std::move(cursor), visit);
  co_await std::move(filling);
  co_return next;
}

double in_seconds(Millis duration) { return std::chrono::duration<double>(duration).count(); }

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// This host; and where others share its ledger all of them, as the ledger knows them.
Async<Json> replicas(const Context& context) {
  Json own = {{"host", host_name()}, {"process", ::getpid()}, {"version", kVersion}, {"started_at", format_instant(context.started_at)}, {"is_this", true}, {"draining", context.draining}};
  const auto sessions = co_await context.sharing.sessions();
  if (!sessions || sessions->empty()) co_return Json::array({own});
  Json all = Json::array();
  for (const auto& session : *sessions) {
    Json one = {{"id", session.id}, {"host", session.host}, {"process", session.process}, {"version", session.version}, {"started_at", format_instant(session.since)}, {"is_this", session.is_this}};
    if (session.is_this) one.update(own);
    one["lease_age"] = in_seconds(session.lease_age);
    one["clock_ahead"] = in_seconds(session.clock_ahead);
    one["leases"] = session.leases;
    all.push_back(std::move(one));
  }
  co_return all;
}

Async<Answer> status(Context& context, Request request) {
  const auto limit = limit_of(request, kMostAgents, kMostAgents);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  std::size_t running = 0, queued = 0, paused = 0;
  const auto count = [&](const host::Member& member) {
    running += context.ledger.running(member.agent_id) > 0 ? 1 : 0;
    queued += context.ledger.queued(member.agent_id);
    paused += member.enabled && member.mode == host::Mode::paused ? 1 : 0;
    return true;
  };
  auto counting = each_member(context, std::string(), count);
  co_await std::move(counting);
  Page page("agents", *limit);
  auto filling = fill(context, page, request.parameter("cursor"));
  const auto next = co_await std::move(filling);
  const auto uptime = std::chrono::floor<std::chrono::seconds>(context.world.clock.now() - context.started_at).count();
  Json body;
  body["total_agents"] = context.roster.members().size();
  body["running_agents"] = running;
  body["paused_agents"] = paused;
  body["total_refused_agents"] = context.roster.refused().size();
  body["refused_agents"] = refused_agents(context);
  body["queue_depth"] = queued;
  body["uptime"] = uptime;
  auto listing = replicas(context);
  body["replicas"] = co_await std::move(listing);
  co_return page.answer(next, body);
}

Async<Answer> list_agents(Context& context, Request request) {
  const auto limit = limit_of(request, 100, kMostAgents);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  Page page("agents", *limit);
  auto filling = fill(context, page, request.parameter("cursor"));
  const auto next = co_await std::move(filling);
  co_return page.answer(next);
}

Async<Answer> show_agent(Context& context, Request request) {
  const auto member = context.roster.find(request.capture("id"));
  if (!member) co_return unknown_agent(context, request.capture("id"));
  auto view = agent_view(context, *member);
  view["manifest"] = raw(member->manifest);  // as it is in force: with [defaults], and with the content of the files that it names
  auto answer = document(view);
  answer.headers.emplace_back("ETag", revision_tag(*member));
  co_return answer;
}

Async<Answer> slots(Context& context, Request request) {
  const auto member = context.roster.find(request.capture("id"));
  if (!member) co_return unknown_agent(context, request.capture("id"));
  auto count = request;
  std::erase_if(count.query, [](const auto& p) { return p.first == "limit"; });
  for (auto& [name, value] : count.query)
    if (name == "count") name = "limit";
  const auto wanted = limit_of(count, 5, 1000);
  if (!wanted) co_return problem(400, "count is a number from 1 to 1000");
  Json list = Json::array();
  auto after = context.world.clock.now();
  while (member->starts_by_itself() && member->schedule && list.size() < *wanted) {
    const auto slot = schedule::next_slot(*member->schedule, after);
    if (!slot) break;
    list.push_back({{"scheduled_at", format_instant_s(*slot)}});
    after = *slot;
    if (list.size() % 16 == 0) co_await give_way(context.world.executor);
  }
  co_return document({{"agent_id", member->agent_id}, {"slots", list}, {"next", nullptr}});
}

}  // namespace

void add_agents(Routes& routes, Context& context) {
  routes.add("GET", "/v1/status", [&context](Request r) { return status(context, std::move(r)); }).reading({"limit", "cursor"});
  routes.add("GET", "/v1/agents", [&context](Request r) { return list_agents(context, std::move(r)); }).reading({"limit", "cursor"});
  routes.add("GET", "/v1/agents/{id}", [&context](Request r) { return show_agent(context, std::move(r)); });
  routes.add("GET", "/v1/schedule/{id}", [&context](Request r) { return slots(context, std::move(r)); }).reading({"count"});
}

}  // namespace agentd::api
