#include <agentd/abi/host.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <condition_variable>
#include <thread>
#include <unordered_map>

#include "core/plugin/host_services.hpp"

namespace agentd::plugin {
namespace {

using Descriptor = boost::asio::posix::stream_descriptor;
constexpr std::size_t kMostWatches = 16'384;

class IoService final : public HostService {
 public:
  using Ready = void (*)(void* context, std::uint32_t events);
  static constexpr Part kPart = Part::io;
  IoService(Instance& instance, boost::asio::io_context& io) : instance_(instance), io_(io) {}
  ~IoService() override { IoService::drop(); }
  std::string_view id() const override { return AGENTD_HOST_IO_1; }
  const void* table() const override {
    static constexpr agentd_host_io_v1 kTable{
        [](agentd_host* h, std::int64_t fd, std::uint32_t events, Ready ready, void* context) noexcept { return of(h).watch(fd, events, ready, context); },
        [](agentd_host* h, std::uint64_t watch) noexcept { of(h).unwatch(watch); }};
    return &kTable;
  }

  void drop() override {
    const Lock lock(mutex_);
    watches_.clear();
    closed_ = true;
  }

 private:
  // A duplicate of the plugin's descriptor: it may close its own at any time, and watch one twice.
  struct Watch {
    Descriptor descriptor;
    std::uint32_t events;
    Ready ready;
    void* context;
    bool gone = false;
    std::thread::id running;  // where ready runs now
  };
  static IoService& of(agentd_host* host) { return Instance::of(host).part<IoService>(); }

  std::uint64_t watch(std::int64_t fd, std::uint32_t events, Ready ready, void* context) {
    if (!ready || (events & (AGENTD_IO_READ | AGENTD_IO_WRITE)) == 0 || fd < 0 || fd > INT32_MAX) return 0;
    const int mine = fcntl(static_cast<int>(fd), F_DUPFD_CLOEXEC, 0);
    if (mine < 0) return 0;
    std::uint64_t id = 0;
    {
      const Lock lock(mutex_);
      if (!closed_ && watches_.size() < kMostWatches) {
        id = ++last_;
        // Not assigned to Asio yet: that is for the engine thread.
        watches_.emplace(id, std::make_unique<Watch>(Descriptor(io_), events, ready, context));
      }
    }
    if (id) instance_.ops().run_on_engine([this, id, mine] { begin(id, mine); });
    else close(mine);
    return id;
  }

  void unwatch(std::uint64_t id) {
    {
      const Lock lock(mutex_);
      for (;;) {
        const auto found = watches_.find(id);
        if (found == watches_.end()) return;
        found->second->gone = true;
        const auto where = found->second->running;
        if (where == std::thread::id() || where == std::this_thread::get_id()) break;
        returned_.wait(mutex_);
      }
    }
    instance_.ops().run_on_engine([this, id] { forget(id); });
  }

  // ---- the engine thread

  void begin(std::uint64_t id, int fd) {
    Watch* const watch = find(id);
    boost::system::error_code error;
    if (watch) watch->descriptor.assign(fd, error);
    if (!watch || error) {
      close(fd);
      if (error) instance_.log(LogLevel::error, "io: descriptor cannot be watched: " + error.message());
      return;
    }
    if (watch->events & AGENTD_IO_READ) wait(*watch, id, Descriptor::wait_read, AGENTD_IO_READ);
    if (watch->events & AGENTD_IO_WRITE) wait(*watch, id, Descriptor::wait_write, AGENTD_IO_WRITE);
  }

  void wait(Watch& watch, std::uint64_t id, Descriptor::wait_type type, std::uint32_t event) {
    watch.descriptor.async_wait(type, [this, id, type, event](boost::system::error_code error) {
      if (error == boost::asio::error::operation_aborted) return;
      call(id, event);
      if (Watch* const again = find(id)) wait(*again, id, type, event);
    });
  }

  void call(std::uint64_t id, std::uint32_t event) {
    Watch* watch = nullptr;
    {
      const Lock lock(mutex_);
      const auto found = watches_.find(id);
      if (found == watches_.end() || found->second->gone) return;
      watch = found->second.get();
      watch->running = std::this_thread::get_id();
    }
    instance_.guard("a watch", [&] { watch->ready(watch->context, event); });
    const Lock lock(mutex_);
    watch->running = {};
    returned_.notify_all();
  }

  Watch* find(std::uint64_t id) {
    const Lock lock(mutex_);
    const auto found = watches_.find(id);
    return found == watches_.end() || found->second->gone ? nullptr : found->second.get();
  }

  void forget(std::uint64_t id) {
    const Lock lock(mutex_);
    watches_.erase(id);
  }

  Instance& instance_;
  boost::asio::io_context& io_;
  Mutex mutex_;
  std::condition_variable_any returned_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Watch>> watches_ AGENTD_GUARDED_BY(mutex_);  // erased by the engine thread only
  std::uint64_t last_ AGENTD_GUARDED_BY(mutex_) = 0;
  bool closed_ AGENTD_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<HostService> make_io_service(Instance& instance) {
  auto* const io = instance.services().io;
  return io ? std::make_unique<IoService>(instance, *io) : nullptr;
}

}  // namespace agentd::plugin
