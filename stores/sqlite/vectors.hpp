// Where entries lie in meaning: the vectors of memory.db, found by the cosine.
//
// What is near is found by comparing with every vector that fits, which is exact, until an agent has more of one type than
// kMostCompared: from then on an index is asked, once it is built, for searches that are not for one session.
#pragma once
#include <agentd/sdk/host.hpp>
#include <agentd/sdk/memory.hpp>

#include <filesystem>
#include <map>
#include <memory>

#include "db.hpp"
#include "stores/vectors/cosine.hpp"
#include "vector_index.hpp"

namespace agentd::sqlite {

// One thread at a time. Throws DbError, and sdk::Error for what the caller did.
class Vectors {
 public:
  // Comparing takes 1.6 ms for a thousand vectors of 384 dimensions, which nobody notices in a run, and needs no memory.
  static constexpr std::int64_t kMostCompared = 20'000;
  // Of all indexes together; what has no room is compared.
  static constexpr std::size_t kMostIndexBytes = std::size_t{512} << 20;

  // `db` is the file, with the tables that kVectorTables makes, and outlives this.
  Vectors(Db& db, std::filesystem::path file, const sdk::Host& host, std::int64_t most_compared = kMostCompared);

  // ---- inside a transaction of the caller's
  void check(const std::vector<sdk::MemoryEntry>& entries);  // throws before anything is put, see spaces.hpp
  void put(std::int64_t position, const sdk::MemoryEntry& entry);  // in the place of the vector that it had; none: drops it
  void drop(std::int64_t position);

  // The best first. Inside a snapshot of the caller's.
  std::vector<stores::Neighbour> nearest(const sdk::MemoryQuery& query);

 private:
  struct Space {
    std::int64_t id = 0;
    std::size_t dimensions = 0;  // of the vectors that are kept; 0: there are none
  };
  struct Indexed {
    std::unique_ptr<VectorIndex> index;
    bool told = false;  // what became of it
  };
  Space space(const std::string& name);
  void compare(Reading& reading, const std::vector<float>& wanted, stores::Nearest& nearest);
  void compare_all(const VectorSet& set, const std::vector<float>& wanted, stores::Nearest& nearest);
  bool ask_index(const VectorSet& set, std::int64_t count, const std::vector<float>& wanted, std::uint64_t limit, stores::Nearest& nearest);
  VectorIndex* index_of(const VectorSet& set, std::int64_t count, std::size_t dimensions);
  void tell(const VectorSet& set, const VectorIndex& index) const;

  Db& db_;
  const std::filesystem::path file_;
  const sdk::Host host_;
  const std::int64_t most_compared_;
  Statement space_, add_space_, put_, drop_, count_, of_session_, of_set_, position_;
  std::map<VectorSet, Indexed> indexes_;
};

extern const char* const kVectorTables;

}  // namespace agentd::sqlite
