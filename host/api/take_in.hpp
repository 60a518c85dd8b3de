// Runs that somebody asks for over HTTP, on their way into the ledger: they queue, whatever the agent's overlap says, replays beside the
// agent's own, and one that does not fit leaves no record: its sender is told.
#pragma once
#include "core/event/record.hpp"
#include "host/api/context.hpp"
#include "host/api/message.hpp"

namespace agentd::api {

// Why the agent takes nothing now; nothing: it does.
std::optional<Document> refusal(const Context& context, const host::Member& member);

// Takes out of it what is secret, but for its key: two that differ in a secret alone would come to one, and the second be lost.
std::optional<Document> clean(const Context& context, event::Entered& entered);

// The ledger's word, or what its sender is told instead.
Async<std::variant<port::Admission, Document>> take_in(const Context& context, const host::Member& member,
                                                       const event::Entered& entered);

// Several of them, in order and all in one transaction.
Async<port::LedgerResult<std::vector<port::Admission>>> take_in_all(const Context& context, const host::Member& member,
                                                                    std::vector<event::Entered> entered);

}  // namespace agentd::api
