// How loudly the log tells of the journal.
#pragma once
#include <string_view>

#include "core/event/record.hpp"
#include "host/log.hpp"

namespace agentd::host {

// Of an event: what an operator wants to read without asking is info or louder, the rest is debug.
Level level_of(std::string_view event_type);

// The loudest of the events that a record expands to, told without expanding it, which would cost more than the rest of the log.
Level loudest_of(const event::Body& body, port::RunStatus status);

}  // namespace agentd::host
