// Runs that slots and triggers bring in, as the ledger takes them.
#pragma once
#include <string_view>

#include "core/event/record.hpp"
#include "host/members.hpp"

namespace agentd::host {

// Due now, under the agent's own rules: its overlap, its queue. One that is refused leaves a record.
port::Entry entry_for(const World& world, const Member& member, const event::Entered& entered);

// Behind the key of a run whose files came with others in so many that they are several runs, and which is not the first of them.
inline constexpr std::string_view kOneOfAll = "/next";

// Whether it is one of several runs that wait for one another, whatever overlap says: a slot that was missed, of an agent that makes up for
// all of them, or files that came together with those of the run before.
bool is_one_of_all(const Member& member, const event::Entered& entered, Instant entered_at);

// Whether a run came in by itself: those that people and programs ask for queue, whatever the agent's overlap says.
bool is_unasked(const event::Entered& entered);

// Whether it does another run again, or makes something of one for memory: such a run is none of the agent's own.
bool is_aside(const port::RunRow& row);

}  // namespace agentd::host
