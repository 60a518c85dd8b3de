// One live instance of a component: what the plugin sees as its agentd_host, and the way every call into it takes.
//
//   auto start = [&](void* self, agentd_op op, std::int64_t timeout_ms) { table->start(self, &call); };
//   auto calling = instance.call(std::move(start), timeout, stop);
//   const port::Outcome got = co_await std::move(calling);
//
// The engine thread only, unless a function says otherwise. Lives until its engine ends, so that a plugin that speaks after its
// destroy is answered rather than a crash.
#pragma once
#include <agentd/abi/host.h>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/mutex.hpp"
#include "core/plugin/library.hpp"
#include "core/plugin/ops.hpp"
#include "core/plugin/services.hpp"
#include "core/plugin/workers.hpp"
#include "core/port/tool.hpp"

namespace agentd::plugin {

// What a kind adds to its instances: host services of its own, and what they fill. Any thread.
class Extension {
 public:
  virtual ~Extension() = default;
  virtual const void* service(std::string_view id) const = 0;  // NULL: not mine
};

// The slots that every table has.
struct Frame {
  agentd_create_fn create = nullptr;
  agentd_destroy_fn destroy = nullptr;
  agentd_cancel_fn cancel = nullptr;  // may be NULL
};

// A host service that keeps something for one instance.
class HostService {
 public:
  virtual ~HostService() = default;
  virtual std::string_view id() const = 0;     // any thread
  virtual const void* table() const = 0;       // any thread
  // ---- the engine thread
  virtual void op_over(agentd_op) {}           // abort what was started under it
  virtual void stop_own() {}                   // the instance closes: abort what belongs to it as a whole
  virtual std::string busy() const { return {}; }  // what the plugin is still owed, for people; empty: nothing
  virtual void drop() {}                       // the instance is destroyed: call nothing of it any more
};
// Those that are there, see services.hpp.
enum class Part { timer, http, io, kv, metrics };
constexpr std::size_t kParts = 5;
using HostServices = std::array<std::unique_ptr<HostService>, kParts>;

class Instance final : public agentd_host, private Bodies {
 public:
  // Calls the slot. self is what create answered.
  using Start = std::move_only_function<void(void* self, agentd_op op, std::int64_t timeout_ms)>;
  struct Surroundings {
    World world;
    const Services& services;
    Patience patience;
    std::shared_ptr<Ops> ops;  // shared with its wake-ups
    Workers& workers;
  };
  // Operations that never ended, per instance, before it is given no more.
  static constexpr int kMostAbandoned = 64;
  // Bodies that wait for a worker, per instance.
  static constexpr std::size_t kMostJobs = 65'536;

  Instance(std::string name, Library& library, Component& component, Frame frame, std::unique_ptr<Extension> extension, Surroundings around);
  ~Instance() override;
  static Instance& of(agentd_host* host) { return *static_cast<Instance*>(host); }

  // ---- life
  Async<Result<void>> create(std::string settings);  // once
  // Waits until nothing is open, then destroys. An error: it is left as it is, with the reason.
  Async<Result<void>> close();
  bool ready() const { return state_ == State::ready; }
  bool can_be_deleted() const;

  // Admission, start, deadline, cancel, grace: ends at the latest after timeout and grace, then with unknown_outcome. `ok` has a
  // valid JSON value unless a service of the kind ended it. stop asks the plugin to end sooner.
  Async<port::Outcome> call(Start start, Millis timeout, std::stop_token stop, Capture* capture = nullptr);
  // An operation that begins without a coroutine, for who waits by itself. start runs before this returns. 0: refused.
  agentd_op begin(Start start, Tick deadline, Waiter& waiter, Capture* capture = nullptr);

  // ---- any thread
  const std::string& name() const { return name_; }
  const Library& library() const { return library_; }
  const Component& component() const { return component_; }
  std::string who() const;  // for messages: instance "a" of plugin "b"
  Extension* extension() { return extension_.get(); }
  const Services& services() const { return around_.services; }
  Ops& ops() { return *around_.ops; }
  const World& world() const { return around_.world; }
  bool end(agentd_op op, Ended how);  // false: stale, and counted
  template <class C, class Fill>
  std::int32_t gather(agentd_op op, Fill fill) {
    return ops().gather<C>(*this, op, std::move(fill));
  }
  std::int32_t submit(agentd_op op, agentd_job_fn run, void* context);
  void log(LogLevel level, std::string_view text) const;
  template <class S>
  S& part() {  // only from a service that find_service gave
    return static_cast<S&>(*parts_[static_cast<std::size_t>(S::kPart)]);
  }
  template <class Callback>
  void guard(std::string_view what, Callback callback) noexcept {  // calls into the plugin where nobody waits for an answer
    try {
      callback();
    } catch (...) {
      thrown_from(what);
    }
  }
  bool closing() const { return closing_.load(std::memory_order_acquire); }

  // ---- for Ops and the services, the engine thread
  void op_over(agentd_op op, bool abandoned);
  void check_quiet();

 private:
  enum class State { fresh, creating, ready, closing, closed, failed, left };
  struct Job {
    agentd_op op;
    agentd_job_fn run;
    void* context;
  };
  struct Running {
    agentd_op op;
    bool stuck;
  };
  class Pending;
  friend class Pending;

  void thrown_from(std::string_view what) const noexcept;
  void run_some() override;
  void run(const Job& job);
  bool take(Job& job) AGENTD_REQUIRES(mutex_);
  void body_ended(const Running& running);
  std::int32_t accept(Job job);
  const void* find_service(std::string_view id) const;
  std::optional<std::string> missing_service() const;
  std::optional<port::Outcome> refusal() const;
  port::Outcome outcome(Ended how) const;
  Async<Ended> operate(Start start, Tick deadline, std::stop_token stop, Capture* capture);
  void cancel_slot(agentd_op op);
  agentd_op open(Start& start, Tick deadline, Waiter& waiter, Capture* capture);
  void forget(agentd_op op) { around_.ops->forget(op); }
  void abandoned(agentd_op op);
  void replace_workers_of(agentd_op op);
  std::string still_open() const;  // for people; empty: nothing
  Async<bool> until_quiet(Millis patience);
  Result<void> leave_as_is(std::string why);

  const std::string name_;
  Library& library_;
  Component& component_;
  const Frame frame_;
  const std::unique_ptr<Extension> extension_;
  const Surroundings around_;
  State state_ = State::fresh;
  void* self_ = nullptr;
  int open_ = 0, abandoned_ = 0;
  Promise<bool>* quiet_waiter_ = nullptr;
  std::atomic<bool> closing_{false};
  std::atomic<int> stuck_{0};
  HostServices parts_;

  mutable Mutex mutex_;
  std::deque<Job> jobs_ AGENTD_GUARDED_BY(mutex_);
  std::vector<Running*> running_ AGENTD_GUARDED_BY(mutex_);
  bool strand_taken_ AGENTD_GUARDED_BY(mutex_) = false;
};

}  // namespace agentd::plugin
