// Indexes of vectors (HNSW), each of one set, made by the server while nobody waits for it.
#pragma once
#include <agentd/sdk/host.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "connection.hpp"
#include "vector_extension.hpp"

namespace agentd::postgres {

struct VectorIndex {
  enum class State { missing, unfinished, ready };  // unfinished: it is being made, or whoever made it died
  std::int64_t set = 0;
  std::size_t dimensions = 0;
  State state = State::missing;
  std::string name() const { return "memory_vectors_" + std::to_string(set) + "_" + std::to_string(dimensions); }
  // Of the vectors that it holds: those of the set. They are of these dimensions, but what comes after them need not be.
  std::string condition(const VectorExtension& extension) const;
};

// Has one made at a time, whichever host asks for it. When this one ends the server goes on, and so it does for whoever starts it again.
// One thread at a time.
class VectorIndexes {
 public:
  VectorIndexes(Place place, std::string server, const sdk::Host& host) : place_(std::move(place)), server_(std::move(server)), host_(host) {}

  // Begins with it, unless there is something to wait for first. Outside of a transaction; what goes wrong is told in the log.
  void want(Connection& connection, const VectorIndex& index, const VectorExtension& extension, const std::string& agent);
  void look();  // what became of the one that was begun

 private:
  using Clock = std::chrono::steady_clock;
  void give_up(const PgError& why);

  const Place place_;
  const std::string server_;
  const sdk::Host host_;
  std::string subject_;                     // what is made now, for people
  std::unique_ptr<Connection> connection_;  // while one is made
  Clock::time_point next_try_{};
};

}  // namespace agentd::postgres
