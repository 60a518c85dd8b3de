#include <agentd/abi/host.h>

#include <unordered_map>

#include "core/plugin/host_services.hpp"

namespace agentd::plugin {
namespace {

constexpr std::size_t kMostTimers = 65'536;

class TimerService final : public HostService {
 public:
  static constexpr Part kPart = Part::timer;
  explicit TimerService(Instance& instance) : instance_(instance) {}
  ~TimerService() override { TimerService::drop(); }
  std::string_view id() const override { return AGENTD_HOST_TIMER_1; }
  const void* table() const override {
    static constexpr agentd_host_timer_v1 kTable{
        [](agentd_host* h, std::int64_t delay_ms, agentd_job_fn run, void* context) noexcept { return of(h).after(delay_ms, run, context); },
        [](agentd_host* h, std::uint64_t timer) noexcept { return of(h).cancel(timer); }};
    return &kTable;
  }

  void drop() override {
    const Lock lock(mutex_);
    for (const auto& [id, timer] : timers_) instance_.world().timers.cancel(timer.armed);
    timers_.clear();
    closed_ = true;
  }

 private:
  struct Timer {
    agentd_job_fn run;
    void* context;
    Timers::Id armed = 0;  // 0 until the engine thread has heard of it
  };
  static TimerService& of(agentd_host* host) { return Instance::of(host).part<TimerService>(); }

  std::uint64_t after(std::int64_t delay_ms, agentd_job_fn run, void* context) {
    if (!run) return 0;
    std::uint64_t id = 0;
    {
      const Lock lock(mutex_);
      if (closed_ || timers_.size() == kMostTimers) return 0;
      id = ++last_;
      timers_.emplace(id, Timer{run, context});
    }
    instance_.ops().run_on_engine([this, id, delay_ms] { arm(id, Millis(std::max<std::int64_t>(0, delay_ms))); });
    return id;
  }

  void arm(std::uint64_t id, Millis delay) {
    const Lock lock(mutex_);
    const auto found = timers_.find(id);
    if (found != timers_.end()) found->second.armed = instance_.world().timers.after(delay, [this, id] { fire(id); });
  }

  void fire(std::uint64_t id) {
    Timer due{};
    {
      const Lock lock(mutex_);
      const auto found = timers_.find(id);
      if (found == timers_.end()) return;
      due = found->second;
      timers_.erase(found);
    }
    instance_.guard("a timer", [&] { due.run(due.context); });
  }

  std::int32_t cancel(std::uint64_t id) {
    Timers::Id armed = 0;
    {
      const Lock lock(mutex_);
      const auto found = timers_.find(id);
      if (found == timers_.end()) return AGENTD_STALE;
      armed = found->second.armed;
      timers_.erase(found);
    }
    if (armed) instance_.ops().run_on_engine([this, armed] { instance_.world().timers.cancel(armed); });
    return AGENTD_OK;
  }

  Instance& instance_;
  Mutex mutex_;
  std::unordered_map<std::uint64_t, Timer> timers_ AGENTD_GUARDED_BY(mutex_);
  std::uint64_t last_ AGENTD_GUARDED_BY(mutex_) = 0;
  bool closed_ AGENTD_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<HostService> make_timer_service(Instance& instance) { return std::make_unique<TimerService>(instance); }

}  // namespace agentd::plugin
