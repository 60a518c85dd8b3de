// A disk that fails, or a machine that dies, at the nth thing SQLite does to it. Registered as SQLite's default, so that a plugin in this
// process stands on it without knowing.
#pragma once

namespace agentd::conformance {

struct Fault {
  enum class Kind {
    none,
    io_error,       // the operation fails once
    disk_full,      // likewise, for want of room
    stays_full,     // no write succeeds from there on
    death,          // the process ends there; what was written stays
    power_loss,     // the process ends there; what was written and not synced is gone
    power_loss_torn // of what was not synced the latest write alone came through
  };
  Kind kind = Kind::none;
  int at = 0;  // the first is 1
};

// Counts writes, truncations and syncs from now on, and does the fault when its turn comes. Syncs cost nothing: what is durable is modelled.
void arm(Fault fault);
int operations();  // since arm

inline constexpr int kDied = 99;  // the exit status of the deaths

}  // namespace agentd::conformance
