// Operations in flight: what a plugin was asked and has not answered yet.
//
// An operation is an index with a generation, so that a late or second finish is recognised whatever happened to its place since.
// It ends from any thread, possibly inside the slot that started it; the engine hears of all ends that came meanwhile with one
// wake-up, and never inside the plugin's call.
#pragma once
#include <agentd/abi/base.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/mutex.hpp"

namespace agentd::plugin {

class Instance;

// What an operation gathers before it ends, filled by a service of its kind: entries of a memory, deltas of a model.
// Lives in the caller's frame; a plugin cannot reach it any more once the operation was abandoned.
class Capture {
 public:
  virtual ~Capture() = default;
  virtual void collect() {}  // the operation's lock is held: set aside what deliver() shall hand on
  virtual void deliver() {}  // the engine thread, no lock
  virtual std::string_view traceparent() const { return {}; }  // of what is asked over HTTP under the operation; empty: it is in no trace
};

// How an operation ended, as the plugin said it.
struct Ended {
  std::int32_t status = AGENTD_OK;
  std::string value;
  std::int64_t retry_after_ms = -1;
  bool created = false;  // a create that succeeded
  void* self = nullptr;  // what it made
};

inline Ended failed(std::int32_t status, std::string message) { return {.status = status, .value = std::move(message)}; }

// Who waits for an operation. The engine thread only.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void ended(Ended how) = 0;  // once, never inside the start of the operation
};

// One table for all plugins of an engine. Shared with the wake-ups it has posted, which may outlive everything else of the engine.
// At most kMaxOps are open at a time, those abandoned included.
class Ops : public std::enable_shared_from_this<Ops> {
 public:
  static constexpr std::uint32_t kChunk = 1024, kChunks = 1024, kMaxOps = kChunk * kChunks;

  Ops(Executor executor, const Clock& clock) : executor_(std::move(executor)), clock_(clock) {}
  ~Ops();

  // ---- the engine thread
  agentd_op open(Instance& owner, Tick deadline, Waiter& waiter, Capture* capture);  // 0: kMaxOps are open
  void ask_to_stop(agentd_op op);  // cancelled() says so from now on
  // Forgets the waiter: whatever the plugin says from now on is stale. False when the end is on its way already.
  bool abandon(agentd_op op);
  void forget(agentd_op op);  // the same when the waiter goes away itself: also an end on its way reaches nobody
  void close();  // nothing wakes the engine from now on

  // ---- any thread; owner is who claims to hold the operation
  bool is_open(const Instance& owner, agentd_op op) const;
  bool is_abandoned(const Instance& owner, agentd_op op) const;  // and the plugin has not ended it since
  bool cancelled(const Instance& owner, agentd_op op) const;  // also when it is over
  std::int64_t remaining_ms(const Instance& owner, agentd_op op) const;
  std::string traceparent(const Instance& owner, agentd_op op) const;
  // Runs a job on the engine thread, in the order of the calls; not at all after close. The job's owner outlives that.
  void run_on_engine(std::move_only_function<void()> job);
  bool end(Instance& owner, agentd_op op, Ended how);  // false: it had ended, or never was
  // Runs fill(C&) under the operation's lock. AGENTD_OK; AGENTD_CANCELLED: filled, but somebody asked it to stop; not filled:
  // AGENTD_STALE, or AGENTD_DENIED when the operation gathers nothing of that kind. fill is quick and calls nothing of a plugin.
  template <class C, class Fill>
  std::int32_t gather(const Instance& owner, agentd_op op, Fill fill);

 private:
  enum class State : std::uint8_t { free, open, ended, abandoned, let_go };
  struct Slot {
    Mutex mutex;
    std::uint32_t index = 0;
    std::uint32_t generation AGENTD_GUARDED_BY(mutex) = 1;
    State state AGENTD_GUARDED_BY(mutex) = State::free;
    bool stopping AGENTD_GUARDED_BY(mutex) = false;
    bool queued AGENTD_GUARDED_BY(mutex) = false;
    bool news AGENTD_GUARDED_BY(mutex) = false;
    Instance* owner AGENTD_GUARDED_BY(mutex) = nullptr;
    Tick deadline AGENTD_GUARDED_BY(mutex){};
    Waiter* waiter AGENTD_GUARDED_BY(mutex) = nullptr;
    Capture* capture AGENTD_GUARDED_BY(mutex) = nullptr;
    Ended how AGENTD_GUARDED_BY(mutex);
    Slot* next = nullptr;  // in ready_
  };
  using Chunk = std::array<Slot, kChunk>;

  Slot* slot(agentd_op op) const;
  static bool is(const Slot& slot, agentd_op op, const Instance& owner) AGENTD_REQUIRES(slot.mutex);
  bool grow();
  static bool enqueue(Slot& slot) AGENTD_REQUIRES(slot.mutex);  // true: the caller pushes it
  void push(Slot& slot);
  void wake();
  void drain();
  void settle(Slot& slot);
  agentd_op hand_on_news(Slot& slot);
  static agentd_op id(const Slot& slot) AGENTD_REQUIRES(slot.mutex);
  static void clear(Slot& slot) AGENTD_REQUIRES(slot.mutex);

  const Executor executor_;
  const Clock& clock_;
  std::array<std::atomic<Chunk*>, kChunks> chunks_{};
  std::vector<std::uint32_t> free_;    // the engine thread
  std::uint32_t chunk_count_ = 0;      // the engine thread
  std::atomic<Slot*> ready_{nullptr};  // ended or with news, latest first
  Mutex wake_mutex_;
  bool closed_ AGENTD_GUARDED_BY(wake_mutex_) = false;
};

template <class C, class Fill>
std::int32_t Ops::gather(const Instance& owner, agentd_op op, Fill fill) {
  Slot* const s = slot(op);
  if (!s) return AGENTD_STALE;
  std::int32_t status = AGENTD_OK;
  {
    const Lock lock(s->mutex);
    if (!is(*s, op, owner) || s->state != State::open) return AGENTD_STALE;
    auto* const capture = dynamic_cast<C*>(s->capture);
    if (!capture) return AGENTD_DENIED;
    fill(*capture);
    if (s->stopping) status = AGENTD_CANCELLED;
    s->news = true;
    if (!enqueue(*s)) return status;
  }
  push(*s);
  return status;
}

}  // namespace agentd::plugin
