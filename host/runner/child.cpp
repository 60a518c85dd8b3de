#include "host/runner/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

extern char** environ;

namespace agentd::runner {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostOutput = 16 << 20, kErrorsKept = 4096;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(-1); }
  void reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Fd read, write;
  bool open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read.reset(ends[0]);
    write.reset(ends[1]);
    return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
  }
};

std::unexpected<Error> os_error(const std::string& what, int error) { return fail(ErrorClass::internal, what + ": " + std::generic_category().message(error)); }

// 0 or an errno.
int spawn_child(const std::vector<std::string>& argv, const Pipe& out, const Pipe& err, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int error = posix_spawn(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Takes what is there now; past its bound the rest is thrown away.
void take(int fd, std::string& into) {
  std::array<char, 16 << 10> buffer;
  for (;;) {
    const auto n = read(fd, buffer.data(), buffer.size());
    if (n <= 0) return;
    if (into.size() < kMostOutput) into.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

// The process's end, not that of its pipes, is what counts: a grandchild may hold those open.
bool wait_for_end(int process, const Pipe& out, const Pipe& err, ChildEnd& end, Clock::time_point until) {
  std::array<pollfd, 3> watched{{{process, POLLIN, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    if (poll(watched.data(), watched.size(), static_cast<int>(std::min<long long>(left, 60'000))) < 0 && errno != EINTR) return false;
    take(out.read.get(), end.output);
    take(err.read.get(), end.errors);
    if (watched[0].revents != 0) return true;
    for (auto& w : watched)
      if (w.revents & POLLHUP) w.fd = -1;  // at its end already; it would not let poll wait
  }
}

}  // namespace

Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::chrono::milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  Pipe out, err;
  if (!out.open() || !err.open()) return os_error("a pipe cannot be made", errno);
  pid_t pid = 0;
  if (const int error = spawn_child(argv, out, err, pid)) return os_error(argv[0] + " cannot be started", error);
  out.write.reset(-1);
  err.write.reset(-1);

  ChildEnd end;
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  end.timed_out = process.get() < 0 || !wait_for_end(process.get(), out, err, end, until);
  kill(-pid, SIGKILL);  // its descendants too; the child is not reaped yet, so the number is still its own
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  take(out.read.get(), end.output);
  take(err.read.get(), end.errors);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (end.errors.size() > kErrorsKept) end.errors.erase(0, end.errors.size() - kErrorsKept);
  return end;
}

}  // namespace agentd::runner
