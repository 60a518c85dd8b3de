// Agents that run when a run of another one has ended.
#pragma once
#include "core/run/run.hpp"
#include "host/members.hpp"

namespace agentd::host {

// The runs that this end starts. Their keys are made of the run that ended, so that each starts once, whoever dies when.
std::vector<port::Entry> follow_ups(const World& world, const Members& members, const run::RunEnd& end);

// {"agent_id", "run_id", "status", "result"}. A long result is cut, and "result_note" says so.
std::string chain_params(const run::RunEnd& end);

}  // namespace agentd::host
