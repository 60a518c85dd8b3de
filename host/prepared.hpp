// The agents that ran last, ready to run again.
#pragma once
#include <list>
#include <map>
#include <string>
#include <utility>

#include "core/run/agent.hpp"

namespace agentd::host {

// The engine thread only. Beyond `most` it forgets the one that was asked for longest ago; runs in flight keep theirs.
class Prepared {
 public:
  using Revision = std::pair<std::string, std::int64_t>;  // of an agent
  explicit Prepared(std::size_t most) : most_(most) {}

  run::AgentRef find(const Revision& revision);  // nothing: to be prepared
  void keep(const Revision& revision, run::AgentRef agent);
  void clear() { places_.clear(), latest_.clear(); }

 private:
  using Latest = std::list<std::pair<Revision, run::AgentRef>>;
  const std::size_t most_;
  Latest latest_;  // first
  std::map<Revision, Latest::iterator> places_;
};

}  // namespace agentd::host
