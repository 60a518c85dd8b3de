#include "core/net/name_gate.hpp"

namespace agentd::net {

bool NameGate::enter(const std::string& name, Id id) {
  auto& host = hosts_[name];
  if (host.inside < kLookups) {
    ++host.inside;
    return true;
  }
  host.waiting.push_back(id);
  return false;
}

std::vector<NameGate::Id> NameGate::leave(const std::string& name) {
  const auto found = hosts_.find(name);
  if (found == hosts_.end()) return {};
  auto& host = found->second;
  --host.inside;
  std::vector<Id> next;
  while (host.inside < kLookups && !host.waiting.empty()) {
    ++host.inside;
    next.push_back(host.waiting.front());
    host.waiting.pop_front();
  }
  if (host.inside == 0) hosts_.erase(found);
  return next;
}

}  // namespace agentd::net
