// Entries that are to be found by meaning.
#pragma once
#include <string>
#include <vector>

#include "core/memory/embedding.hpp"
#include "core/port/memory.hpp"

namespace agentd::memory {

struct Kept {
  std::string without_vectors;  // why the entries are found by words alone; empty: they have vectors, or nobody expects any
};

// All entries are one agent's. They are kept in any case that the store can keep them; without an embedder, or in a store that has no
// vectors, by words alone.
Async<Result<Kept>> keep(port::MemoryStore& store, Embedder* embedder, std::vector<port::MemoryEntry> entries, Millis timeout, std::stop_token stop);

// Of one entry, where its types have stores of their own: what `other` has under its id is removed once it is kept.
Async<Result<Kept>> keep_instead(port::MemoryStore& store, port::MemoryStore& other, Embedder* embedder, port::MemoryEntry entry, Millis timeout, std::stop_token stop);

}  // namespace agentd::memory
