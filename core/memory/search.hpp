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

// What one way of looking has found, best first; beside others it counts for its weight.
struct Ranking {
  std::vector<port::MemoryEntry> entries;
  double weight = 1;
};

// Reciprocal rank fusion (Cormack, Clarke, Buettcher: SIGIR 2009): an entry's score is the sum of weight / (5 + rank) over the rankings
// that have it, ranks from 1. It asks nothing of the scores in them, which mean something else in each. With the 60 that is usual for
// rankings of a thousand, what stands anywhere in both passes what one has first, and any common word brings an entry into both;
// tests/quality measures it.
std::vector<port::MemoryEntry> fuse(std::vector<Ranking> rankings, std::size_t most);

// An error: a store could not be used. That the text has no vector is none: then words decide. Without an embedder, too.
Async<Result<Found>> search(std::vector<Place> places, Embedder* embedder, Wish wish);

}  // namespace agentd::memory
