// What a vector database does for memory. Entries are one collection, and the only truth; the vectors of each space are another, whose points name the
// version of the entry that they came with: those of another version count for nothing.
#pragma once
#include <agentd/sdk/memory.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace agentd::points {

// What there is to know of a kept entry without reading it.
struct Version {
  std::string key;  // entry_key()
  std::uint64_t position = 0;
  std::uint64_t revision = 0;
  std::string space;  // of its vector; empty: none
};
struct Row {
  Version version;
  sdk::MemoryEntry entry;
};
struct Near {
  std::string key;  // of the entry
  std::uint64_t revision = 0;
  double score = 0;  // cosine
};

// For one operation, by one thread. All of it may be done twice.
class Shelf {
 public:
  virtual ~Shelf() = default;

  virtual std::vector<Version> versions(const std::vector<std::string>& keys) = 0;      // those that there are
  virtual std::uint64_t newest(const std::string& agent, std::uint64_t from) = 0;       // the agent's highest position if it is at least `from`, else 0
  virtual void keep(const std::vector<Row>& rows) = 0;                                  // all or none
  virtual std::vector<Row> page(const sdk::MemoryQuery& query, std::size_t limit) = 0;  // newest first, before query.before
  virtual std::vector<Row> rows(const std::vector<std::string>& keys) = 0;              // those that there are
  // Entries that may have one of these, the newest first: more than do is no harm.
  virtual std::vector<Row> candidates(const sdk::MemoryQuery& query, const std::vector<std::vector<std::string>>& phrases, std::size_t limit) = 0;
  virtual std::vector<Version> fitting(const sdk::MemoryQuery& query, std::size_t limit) = 0;
  virtual void drop(const std::vector<std::string>& keys) = 0;

  virtual std::optional<std::uint64_t> dimensions(const std::string& space) = 0;  // nothing: no such space
  virtual bool drop_empty(const std::string& space) = 0;                          // false: there are vectors in it
  virtual void keep_vectors(const std::string& space, const std::vector<Row>& rows) = 0;  // makes the space
  virtual std::vector<Near> nearest(const sdk::MemoryQuery& query, std::size_t limit) = 0;
  virtual void drop_vectors(const std::string& space, const std::vector<std::string>& keys) = 0;  // vector_key()
};

}  // namespace agentd::points
