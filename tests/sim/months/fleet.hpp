// The agents of half a year: from hourly to weekly, in several time zones, each with rules of its own.
#pragma once
#include <string_view>
#include <vector>

#include "core/manifest/agent_spec.hpp"
#include "tests/sim/dice.hpp"

namespace agentd::sim::months {

inline constexpr const char* kModel = "model";  // of the one provider
inline constexpr const char* kTask = "task";    // the one native task, and the one gate

std::vector<manifest::AgentSpec> make_fleet(Dice& dice, std::size_t size);
// Whose runs take longer than the time between two slots, at times.
inline bool is_slow(std::string_view agent_id) { return agent_id.starts_with("slow"); }

}  // namespace agentd::sim::months
