// An index of vectors: approximate, in memory, and never more than a copy of what the file holds.
//
// A vector in the file never changes and its number is never used again, so an index is brought up to date with the numbers behind
// its last one, whoever wrote them; what is gone from the file is known when its number is looked up there.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "db.hpp"

namespace hnswlib {
template <class T>
class HierarchicalNSW;
template <class T>
class SpaceInterface;
}

namespace agentd::sqlite {

// What is searched together.
struct VectorSet {
  std::int64_t space = 0;
  std::string agent;
  std::int64_t type = 0;
  auto operator<=>(const VectorSet&) const = default;
};

// Built by a thread of its own; until it is ready nothing else may be asked. One thread at a time.
class VectorIndex {
 public:
  VectorIndex(std::filesystem::path file, VectorSet set, std::size_t dimensions, std::int64_t count);
  ~VectorIndex();  // leaves off building
  VectorIndex(const VectorIndex&) = delete;

  static std::size_t bytes(std::int64_t count, std::size_t dimensions);  // in memory, about
  std::size_t bytes() const { return bytes(count_, dimensions_); }
  enum class State { building, ready, failed };
  State state() const { return state_.load(std::memory_order_acquire); }
  const std::string& why() const { return why_; }  // it failed

  // ---- when it is ready
  void catch_up(Db& db);
  std::int64_t size() const;  // with those that are gone
  struct Found {
    std::int64_t id;
    double score;
  };
  std::vector<Found> nearest(std::span<const float> unit, std::size_t most);  // the best first

 private:
  void build(const std::stop_token& stop);
  bool add_more(Statement& more);
  const std::filesystem::path file_;
  const VectorSet set_;
  const std::size_t dimensions_;
  const std::int64_t count_;  // when it was begun
  std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
  std::int64_t last_ = 0;
  std::string why_;
  std::atomic<State> state_{State::building};
  std::jthread builder_;
};

}  // namespace agentd::sqlite
