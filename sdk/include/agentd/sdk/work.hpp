// Work of the instance's own on the host's threads, which may block.
#pragma once
#include <agentd/sdk/callback.hpp>
#include <agentd/sdk/host.hpp>

#include <memory>
#include <utility>

namespace agentd::sdk {

// f runs once on a worker; like a body, not beside another unless the component is concurrent. `parent` is the operation it is for; 0:
// background work of the instance. An Error with Failure::retryable when the host takes no more. What f throws is logged.
inline void on_worker(const Host& host, agentd_op parent, Callback<void()> f) {
  struct Work {
    Host host;
    Callback<void()> f;
    static void run(void* self) noexcept {
      const std::unique_ptr<Work> work(static_cast<Work*>(self));
      try {
        work->f();
      } catch (...) {
        describe_current_exception([&](int32_t, const char* message, int64_t) { work->host.log(Level::error, message); });
      }
    }
  };
  const auto& service = host.need<agentd_host_work_v1>();
  auto work = std::unique_ptr<Work>(new Work{host, std::move(f)});
  const int32_t taken = service.submit(host.raw(), parent, &Work::run, work.get());
  if (taken != AGENTD_OK) throw Error("the host took no more work for this plugin", Failure::retryable);
  (void)work.release();  // it is the worker's, and may have ended already
}

}  // namespace agentd::sdk
