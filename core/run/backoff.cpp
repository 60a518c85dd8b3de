#include "core/run/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace agentd::run {
namespace {

constexpr Millis kFirstStepDelay{500};
constexpr double kStepJitter = 0.25;

double unit(std::uint64_t chance) { return static_cast<double>(chance >> 11) * 0x1p-53; }

Millis scaled(Millis delay, double factor) { return Millis(std::llround(static_cast<double>(delay.count()) * factor)); }

}  // namespace

Millis step_delay(int tries, std::optional<Millis> retry_after, std::uint64_t chance) {
  const Millis base = kFirstStepDelay * (1 << std::clamp(tries - 1, 0, 10));
  return std::max(retry_after.value_or(Millis(0)), scaled(base, 1 + kStepJitter * unit(chance)));
}

Millis attempt_delay(const manifest::Retry& retry, int attempt, std::optional<Millis> retry_after, std::uint64_t chance) {
  double factor = 1;
  if (retry.backoff == manifest::Backoff::exponential) factor = std::exp2(std::clamp(attempt - 1, 0, 40));
  const double longest = static_cast<double>(retry.max_delay.count());
  const Millis base(std::llround(std::min(static_cast<double>(retry.delay.count()) * factor, longest)));
  const Millis spread = scaled(base, 1 + retry.jitter * (2 * unit(chance) - 1));
  return std::max(retry_after.value_or(Millis(0)), spread);
}

}  // namespace agentd::run
