// From what the ledger keeps to what people see: one record gives one or more events, always the same ones.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "core/event/record.hpp"
#include "core/port/events.hpp"
#include "core/port/ledger.hpp"

namespace agentd::event {

// The record's events in order. Their ids are the record's position with sub-indices from 0, their time is the record's.
std::vector<port::Event> expand(const port::StoredRecord& record, const Decoded& decoded);

// The same from the stored text; a record this build cannot read is an error that names its position.
Result<std::vector<port::Event>> expand(const port::StoredRecord& record);

// Every type that an event may have, in order.
std::span<const std::string_view> types();

// Why a slot or a trigger gave no run, also where nobody wrote it down; else what brought the run in.
std::string reason(const Entered& entered, port::RunStatus status);

// {"id", "type", "agent_id", "agent_name", "run_id", "session_id", "timestamp", "payload"}: one line of JSON.
std::string to_json(const port::Event& event);

// {"requests", "input_tokens", ..., "cost"}: sums in the form people see everywhere; cost in dollars.
std::string usage_json(const Totals& totals);

}  // namespace agentd::event
