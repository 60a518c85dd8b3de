// How long to wait before trying again. Pure functions; chance is 64 random bits from outside.
#pragma once
#include <cstdint>
#include <optional>

#include "core/base/time.hpp"
#include "core/manifest/agent_spec.hpp"

namespace agentd::run {

inline constexpr int kStepTries = 4;               // of one model call, before the attempt fails
inline constexpr Millis kLongestHeldWait{10'000};  // a longer wait parks the run

// After the nth failed try of a step (from 1): 0.5 s, 1 s, 2 s, each with up to a quarter more; never sooner than retry_after.
Millis step_delay(int tries, std::optional<Millis> retry_after, std::uint64_t chance);

// Before attempt n + 1 after the failed attempt n (from 1), as the manifest says; never sooner than retry_after.
Millis attempt_delay(const manifest::Retry& retry, int attempt, std::optional<Millis> retry_after, std::uint64_t chance);

}  // namespace agentd::run
