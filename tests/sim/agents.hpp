// The agents of a seed: of every kind, with limits by chance.
#pragma once
#include <string>
#include <vector>

#include "core/manifest/agent_spec.hpp"
#include "tests/sim/dice.hpp"

namespace agentd::sim {

inline constexpr const char* kModel = "model";  // of the one provider
inline constexpr const char* kTask = "count";   // the one native task
inline constexpr const char* kTools = "world";  // the one toolset

// An instant at which the world begins: half of them hours before a change of clocks.
Instant beginning(Dice& dice);
std::vector<manifest::AgentSpec> make_agents(Dice& dice, Instant begin);

}  // namespace agentd::sim
