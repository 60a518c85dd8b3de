// What systemd is told of the process, where systemd started it (Type=notify): that it is ready, that it is alive, that it stops.
// Anywhere else it does nothing. The engine thread only.
//
// The watchdog is fed by a timer of the loop that ticks schedules and moves runs, so a host whose loop hangs is ended and started again,
// which loses nothing. https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
#pragma once
#include "core/base/clock.hpp"

namespace agentd::host {

class Supervisor {
 public:
  explicit Supervisor(Timers& timers);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void ready();     // from now on it is fed
  void reloading();  // until ready_again
  void ready_again();
  void stopping();  // it is fed until the process has ended

 private:
  void feed();
  Timers& timers_;
  const Millis every_;  // 0: nobody watches
  Timers::Id timer_ = 0;
};

}  // namespace agentd::host
