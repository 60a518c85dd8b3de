// What a run is given to read from before, and what it leaves behind.
#pragma once
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/ids.hpp"
#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/memory/embedding.hpp"
#include "core/memory/token_rate.hpp"
#include "core/port/memory.hpp"

namespace agentd::memory {

// Where an agent's memories of each type are. Null: it has none.
struct Stores {
  port::MemoryStore* episodic = nullptr;
  port::MemoryStore* long_term = nullptr;
  port::MemoryStore* procedural = nullptr;
  Embedder* embedder = nullptr;  // null: what fits is found by its words alone
};

struct Reader {
  std::string agent_id;
  std::string session;  // empty: nothing outlives the run, so nothing episodic is read or kept
  Millis patience{30'000};  // with each operation of a store, where the operation's own is not shorter
  std::stop_token stop = {};
  double bytes_per_token = TokenRate::kUsual;  // of the model that reads
};

// A text of n bytes is taken for n / 4 tokens, or as the model's rate has it, rounded up, and 4 for the message around it.
std::int64_t estimated_tokens(std::string_view message, double bytes_per_token = TokenRate::kUsual);

// The newest of `messages` (newest first) that fit the window, oldest first, beginning with a message of the user's.
std::vector<event::Json> window(std::vector<port::MemoryEntry> messages, std::int64_t window_tokens, double bytes_per_token = TokenRate::kUsual);

struct Recalled {
  std::vector<event::Json> messages;           // for the conversation, oldest first
  std::optional<event::Embedding> embedding;   // of the query; nothing: none was made
};

// What is known that fits the query, then the session's window. A store that fails is a retryable error: a run never goes on without its
// memory unnoticed. Without the query's vector it goes on, by words alone, and says so.
Async<Result<Recalled>> recall(Stores stores, const manifest::Memory& how, Reader reader, std::string query);

// Keeps what was asked and what was answered, keyed "run/0" and "run/1": doing it again changes nothing. The calls in between stay
// in the ledger, so that a window of messages is a window of runs.
Async<Result<void>> remember(Stores stores, Reader writer, RunId run, std::string query, event::Json answer, Instant now);

}  // namespace agentd::memory
