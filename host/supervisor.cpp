#include "host/supervisor.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <ctime>
#include <string>

namespace agentd::host {
namespace {

constexpr int kKeepEnvironment = 0;

// Three times as often as it must be, so that one late timer is no death.
Millis watchdog_period() {
  std::uint64_t limit_us = 0;
  if (::sd_watchdog_enabled(kKeepEnvironment, &limit_us) <= 0) return Millis(0);
  return std::max(Millis(static_cast<std::int64_t>(limit_us / 3000)), Millis(1));
}

// Whether anybody heard is nobody's business here: systemd ends a service that it does not hear of.
void tell(const char* state) { ::sd_notify(kKeepEnvironment, state); }

}  // namespace

Supervisor::Supervisor(Timers& timers) : timers_(timers), every_(watchdog_period()) {}
Supervisor::~Supervisor() { timers_.cancel(timer_); }

void Supervisor::ready() {
  tell("READY=1");
  if (every_ > Millis(0)) feed();
}

// MONOTONIC_USEC: which of several reloads is told of.
void Supervisor::reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  tell(("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * std::int64_t{1'000'000} + now.tv_nsec / 1'000)).c_str());
}

void Supervisor::ready_again() { tell("READY=1"); }

void Supervisor::stopping() { tell("STOPPING=1"); }

void Supervisor::feed() {
  tell("WATCHDOG=1");
  timer_ = timers_.after(every_, [this] { feed(); });
}

}  // namespace agentd::host
