// A toolset that does what no tool should: it goes on when it is told to stop, and takes its process down.
#include <agentd/sdk/toolset.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <thread>

using namespace agentd::sdk;

namespace {

struct Stubborn final : Toolset {
  static constexpr bool concurrent = true;
  explicit Stubborn(const Config&) {
    add("sleep", "Sleeps whatever is asked of it meanwhile", Effect::pure, [] {
      std::this_thread::sleep_for(std::chrono::minutes(2));
      return "slept";
    });
    add("child", "Waits for a child that ignores SIGTERM", Effect::pure, [] {
      const auto child = ::fork();
      if (child == 0) ::execl("/bin/sh", "sh", "-c", "trap '' TERM; exec sleep 20", nullptr), ::_exit(127);
      int status = 0;
      ::waitpid(child, &status, 0);
      return "ended";
    });
    add("nap", "Sleeps until it is told to stop", {"seconds"}, Effect::pure, [](Call& call, int seconds) {
      for (int i = 0; i < seconds * 50 && !call.cancelled(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return "slept";
    });
    add("crash", "Ends the process", Effect::pure, [] {
      *reinterpret_cast<volatile int*>(std::uintptr_t{0x1000}) = 1;  // a page that nobody has
      return "never";
    });
  }
};

}  // namespace

AGENTD_PLUGIN("stubborn", "1.0.0", provides<Stubborn>("stubborn"))
