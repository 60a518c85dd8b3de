// Who is told of a run's end.
#pragma once
#include "core/run/run.hpp"
#include "host/members.hpp"

namespace agentd::host {

// As the manifest that the run was started with says, or the one in force where that cannot be had; each sink once. One that wants every result wins over one that wants changed ones.
std::vector<event::Recipient> recipients(const Members& members, const run::RunEnd& end);

}  // namespace agentd::host
