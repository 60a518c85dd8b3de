// Entries that fit a text: by its words always, and by its meaning where there are vectors.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/memory/embedding.hpp"
#include "core/port/memory.hpp"

namespace agentd::memory {

// Where is looked.
struct Place {
  port::MemoryStore* store = nullptr;
  port::MemoryType type = port::MemoryType::any;
};

struct Wish {
  std::string agent_id;
  std::string session_id;       // empty: every session
  std::string text;
  std::size_t most = 5;
  Millis timeout{10'000};       // of each operation
  std::stop_token stop = {};
};

struct Found {
  std::vector<port::MemoryEntry> entries;  // best first
  std::string by_words_alone;              // why there were no vectors; empty: there were, or nobody expects any
  int requests = 0;                        // of the embedding, like tokens and cost
  std::int64_t tokens = -1;
  NanoDollars cost = 0;
};

// Best first by score; of equal ones the newer, then by id, so that the same is found in the same order always.
void rank(std::vector<port::MemoryEntry>& entries);

// Reciprocal rank fusion (Cormack, Clarke, Buettcher: SIGIR 2009): an entry's score is the sum of 1 / (60 + rank) over the rankings that
// have it, ranks from 1. It asks nothing of the scores in them, which mean something else in each.
std::vector<port::MemoryEntry> fuse(std::vector<std::vector<port::MemoryEntry>> rankings, std::size_t most);

// An error: a store could not be used. That the text has no vector is none: then words decide. Without an embedder, too.
Async<Result<Found>> search(std::vector<Place> places, Embedder* embedder, Wish wish);

}  // namespace agentd::memory
