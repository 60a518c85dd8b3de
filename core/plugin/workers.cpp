#include "core/plugin/workers.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <system_error>

namespace agentd::plugin {
namespace {
constexpr std::chrono::seconds kPatience{1};
}

WorkerPool::WorkerPool(std::string name, int threads) : state_(std::make_shared<State>()) {
  state_->name = name.substr(0, 15);  // the longest that Linux takes
  const Lock lock(state_->mutex);
  state_->limit = threads;
}

WorkerPool::~WorkerPool() { close(); }

void WorkerPool::close() {
  auto& s = *state_;
  s.mutex.lock();
  s.closing = true;
  s.work.notify_all();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (s.alive > s.stuck && s.rest.wait_until(s.mutex, until) == std::cv_status::no_timeout) {}
  s.mutex.unlock();
}

// One at a time: who comes looks itself whether yet another is needed. So a burst of short bodies wakes as many threads as there is work
// for, not one per body.
bool WorkerPool::State::call_for_one() {
  if (coming || queue.empty()) return false;
  if (idle > 0) {
    coming = true;
    work.notify_one();
    return false;
  }
  if (alive >= limit) return false;
  coming = true;
  ++alive;
  return true;
}

void WorkerPool::submit(Bodies& bodies) {
  bool add = false;
  {
    const Lock lock(state_->mutex);
    state_->queue.push_back(&bodies);
    add = state_->call_for_one();
  }
  if (add) add_thread(state_);
}

bool WorkerPool::replace_one() {
  bool add = false;
  {
    auto& s = *state_;
    const Lock lock(s.mutex);
    if (s.stuck == kMaxStuck) return false;
    ++s.stuck;
    ++s.limit;
    add = s.call_for_one();
  }
  if (add) add_thread(state_);
  return true;
}

void WorkerPool::take_back_one() {
  const Lock lock(state_->mutex);
  --state_->stuck;
  --state_->limit;
  state_->work.notify_all();  // one is too many now
}

// Workers get no signals: those are for the thread that waits for them.
void WorkerPool::add_thread(const std::shared_ptr<State>& state) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([state] { serve(state); }).detach();
  } catch (const std::system_error&) {  // the machine has no thread to give; the next submit asks again
    const Lock lock(state->mutex);
    state->coming = false;
    --state->alive;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void WorkerPool::serve(std::shared_ptr<State> state) {
  auto& s = *state;
  pthread_setname_np(pthread_self(), s.name.c_str());
  s.mutex.lock();
  s.coming = false;
  for (;;) {
    if (s.queue.empty()) {
      if (s.closing || s.alive > s.limit) break;
      ++s.idle;
      s.work.wait(s.mutex);
      --s.idle;
      s.coming = false;
      continue;
    }
    if (s.closing) break;
    Bodies& bodies = *s.queue.front();
    s.queue.pop_front();
    const bool add = s.call_for_one();
    s.mutex.unlock();
    if (add) add_thread(state);
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
