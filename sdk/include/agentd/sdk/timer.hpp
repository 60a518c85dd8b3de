// A function that runs later, on the host's loop.
#pragma once
#include <agentd/sdk/callback.hpp>
#include <agentd/sdk/host.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

namespace agentd::sdk {

// Owns one wait: destroying or replacing it cancels it. f must return quickly, and runs at most once; once cancel() has returned, f is
// not running and will not run. f may destroy its own timer.
class Timer {
 public:
  Timer() = default;
  Timer(const Host& host, std::chrono::milliseconds delay, Callback<void()> f) : state_(std::make_shared<State>(host, std::move(f))) {
    auto context = std::make_unique<std::shared_ptr<State>>(state_);
    const std::lock_guard lock(state_->mutex);  // so that a timer that is due at once finds its number
    state_->number = state_->service.after(host.raw(), delay.count(), &State::run, context.get());
    if (state_->number == 0) throw Error("the host set no more timers", Failure::retryable);
    state_->context = context.release();
  }
  Timer(Timer&& other) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    cancel();
    state_ = std::move(other.state_);
    return *this;
  }
  ~Timer() { cancel(); }

  void cancel() noexcept {
    const auto state = std::move(state_);
    if (!state) return;
    const std::lock_guard lock(state->mutex);  // waits for f where it is running on another thread
    if (std::exchange(state->over, true)) return;
    if (state->service.cancel(state->host.raw(), state->number) == AGENTD_OK) delete state->context;
  }

 private:
  // Shared by the host, which will call run, and the timer, which may go first.
  struct State {
    State(const Host& its_host, Callback<void()> its_f)
        : host(its_host), service(its_host.need<agentd_host_timer_v1>()), f(std::move(its_f)) {}
    static void run(void* self) noexcept {
      const std::unique_ptr<std::shared_ptr<State>> context(static_cast<std::shared_ptr<State>*>(self));
      const std::shared_ptr<State> state = *context;
      const std::lock_guard lock(state->mutex);
      if (std::exchange(state->over, true)) return;
      try {
        state->f();
      } catch (...) {
        describe_current_exception([&](int32_t, const char* message, int64_t) { state->host.log(Level::error, message); });
      }
    }
    Host host;
    const agentd_host_timer_v1& service;
    Callback<void()> f;
    std::recursive_mutex mutex;  // recursive: f may cancel its own timer
    uint64_t number = 0;
    std::shared_ptr<State>* context = nullptr;
    bool over = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace agentd::sdk
