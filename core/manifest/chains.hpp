// Chains: agents that run when another one's run has ended. A chain that leads back to where it began would never end.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/manifest/problem.hpp"

namespace agentd::manifest {

struct ChainLink {
  std::string agent_id;  // runs
  std::string trigger;   // its name
  std::string outcome;   // a run status: with this end
  std::string followed;  // of this agent's runs
  Problem at;            // where it was written; without a message
};

// What is wrong with every link that lies on a cycle, and whose it is.
std::vector<std::pair<std::string, Problem>> cycles(const std::vector<ChainLink>& links);

}  // namespace agentd::manifest
