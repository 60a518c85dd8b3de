#include "host/apart.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <ostream>

#include "host/streams.hpp"

namespace agentd::host {
namespace {

using SteadyClock = std::chrono::steady_clock;

// While it lives they are waited for, not delivered. Of this thread.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&held_);
    for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&held_, number);
    pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() { deliver(); }
  void deliver() const { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  // The next of them; 0: none in time.
  int next(const std::optional<SteadyClock::time_point>& until) const {
    using namespace std::chrono;
    const auto left = until ? std::max(nanoseconds(0), duration_cast<nanoseconds>(*until - SteadyClock::now())) : nanoseconds(hours(1));
    const timespec wait{.tv_sec = duration_cast<seconds>(left).count(), .tv_nsec = (left % seconds(1)).count()};
    return std::max(0, sigtimedwait(&held_, nullptr, &wait));
  }

 private:
  sigset_t held_{}, before_{};
};

bool has_ended(pid_t child) {
  siginfo_t ended{};
  return waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == child;
}

int reap(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// What had left the child's group has become ours, and what that leaves behind does too.
void end_descendants() {
  for (bool any = true; any;) {
    any = false;
    std::ifstream ours("/proc/thread-self/children");
    for (pid_t process = 0; ours >> process; any = true) {
      kill(process, SIGKILL);
      reap(process);
    }
  }
}

[[noreturn]] void work_here(const std::function<int()>& work, const HeldSignals& signals, const cli::Output& to) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  signals.deliver();
  const int code = finish_output(to.out, STDOUT_FILENO, to.err, work());
  to.err.flush();
  std::_Exit(code);
}

}  // namespace

Apart run_apart(const std::function<int()>& work, const cli::Output& to, Millis patience) {
  to.out.flush();
  to.err.flush();
  const HeldSignals signals;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto child = fork();
  if (child < 0) return {.exit_code = work()};
  if (child == 0) work_here(work, signals, to);
  setpgid(child, child);  // whoever is first
  Apart end;
  std::optional<SteadyClock::time_point> until;
  while (!has_ended(child)) {
    const int number = signals.next(until);
    const bool is_asked = number == SIGINT || number == SIGTERM;
    if (until && (is_asked || SteadyClock::now() >= *until)) kill(-child, SIGKILL);
    else if (is_asked) kill(child, number);
    if (is_asked && !until) until = SteadyClock::now() + patience;
  }
  kill(-child, SIGKILL);  // not reaped yet, so the number is still its own
  const int status = reap(child);
  end_descendants();
  end.interrupted = until.has_value();
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace agentd::host
