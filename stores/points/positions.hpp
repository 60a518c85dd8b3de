// Places in an order that no server counts out: 42 bits of milliseconds, 13 by chance, 8 for entries that are put together. Whoever takes some
// gives the newest one it has seen, so that what is put after something else stands behind it, whatever the clocks of several hosts say.
// Two hosts that put for one agent at the same moment stand in either order, and apart from each other but for one time in 8,192.
#pragma once
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>

namespace agentd::points {

// Any thread.
class Positions {
 public:
  explicit Positions(std::uint32_t seed) : chance_(seed) {}
  // The first of `count` that follow each other, all of them above `newest`.
  std::uint64_t take(std::chrono::milliseconds since_1970, std::uint64_t count, std::uint64_t newest);

 private:
  std::mutex mutex_;
  std::minstd_rand chance_;
  std::uint64_t last_ = 0;  // the one given last
};

}  // namespace agentd::points
