// Secrets leave a text before the run acts on it, so that what is recorded, what a model reads and what a tool is given are one
// text.
#pragma once
#include <string>

#include "core/event/record.hpp"
#include "core/port/cleaner.hpp"
#include "core/port/provider.hpp"

namespace agentd::run {

// What a person or another system asks for.
void clean(const port::Cleaner& cleaner, event::Entered& entered);
void clean(const port::Cleaner& cleaner, port::Answer& answer);
// A serialised message: its content.
void clean_message(const port::Cleaner& cleaner, std::string& json);
// What is left of a record whose texts were cleaned where they came in: faults and reasons.
void clean_faults(const port::Cleaner& cleaner, event::Body& body);

}  // namespace agentd::run
