// Threads that may block, for the bodies of one plugin.
#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "core/base/async.hpp"
#include "core/base/mutex.hpp"

namespace agentd::plugin {

// Who has bodies to run. run_some is called once per submit, on a worker, also several at once.
class Bodies {
 public:
  virtual ~Bodies() = default;
  virtual void run_some() = 0;
};

// Any thread.
class Workers {
 public:
  virtual ~Workers() = default;
  virtual void submit(Bodies& bodies) = 0;
  // A worker is stuck in a body that nobody waits for any more: another takes its place. False: too many are stuck already.
  virtual bool replace_one() = 0;
  virtual void take_back_one() = 0;  // a stuck one came back
  virtual void close() = 0;          // nothing is submitted any more; waits a moment for bodies that run
};

// Starts threads when there is work, up to `threads` beside those that are stuck. The destructor closes, and leaves a stuck thread behind
// rather than wait for ever: whose body has not come back by then must not come back to this.
class WorkerPool final : public Workers {
 public:
  static constexpr int kMaxStuck = 4;

  WorkerPool(std::string name, int threads);
  ~WorkerPool() override;
  void submit(Bodies& bodies) override;
  bool replace_one() override;
  void take_back_one() override;
  void close() override;

 private:
  struct State {
    std::string name;  // of the threads
    Mutex mutex;
    std::condition_variable_any work, rest;
    std::deque<Bodies*> queue AGENTD_GUARDED_BY(mutex);
    int limit AGENTD_GUARDED_BY(mutex) = 0;
    int alive AGENTD_GUARDED_BY(mutex) = 0;
    int idle AGENTD_GUARDED_BY(mutex) = 0;
    int stuck AGENTD_GUARDED_BY(mutex) = 0;
    bool coming AGENTD_GUARDED_BY(mutex) = false;  // a thread was woken or started and has not looked at the queue yet
    bool closing AGENTD_GUARDED_BY(mutex) = false;
    bool call_for_one() AGENTD_REQUIRES(mutex);    // true: the caller starts a thread, it is counted already
  };
  static void serve(std::shared_ptr<State> state);
  static void add_thread(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;  // shared with the threads: a stuck one outlives the pool
};

// No threads: bodies run on the engine's executor, one after the other. For simulations.
class InlineWorkers final : public Workers {
 public:
  explicit InlineWorkers(Executor executor) : executor_(std::move(executor)) {}
  void submit(Bodies& bodies) override;
  bool replace_one() override { return true; }
  void take_back_one() override {}
  void close() override {}

 private:
  Executor executor_;
};

}  // namespace agentd::plugin
