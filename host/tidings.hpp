// What a record tells people: the message that sinks are sent.
#pragma once
#include "core/event/record.hpp"
#include "core/port/ledger.hpp"
#include "host/sinks/sink.hpp"

namespace agentd::host {

// Of a run's end, an alert or its end. Always the same for the same record; sent_at is left to the sender.
Message message_of(const port::StoredRecord& record, const event::Ended& ended);
Message message_of(const port::StoredRecord& record, const event::AlertRaised& alert);
Message message_of(const port::StoredRecord& record, const event::AlertCleared& alert);

}  // namespace agentd::host
