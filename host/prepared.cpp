#include "host/prepared.hpp"

namespace agentd::host {

run::AgentRef Prepared::find(const Revision& revision) {
  const auto found = places_.find(revision);
  if (found == places_.end()) return nullptr;
  latest_.splice(latest_.begin(), latest_, found->second);
  return found->second->second;
}

void Prepared::keep(const Revision& revision, run::AgentRef agent) {
  if (find(revision)) return;  // two runs began at once
  latest_.emplace_front(revision, std::move(agent));
  places_.emplace(revision, latest_.begin());
  if (latest_.size() <= most_) return;
  places_.erase(latest_.back().first);
  latest_.pop_back();
}

}  // namespace agentd::host
