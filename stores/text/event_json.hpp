#pragma once
#include <agentd/sdk/events.hpp>

#include <string>

namespace agentd::stores {

// An event as the API has it, without line breaks.
void append_event_json(std::string& out, const sdk::Event& event);

}  // namespace agentd::stores
