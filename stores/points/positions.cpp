#include "positions.hpp"

#include <algorithm>

namespace agentd::points {
namespace {

constexpr std::uint64_t kTogether = 1u << 8;
constexpr std::uint64_t kByChance = 1u << 13;

}  // namespace

std::uint64_t Positions::take(std::chrono::milliseconds since_1970, std::uint64_t count, std::uint64_t newest) {
  const std::lock_guard lock(mutex_);
  const auto chance = chance_() % kByChance;
  std::uint64_t turn = static_cast<std::uint64_t>(since_1970.count()) * kByChance + chance;
  // Behind another host's, which may be ahead of this clock: by chance as well, since a third host may be doing the same.
  if (const auto seen = newest / kTogether; seen >= turn) turn = seen + 1 + chance;
  turn = std::max(turn, last_ / kTogether + 1);
  const auto first = turn * kTogether;
  last_ = first + count - 1;
  return first;
}

}  // namespace agentd::points
