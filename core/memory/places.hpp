// Whose memory it is, and where.
#pragma once
#include <algorithm>
#include <stop_token>
#include <string>

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

  Millis timeout() const { return std::min(patience, port::MemoryQuery{}.timeout); }
};

// Worth another try, whatever the store says: a run never goes on without its memory unnoticed.
inline Error unusable(const Error& error) { return {ErrorClass::retryable, "the memory store could not be used: " + error.message, error.retry_after}; }

}  // namespace agentd::memory
