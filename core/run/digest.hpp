// What becomes of an agent in a run for its memory.
#pragma once
#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"

namespace agentd::run {

// The same model and limits, without tools: it is asked once for what memory is to keep.
void become_digester(manifest::AgentSpec& spec, const event::Digest& digest);

}  // namespace agentd::run
