// What a run is given to read from before, and what it leaves behind.
#pragma once
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/ids.hpp"
#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/memory/places.hpp"

namespace agentd::memory {

struct Recalled {
  std::vector<event::Json> messages;           // for the conversation, oldest first
  std::vector<std::string> known;              // ids of the memories among them
  bool summary_due = false;                    // see memory::Past
  std::optional<event::Embedding> embedding;   // of the query; nothing: none was made
};

// What is known that fits the query, then the session's summary and window. A store that fails is a retryable error: a run never goes on without its
// memory unnoticed. Without the query's vector it goes on, by words alone, and says so.
Async<Result<Recalled>> recall(Stores stores, const manifest::Memory& how, Reader reader, std::string query);

// Keeps what was asked and what was answered, keyed "run/0" and "run/1": doing it again changes nothing. The calls in between stay
// in the ledger, so that a window of messages is a window of runs.
Async<Result<void>> remember(Stores stores, Reader writer, RunId run, std::string query, event::Json answer, Instant now);

}  // namespace agentd::memory
