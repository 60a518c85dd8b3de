#include "lease.hpp"

#include <time.h>

namespace agentd::postgres {

std::chrono::nanoseconds since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void ServerClock::heard(std::int64_t now_ms, std::chrono::nanoseconds before, std::chrono::nanoseconds after) {
  boot_ms_ = now_ms - std::chrono::floor<std::chrono::milliseconds>((before + after) / 2).count();
}

std::int64_t ServerClock::ahead_ms(std::int64_t now_ms) const {
  const std::int64_t boot = boot_ms_;
  if (boot == 0) return 0;
  return ahead_ = now_ms - boot - std::chrono::floor<std::chrono::milliseconds>(since_boot()).count();
}

}  // namespace agentd::postgres
