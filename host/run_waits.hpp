// What a run waits for, for the person who waits with it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/event/record.hpp"

namespace agentd::host {

// One line about a record that makes the run wait; nothing about others. attempts: how many the run may have.
std::optional<std::string> wait_text(const event::Body& body, std::int64_t attempts);
// One line about a call that was denied because it needs a person, whom this command cannot ask; nothing about others.
std::optional<std::string> denial_text(const event::Body& body);

}  // namespace agentd::host
