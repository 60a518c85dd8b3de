// Who is told of a run's end.
#pragma once
#include "core/run/run.hpp"
#include "host/members.hpp"

namespace agentd::host {

// As the manifest in force now says; each sink once. One that wants every result wins over one that wants changed ones.
std::vector<event::Recipient> recipients(const Members& members, const run::RunEnd& end);

}  // namespace agentd::host
