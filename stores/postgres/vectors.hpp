// Where entries lie in meaning: vectors of length 1, in sets that are searched together.
//
// Where the server has the extension `vector` it compares them, and of a set of more than kMostCompared it has an index made; elsewhere
// they are fetched and compared here. Which of these it is makes no difference to what is kept.
#pragma once
#include <agentd/sdk/host.hpp>
#include <agentd/sdk/memory.hpp>

#include <string>
#include <vector>

#include "connection.hpp"
#include "stores/vectors/cosine.hpp"
#include "vector_extension.hpp"
#include "vector_index.hpp"

namespace agentd::postgres {

// A float4[] as it comes and goes.
std::string binary_of(const std::vector<float>& vector);

// One thread at a time.
class Vectors {
 public:
  static constexpr std::int64_t kMostCompared = 10'000;
  static constexpr std::uint64_t kMostFromIndex = 300;  // entries of one search: an index looks at 1,000 vectors at the most

  Vectors(const Place& place, std::string server, const sdk::Host& host) : schema_(place.schema), server_(server), host_(host), indexes_(place, std::move(server), host) {}

  void look(Connection& connection) { extension_ = find_vector_extension(connection, server_, host_); }  // once the tables are there

  // Inside a transaction of the caller's, before these are put: their spaces are the caller's alone from here on, and their sets are
  // there. Throws sdk::Error, see spaces.hpp.
  void prepare(Connection& connection, const std::vector<sdk::MemoryEntry>& entries);

  // The best first. Inside a snapshot of the caller's.
  std::vector<stores::Neighbour> nearest(Connection& connection, const sdk::MemoryQuery& query);
  void make_what_was_missed(Connection& connection);  // outside of it

 private:
  struct Missed {
    VectorIndex index;
    std::string agent;
  };
  void compare(Connection& connection, const VectorIndex& set, const sdk::MemoryQuery& query, const std::vector<float>& wanted, stores::Nearest& nearest);
  bool ask_index(Connection& connection, const VectorIndex& index, const std::string& type, std::uint64_t limit, const std::vector<float>& wanted, stores::Nearest& nearest);
  std::int64_t have_compared(Connection& connection, const VectorIndex& set, const sdk::MemoryQuery& query, const std::vector<float>& wanted, stores::Nearest& nearest);

  const std::string schema_, server_;
  const sdk::Host host_;
  VectorExtension extension_;
  VectorIndexes indexes_;
  std::vector<Missed> missed_;  // by searches since the last was begun
};

extern const char* const kFirstVectorTables;  // the steps that made their tables
extern const char* const kVectorSets;

}  // namespace agentd::postgres
