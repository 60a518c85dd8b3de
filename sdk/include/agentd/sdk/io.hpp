// A file descriptor or socket of the plugin's own, watched on the host's loop: a function is called as long as it is ready.
//
//   watch_ = Watch(host, fd, Io::read, [this](Io) { return read_some(); });   // true: go on, false: this was the last
#pragma once
#include <agentd/sdk/callback.hpp>
#include <agentd/sdk/host.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace agentd::sdk {

// What is waited for, and what has come; `both` is either of the two.
enum class Io : uint32_t { read = AGENTD_IO_READ, write = AGENTD_IO_WRITE, both = AGENTD_IO_READ | AGENTD_IO_WRITE };
inline bool can_read(Io ready) { return (static_cast<uint32_t>(ready) & AGENTD_IO_READ) != 0; }
inline bool can_write(Io ready) { return (static_cast<uint32_t>(ready) & AGENTD_IO_WRITE) != 0; }

// Owns one watch: destroying or replacing it ends it. The descriptor stays the author's, who closes it after the watch has ended.
//
// f runs on a thread of the host, not twice at once, for as long as the descriptor is ready (level-triggered): it reads or writes what
// there is without blocking, and returns quickly. It runs beside the bodies of the instance, so what both touch needs a lock. False, or an
// exception (which is logged), ends the watch. An end of file or an error of the descriptor is readiness too: the read that follows tells.
//
// Once stop() has returned, f is not running and will not run; so do not call it, or destroy the watch, while holding a lock that f takes.
// Called from inside f it returns at once, and f is not called again.
class Watch {
 public:
  Watch() = default;
  // An Error where the host has no io, cannot watch this descriptor, or watches no more.
  Watch(const Host& host, int64_t fd_or_socket, Io events, Callback<bool(Io ready)> f) : state_(std::make_shared<State>(host, std::move(f))) {
    const std::lock_guard lock(state_->starting);
    state_->number = state_->service.watch(host.raw(), fd_or_socket, static_cast<uint32_t>(events), &State::run, state_.get());
    if (state_->number == 0) throw Error("the host cannot watch descriptor " + std::to_string(fd_or_socket));
  }
  Watch(Watch&& other) noexcept = default;
  Watch& operator=(Watch&& other) noexcept {
    stop();
    state_ = std::move(other.state_);
    return *this;
  }
  ~Watch() { stop(); }

  void stop() noexcept {
    if (const auto state = std::move(state_)) state->end();  // even where f has ended it: f may still be on its way out
  }

 private:
  // Shared by the watch and a call of f that is under way, which may destroy the watch.
  struct State : std::enable_shared_from_this<State> {
    State(const Host& its_host, Callback<bool(Io)> its_f) : host(its_host), service(its_host.need<agentd_host_io_v1>()), f(std::move(its_f)) {}
    void end() noexcept { service.unwatch(host.raw(), number); }
    bool goes_on(Io ready) noexcept {
      try {
        return f(ready);
      } catch (...) {
        describe_current_exception([this](int32_t, const char* message, int64_t) { host.log(Level::error, message); });
        return false;
      }
    }
    static void run(void* self, uint32_t ready) noexcept {
      const auto state = static_cast<State*>(self)->shared_from_this();
      { const std::lock_guard lock(state->starting); }  // the number is known from here on
      if (!state->goes_on(static_cast<Io>(ready))) state->end();
    }
    Host host;
    const agentd_host_io_v1& service;
    Callback<bool(Io)> f;
    std::mutex starting;
    uint64_t number = 0;
  };
  std::shared_ptr<State> state_;
};

}  // namespace agentd::sdk
