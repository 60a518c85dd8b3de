// The agents of a seed: of every kind, with limits by chance.
#pragma once
#include <string>
#include <vector>

#include "core/manifest/agent_spec.hpp"
#include "core/manifest/host_config.hpp"
#include "tests/sim/dice.hpp"

namespace agentd::sim {

inline constexpr const char* kModel = "model";  // of the one provider
inline constexpr const char* kTask = "count";   // the one native task
inline constexpr const char* kGate = "gate";    // the one gate
inline constexpr const char* kTools = "world";  // the one toolset
inline constexpr const char* kFollowed = "every0";
inline constexpr const char* kFollower = "next";  // runs when a run of that one is completed
inline constexpr const char* kFollows = "then";   // the trigger that says so
inline constexpr const char* kSink = "ops";       // the one sink

inline constexpr manifest::Prices kPrices{.input = 3'000'000'000, .output = 15'000'000'000};

// An instant at which the world begins: half of them hours before a change of clocks.
Instant beginning(Dice& dice);
std::vector<manifest::AgentSpec> make_agents(Dice& dice, Instant begin);
NanoDollars make_host_limit(Dice& dice);  // of a day; 0: none

}  // namespace agentd::sim
