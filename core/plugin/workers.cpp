#include "core/plugin/workers.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>

namespace agentd::plugin {
namespace {
constexpr std::chrono::seconds kPatience{1};
}

WorkerPool::WorkerPool(std::string name, int threads) : name_(name.substr(0, 15)), state_(std::make_shared<State>()) {
  const Lock lock(state_->mutex);
  state_->limit = threads;
}

WorkerPool::~WorkerPool() {
  auto& s = *state_;
  s.mutex.lock();
  s.closing = true;
  s.work.notify_all();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (s.alive > s.stuck && s.rest.wait_until(s.mutex, until) == std::cv_status::no_timeout) {}
  s.mutex.unlock();
}

// An idle thread that was woken but has not run yet still counts as idle, hence the comparison with the whole queue.
bool WorkerPool::State::want_thread() {
  if (queue.size() <= static_cast<std::size_t>(idle) || alive >= limit) return false;
  ++alive;
  return true;
}

void WorkerPool::submit(Bodies& bodies) {
  bool add = false;
  {
    auto& s = *state_;
    const Lock lock(s.mutex);
    s.queue.push_back(&bodies);
    add = s.want_thread();
    if (!add && s.idle > 0) s.work.notify_one();
  }
  if (add) add_thread();
}

bool WorkerPool::replace_one() {
  bool add = false;
  {
    auto& s = *state_;
    const Lock lock(s.mutex);
    if (s.stuck == kMaxStuck) return false;
    ++s.stuck;
    ++s.limit;
    add = s.want_thread();
  }
  if (add) add_thread();
  return true;
}

void WorkerPool::take_back_one() {
  const Lock lock(state_->mutex);
  --state_->stuck;
  --state_->limit;
}

// Workers get no signals: those are for the thread that waits for them.
void WorkerPool::add_thread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([state = state_] { serve(state); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), name_.c_str());
  thread.detach();
}

void WorkerPool::serve(std::shared_ptr<State> state) {
  auto& s = *state;
  s.mutex.lock();
  for (;;) {
    ++s.idle;
    while (s.queue.empty() && !s.closing && s.alive <= s.limit) s.work.wait(s.mutex);
    --s.idle;
    if (s.closing || s.alive > s.limit) break;
    Bodies& bodies = *s.queue.front();
    s.queue.pop_front();
    s.mutex.unlock();
    bodies.run_some();
    s.mutex.lock();
  }
  --s.alive;
  s.rest.notify_all();
  s.mutex.unlock();
}

void InlineWorkers::submit(Bodies& bodies) {
  boost::asio::post(executor_, [&bodies] { bodies.run_some(); });
}

}  // namespace agentd::plugin
