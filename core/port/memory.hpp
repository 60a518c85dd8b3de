// What the engine needs of a memory store.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/result.hpp"

namespace agentd::port {

enum class MemoryType { any = 0, episodic = 1, long_term = 2, procedural = 3 };

struct MemoryEntry {
  MemoryType type = MemoryType::episodic;
  std::string agent_id;
  std::string session_id;
  std::string id;             // unique per agent; putting it again replaces the entry
  std::string text;           // what is searched
  std::string json;           // kept as it is
  Instant created{};
  std::uint64_t position = 0;  // from the store
  double score = 0;            // from search
  std::vector<float> vector = {};  // in a put: where the text lies in meaning; empty: the entry has none. Not given back
  std::string space = {};          // what made the vector, an embedding model; those of different spaces are never compared
};

struct MemoryQuery {
  MemoryType type = MemoryType::any;
  std::string agent_id;
  std::string session_id;  // empty: every session
  std::string id;
  std::string text;
  std::uint64_t before = 0;
  std::size_t limit = 100;
  std::vector<float> vector = {};  // search: the nearest by cosine among those with a vector of `space`, and `text` counts for nothing
  std::string space = {};
  Millis timeout{10'000};
};

// The engine thread only.
class MemoryStore {
 public:
  virtual ~MemoryStore() = default;
  virtual bool has_vectors() const = 0;  // without it a vector in a put or a search is refused
  virtual Async<Result<void>> put(std::vector<MemoryEntry> entries, Millis timeout) = 0;  // all or none, durable
  virtual Async<Result<std::vector<MemoryEntry>>> list(MemoryQuery query) = 0;         // newest first
  virtual Async<Result<std::vector<MemoryEntry>>> search(MemoryQuery query) = 0;       // best first
  virtual Async<Result<std::uint64_t>> remove(MemoryQuery query) = 0;                  // how many
};

}  // namespace agentd::port
