// A run and its steps as people see them, from its records.
#pragma once
#include <span>

#include "core/event/record.hpp"
#include "core/port/ledger.hpp"
#include "host/api/json.hpp"

namespace agentd::api {

// records: all of the run, the entry first. A record that cannot be read is left out.
Json run_view(std::span<const port::StoredRecord> records);
// Each model call and tool call that has ended, and those under way: {"step", "kind": "model" | "tool", "name", "outcome", ...}.
Json steps_view(std::span<const port::StoredRecord> records);

bool has_ended(std::span<const port::StoredRecord> records);

}  // namespace agentd::api
