// bench_plugin [--calls N]: what one call into a plugin costs. One line of JSON per way.
//   start_finish  the slot is called and answers at once, 64 at a time, no coroutine
//   awaited       the same, one at a time, as the engine calls it: admission, deadline, coroutine
//   workers       the body runs on the plugin's pool, 64 in flight
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>

#include "core/base/real_world.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/instances.hpp"
#include "tests/bench/measure.hpp"

namespace agentd::bench {
namespace {

using namespace plugin;

constexpr int kInFlight = 64;
constexpr int kWarmUp = 10'000;
constexpr Millis kTimeout{30'000};
using Slot = void (*)(void* self, agentd_op op, std::int64_t timeout_ms);

// A plugin that does nothing, quickly.
struct Empty {
  agentd_host* host = nullptr;
  const agentd_host_ops_v1* ops = nullptr;
  const agentd_host_work_v1* work = nullptr;

  static void finish(Empty& self, agentd_op op) {
    const agentd_result nothing{sizeof nothing, AGENTD_OK, str("null"), -1};
    self.ops->finish(self.host, op, &nothing);
  }
  static void create(agentd_host* host, agentd_op op, agentd_str settings) {
    auto* const self = reinterpret_cast<Empty*>(std::strtoull(settings.data, nullptr, 10));
    *self = {host, static_cast<const agentd_host_ops_v1*>(host->service(host, AGENTD_HOST_OPS_1)), static_cast<const agentd_host_work_v1*>(host->service(host, AGENTD_HOST_WORK_1))};
    self->ops->created(host, op, self);
  }
  static void destroy(void* self, agentd_op op) { finish(*static_cast<Empty*>(self), op); }
  static void start(void* self, agentd_op op, std::int64_t) { finish(*static_cast<Empty*>(self), op); }

  struct Job {
    Empty* self;
    agentd_op op;
  };
  static void start_body(void* self, agentd_op op, std::int64_t) {
    auto* const empty = static_cast<Empty*>(self);
    empty->work->submit(empty->host, op, &run_body, new Job{empty, op});
  }
  static void run_body(void* context) {
    const std::unique_ptr<Job> job(static_cast<Job*>(context));
    finish(*job->self, job->op);
  }
};

class NoExtension final : public Extension {
 public:
  const void* service(std::string_view) const override { return nullptr; }
};

class Bench {
 public:
  Bench() {
    library_.name = "empty";
    const agentd_component described{sizeof described, AGENTD_CONCURRENT, str("bench/1"), str("empty"), {}, {}, this};
    library_.components.push_back(std::make_unique<Component>(described, Library::kMaxConcurrent));
    run(open());
  }
  ~Bench() { run(close()); }

  // CPU of each begun operation until its waiter has heard of its end.
  double begun_ns(int calls) {
    struct Counting final : Waiter {
      int ended_count = 0;
      void ended(Ended) override { ++ended_count; }
    } waiter;
    const Tick deadline = clock_.tick() + kTimeout;
    const Cost cost;
    for (int i = 0; i < calls; i += kInFlight) {
      for (int n = 0; n < kInFlight; ++n) instance_->begin(Empty::start, deadline, waiter);
      io_.restart();
      io_.poll();
    }
    if (waiter.ended_count < calls) std::abort();
    return cost.cpu_us() * 1e3 / waiter.ended_count;
  }
  // `in_flight` stories, each awaiting one call after the other.
  Cost awaited(int calls, int in_flight, Slot slot) {
    const Cost cost;
    for (int i = 0; i < in_flight; ++i) spawn(io_.get_executor(), call(calls / in_flight, slot));
    io_.restart();
    io_.run();
    return cost;
  }

 private:
  void run(Async<void> story) {
    spawn(io_.get_executor(), std::move(story));
    io_.restart();
    io_.run();
  }
  Async<void> open() {
    auto opening = instances_.open("empty", library_, *library_.components.front(), {Empty::create, Empty::destroy, nullptr}, std::make_unique<NoExtension>(),
                                   std::to_string(reinterpret_cast<std::uintptr_t>(&empty_)));
    const auto opened = co_await std::move(opening);
    if (!opened) std::fprintf(stderr, "%s\n", opened.error().message.c_str()), std::exit(1);
    instance_ = *opened;
  }
  Async<void> call(int calls, Slot slot) {
    for (int i = 0; i < calls; ++i) {
      Instance::Start start = slot;
      auto calling = instance_->call(std::move(start), kTimeout, {});
      const auto got = co_await std::move(calling);
      if (got.status != port::Status::ok) std::abort();
    }
  }
  Async<void> close() { (void)co_await instances_.close(); }

  Empty empty_;
  boost::asio::io_context io_{1};
  SystemClock clock_;
  AsioTimers timers_{io_};
  SystemRandom random_;
  Library library_;
  Instances instances_{World{io_.get_executor(), clock_, timers_, random_}, {}, {.patience = {}, .make_workers = {}, .check_settings = {}}};
  Instance* instance_ = nullptr;
};

}  // namespace
}  // namespace agentd::bench

int main(int argc, char** argv) {
  using namespace agentd::bench;
  const int calls = Options(argc, argv).number("--calls", 640'000);
  Bench bench;
  bench.begun_ns(kWarmUp);
  Line("plugin_start_finish").add("calls", calls).add("ns_per_call", bench.begun_ns(calls)).print();
  const auto awaited = bench.awaited(calls, 1, Empty::start);
  Line("plugin_awaited").add("calls", calls).add("ns_per_call", awaited.cpu_us() * 1e3 / calls).print();
  bench.awaited(kWarmUp, kInFlight, Empty::start_body);
  const auto workers = bench.awaited(calls, kInFlight, Empty::start_body);
  Line("plugin_workers").add("calls", calls).add("in_flight", kInFlight).add("cpu_us_per_call", workers.cpu_us() / calls).add("wall_us_per_call", workers.wall_s() * 1e6 / calls).print();
}
