// What a run finds before it, of its agent, when it comes in.
#pragma once
#include "core/port/ledger.hpp"
#include "host/members.hpp"

namespace agentd::host {

struct Line {
  std::size_t room = 0;   // runs that the agent's queue still takes
  bool is_alive = false;  // a run of the agent's own is, where its overlap asks for that
};

// As it is now: whoever goes by it may find one or two more before it.
Async<port::LedgerResult<Line>> line_of(port::Ledger& ledger, MemberRef member);

}  // namespace agentd::host
