#include "host/api/event_filter.hpp"

#include <algorithm>

namespace agentd::api {

bool EventFilter::fits(const port::Event& event) const {
  const auto is = [](const std::string& wanted, const std::string& given) { return wanted.empty() || wanted == given; };
  return is(agent, event.agent_id) && is(run, event.run_id) && is(session, event.session_id) &&
         (types.empty() || std::ranges::find(types, event.type) != types.end());
}

Position EventFilter::begin(EventPlace since) const {
  const auto first = std::max(since.position, parse_run_id(run).value_or(RunId()).position);
  return std::max<Position>(first - 1, 0);
}

}  // namespace agentd::api
