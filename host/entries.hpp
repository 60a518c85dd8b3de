// Runs that slots and triggers bring in, as the ledger takes them.
#pragma once
#include "core/event/record.hpp"
#include "host/members.hpp"

namespace agentd::host {

// Due now, under the agent's own rules: its overlap, its queue. One that is refused leaves a record.
port::Entry entry_for(const World& world, const Member& member, const event::Entered& entered);

// Whether it is a slot that was missed, of an agent that makes up for all of them: they wait for one another.
bool is_one_of_all(const Member& member, const event::Entered& entered, Instant entered_at);

// Whether a run came in by itself: those that people and programs ask for queue, whatever the agent's overlap says.
bool is_unasked(const event::Entered& entered);

// Whether it does another run again: such a run is none of the agent's own.
bool is_replay(const port::RunRow& row);

}  // namespace agentd::host
