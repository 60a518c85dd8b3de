// Time and chance come from outside everywhere in core/, so that a test or a simulation says what time it is.
#pragma once
#include <cstdint>
#include <functional>

#include "core/base/time.hpp"

namespace agentd {

// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;  // the wall's; may jump both ways
  virtual Tick tick() const = 0;    // never goes back; goes on while the machine is suspended (CLOCK_BOOTTIME)
};

// The engine thread only.
class Timers {
 public:
  using Id = std::uint64_t;  // 0 is none
  virtual ~Timers() = default;
  virtual Id after(Millis delay, std::move_only_function<void()> fire) = 0;  // fire runs once on the engine thread, never inside this call
  virtual void cancel(Id id) = 0;                                          // fire will not run; an id that has fired is ignored
};

// Any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;  // 64 uniform bits
};

}  // namespace agentd
