#include "core/plugin/ops.hpp"

#include <algorithm>

#include "core/plugin/instance.hpp"

namespace agentd::plugin {

Ops::~Ops() {
  for (std::uint32_t i = 0; i < chunk_count_; ++i) delete chunks_[i].load();
}

Ops::Slot* Ops::slot(agentd_op op) const {
  const auto index = static_cast<std::uint32_t>(op);
  if (index >= kMaxOps) return nullptr;
  Chunk* const chunk = chunks_[index / kChunk].load(std::memory_order_acquire);
  return chunk ? &(*chunk)[index % kChunk] : nullptr;
}

bool Ops::is(const Slot& slot, agentd_op op, const Instance& owner) { return slot.generation == op >> 32 && slot.owner == &owner; }

bool Ops::grow() {
  if (chunk_count_ == kChunks) return false;
  auto chunk = std::make_unique<Chunk>();
  const std::uint32_t first = chunk_count_ * kChunk;
  for (std::uint32_t i = kChunk; i-- > 0;) {
    (*chunk)[i].index = first + i;
    free_.push_back(first + i);
  }
  chunks_[chunk_count_++].store(chunk.release(), std::memory_order_release);
  return true;
}

agentd_op Ops::open(Instance& owner, Tick deadline, Waiter& waiter, Capture* capture) {
  if (free_.empty() && !grow()) return 0;
  Slot& s = *slot(free_.back());
  free_.pop_back();
  const Lock lock(s.mutex);
  s.state = State::open;
  s.stopping = s.news = false;
  s.owner = &owner;
  s.deadline = deadline;
  s.waiter = &waiter;
  s.capture = capture;
  return id(s);
}

void Ops::ask_to_stop(agentd_op op) {
  Slot& s = *slot(op);
  const Lock lock(s.mutex);
  if (s.generation == op >> 32) s.stopping = true;
}

bool Ops::abandon(agentd_op op) {
  Slot& s = *slot(op);
  const Lock lock(s.mutex);
  if (s.generation != op >> 32 || s.state != State::open) return false;
  s.waiter = nullptr;
  s.capture = nullptr;
  s.state = State::abandoned;
  return true;
}

void Ops::forget(agentd_op op) {
  if (abandon(op)) return;
  Slot& s = *slot(op);
  const Lock lock(s.mutex);
  if (s.generation != op >> 32) return;
  s.waiter = nullptr;
  s.capture = nullptr;
}

void Ops::close() {
  const Lock lock(wake_mutex_);
  closed_ = true;
}

bool Ops::is_open(const Instance& owner, agentd_op op) const {
  Slot* const s = slot(op);
  if (!s) return false;
  const Lock lock(s->mutex);
  return is(*s, op, owner) && s->state == State::open;
}

bool Ops::is_abandoned(const Instance& owner, agentd_op op) const {
  Slot* const s = slot(op);
  if (!s) return false;
  const Lock lock(s->mutex);
  return is(*s, op, owner) && s->state == State::abandoned;
}

bool Ops::cancelled(const Instance& owner, agentd_op op) const {
  Slot* const s = slot(op);
  if (!s) return true;
  const Lock lock(s->mutex);
  return !is(*s, op, owner) || s->state != State::open || s->stopping;
}

std::string Ops::traceparent(const Instance& owner, agentd_op op) const {
  Slot* const s = slot(op);
  if (!s) return {};
  const Lock lock(s->mutex);
  return is(*s, op, owner) && s->state == State::open && s->capture ? std::string(s->capture->traceparent()) : std::string();
}

std::int64_t Ops::remaining_ms(const Instance& owner, agentd_op op) const {
  Slot* const s = slot(op);
  if (!s) return 0;
  const Lock lock(s->mutex);
  if (!is(*s, op, owner) || s->state != State::open) return 0;
  return std::max<std::int64_t>(0, std::chrono::ceil<Millis>(s->deadline - clock_.tick()).count());
}

bool Ops::end(Instance& owner, agentd_op op, Ended how) {
  Slot* const s = slot(op);
  if (!s) return false;
  bool in_time = false;
  {
    const Lock lock(s->mutex);
    if (!is(*s, op, owner)) return false;
    if (s->state == State::open) {
      s->state = State::ended;
      s->how = std::move(how);
      in_time = true;
    } else if (s->state == State::abandoned) {
      s->state = State::let_go;  // stale, but it ended: its instance may be destroyed now
    } else {
      return false;
    }
    if (!enqueue(*s)) return in_time;
  }
  push(*s);
  return in_time;
}

bool Ops::enqueue(Slot& slot) { return !std::exchange(slot.queued, true); }

void Ops::push(Slot& slot) {
  Slot* head = ready_.load(std::memory_order_relaxed);
  do slot.next = head;
  while (!ready_.compare_exchange_weak(head, &slot, std::memory_order_release, std::memory_order_relaxed));
  if (!head) wake();  // whoever finds the list empty wakes the engine for all who come after
}

void Ops::wake() {
  const Lock lock(wake_mutex_);
  if (!closed_) boost::asio::post(executor_, [self = shared_from_this()] { self->drain(); });
}

void Ops::run_on_engine(std::move_only_function<void()> job) {
  const Lock lock(wake_mutex_);
  if (!closed_) boost::asio::post(executor_, std::move(job));
}

void Ops::drain() {
  Slot* latest = ready_.exchange(nullptr, std::memory_order_acquire);
  Slot* first = nullptr;
  while (latest) {
    Slot* const before = latest->next;
    latest->next = first;
    first = std::exchange(latest, before);
  }
  while (first) settle(*std::exchange(first, first->next));
}

void Ops::settle(Slot& s) {
  const auto op = hand_on_news(s);
  Waiter* waiter = nullptr;
  Instance* owner = nullptr;
  Ended how;
  bool abandoned = false;
  {
    const Lock lock(s.mutex);
    if (op != id(s) || (s.state != State::ended && s.state != State::let_go)) return;
    abandoned = s.state == State::let_go;
    waiter = s.waiter;
    owner = s.owner;
    how = std::move(s.how);
    clear(s);
  }
  free_.push_back(s.index);
  owner->op_over(op, abandoned);
  if (waiter) waiter->ended(std::move(how));
}

// A capture is forgotten on this thread only, so what is delivered without the lock is still there.
agentd_op Ops::hand_on_news(Slot& s) {
  Capture* capture = nullptr;
  agentd_op op = 0;
  {
    const Lock lock(s.mutex);
    s.queued = false;
    op = id(s);
    if (!std::exchange(s.news, false) || !s.capture) return op;
    capture = s.capture;
    capture->collect();
  }
  capture->deliver();
  return op;
}

agentd_op Ops::id(const Slot& s) { return std::uint64_t{s.generation} << 32 | s.index; }

void Ops::clear(Slot& s) {
  if (++s.generation == 0) s.generation = 1;
  s.state = State::free;
  s.owner = nullptr;
  s.waiter = nullptr;
  s.capture = nullptr;
  s.how = {};
}

}  // namespace agentd::plugin
