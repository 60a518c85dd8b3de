#pragma once
#include <string>

#include "host/api/context.hpp"
#include "host/api/page.hpp"

namespace agentd::api {

// idle, running, error, paused or stopped. `error`: the latest run failed.
std::string agent_state(const Context& context, const host::Member& member);
// 404, with the reason when it was refused.
Document unknown_agent(const Context& context, const std::string& agent_id);
// The first hundred, with what is wrong with their manifests.
Json refused_agents(const Context& context);
Json agent_view(const Context& context, const host::Member& member);
// What If-Match compares.
inline std::string revision_tag(const host::Member& member) { return '"' + std::to_string(member.revision) + '"'; }

// Calls visit(member) for every agent after an id, in order, until it answers false; others have their turn in between. What visit refers
// to outlives the visits.
template <class Visit>
Async<void> each_member(const Context& context, std::string after, Visit visit) {
  constexpr int kAtOnce = 32;
  const auto& members = context.roster.members();
  for (auto at = members.upper_bound(after); at != members.end();) {
    for (int i = 0; i < kAtOnce && at != members.end(); ++i, ++at) {
      after = at->first;
      if (!visit(*at->second)) co_return;
    }
    co_await give_way(context.world.executor);
    at = members.upper_bound(after);
  }
}

}  // namespace agentd::api
