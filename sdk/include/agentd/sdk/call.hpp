// One operation on its way: what its body may know about it, and how it answers.
#pragma once
#include <agentd/sdk/callback.hpp>
#include <agentd/sdk/host.hpp>
#include <agentd/sdk/types.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace agentd::sdk {
namespace detail {

// Who wants to hear that an operation is cancelled. Any thread.
class Cancels {
 public:
  void add(agentd_op op, Callback<void()> f) {
    const std::lock_guard lock(mutex_);
    waiting_[op].push_back(std::move(f));
  }
  void forget(agentd_op op) noexcept { take(op); }
  void fire(agentd_op op) noexcept {
    for (auto& f : take(op)) try {
        f();
      } catch (...) {  // advisory: the operation still ends in its own way
      }
  }

 private:
  std::vector<Callback<void()>> take(agentd_op op) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(op);
    if (found == waiting_.end()) return {};
    auto all = std::move(found->second);
    waiting_.erase(found);
    return all;
  }
  std::mutex mutex_;
  std::unordered_map<agentd_op, std::vector<Callback<void()>>> waiting_;
};

struct CallAccess;

// A call on loan to a body that may keep it. If the body throws while it still has it, the call goes back, to fail with what was thrown.
struct Lent;

}  // namespace detail

// The call in hand: the leading parameter of a body that wants to know about it. Any thread, until the body returns or replies.
class Call {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Call(detail::Lent lent) noexcept;
  Call(Call&& other) noexcept
      : answer_(std::move(other.answer_)), cancels_(other.cancels_), hooked_(other.hooked_), id_(std::move(other.id_)),
        agent_id_(std::move(other.agent_id_)), run_id_(std::move(other.run_id_)), deadline_(other.deadline_) {}
  Call& operator=(Call&&) = delete;
  ~Call() {
    if (going_back()) {
      lender_->answer_.take_over(answer_);
    } else {
      forget();
    }
  }

  const std::string& id() const { return id_; }  // the same when the call is made again after a crash
  const std::string& agent_id() const { return agent_id_; }
  const std::string& run_id() const { return run_id_; }
  Clock::time_point deadline() const { return deadline_; }
  std::chrono::milliseconds remaining() const { return std::chrono::milliseconds(answer_.remaining_ms()); }
  bool cancelled() const { return answer_.cancelled(); }  // stop soon; what the body then returns or throws is the answer
  void log(std::string_view text) const { host().log(text); }
  void log(Level level, std::string_view text) const { host().log(level, text); }
  bool progress(std::string_view text) const { return answer_.progress(text); }  // for people who watch; false: stop

  // f runs at most once, on a thread of the host, when somebody asks this call to stop; it may still be running when the call ends.
  void on_cancel(Callback<void()> f) {
    if (cancelled()) return f();
    hooked_ = true;
    cancels_->add(op(), std::move(f));
    if (cancelled()) cancels_->fire(op());
  }

  agentd_op op() const { return answer_.op(); }  // the parent of what is started for this call
  const Host& host() const { return answer_.host(); }

 private:
  friend struct detail::CallAccess;
  Call(const Host& host, agentd_op op, detail::Cancels& cancels) : answer_(host, op), cancels_(&cancels) {}
  void forget() noexcept {
    if (hooked_ && answer_) cancels_->forget(op());
  }
  bool going_back() const noexcept { return lender_ && answer_ && std::uncaught_exceptions() > unwinding_; }

  Answer answer_;
  detail::Cancels* cancels_;
  bool hooked_ = false;
  std::string id_, agent_id_, run_id_;
  Clock::time_point deadline_;
  Call* lender_ = nullptr;  // only in the object that the body was given, never in one moved from it
  int unwinding_ = 0;
};

namespace detail {

struct Lent {
  Call& call;
};

template <class Record, class = void>
struct has_call_id : std::false_type {};
template <class Record>
struct has_call_id<Record, std::void_t<decltype(Record::call_id)>> : std::true_type {};

// How the trampolines make calls and end them.
struct CallAccess {
  // Record is any of the ABI's structs that begin an operation.
  template <class Record>
  static Call make(const Host& host, const Record& record, Cancels& cancels) {
    Call call(host, record.op, cancels);
    if constexpr (has_call_id<Record>::value) {
      call.id_ = view(record.call_id), call.agent_id_ = view(record.agent_id), call.run_id_ = view(record.run_id);
    }
    call.deadline_ = Call::Clock::now() + std::chrono::milliseconds(record.timeout_ms);
    return call;
  }
  static Call make(const Host& host, agentd_op op, Cancels& cancels) { return Call(host, op, cancels); }
  static Answer& ending(Call& call) {
    call.forget();
    return call.answer_;
  }
  static bool pending(const Call& call) noexcept { return static_cast<bool>(call.answer_); }
  static bool going_back(const Call& call) noexcept { return call.going_back(); }
};

// Runs f; whatever it throws ends the call.
template <class F>
void guard(Call& call, F&& f) noexcept {
  try {
    f();
  } catch (...) {
    CallAccess::ending(call).fail_with_current_exception();
  }
}

// What a slot begins with: a call made from the ABI's record, given to f. Nothing is thrown, and the call is ended or taken along.
template <class Record, class F>
void with_call(const Host& host, const Record& record, Cancels& cancels, F&& f) noexcept {
  try {
    Call call = CallAccess::make(host, record, cancels);
    guard(call, [&] { f(call); });
  } catch (...) {  // out of memory while the call was made: it has ended with an unknown outcome
  }
}

template <class Work>
struct Job {
  Call call;
  Work work;
  static void run(void* self) noexcept {
    const std::unique_ptr<Job> job(static_cast<Job*>(self));
    guard(job->call, [&] { job->work(job->call); });
  }
};

// work(Call&) on a thread that may block; the host decides when, and that bodies run one at a time unless the component is concurrent.
template <class Work>
void start_on_worker(Call call, Work work) {
  const Host host = call.host();
  const agentd_op op = call.op();
  std::unique_ptr<Job<Work>> job(new Job<Work>{std::move(call), std::move(work)});
  if (!host.work()) return CallAccess::ending(job->call).fail(AGENTD_TERMINAL, "this host has no " AGENTD_HOST_WORK_1);
  const int32_t taken = host.work()->submit(host.raw(), op, &Job<Work>::run, job.get());
  if (taken == AGENTD_OK) {
    job.release();  // it is the worker's, and may have ended already
  } else {
    CallAccess::ending(job->call).fail(AGENTD_RETRYABLE, "the host took no more work for this plugin");
  }
}

}  // namespace detail

inline Call::Call(detail::Lent lent) noexcept : Call(std::move(lent.call)) {
  lender_ = &lent.call;
  unwinding_ = std::uncaught_exceptions();
}

// The first parameter of an asynchronous body: take it along and call it, once, from any thread. Dropped: unknown outcome.
template <class T>
class Reply {
 public:
  explicit Reply(detail::Lent lent) : call_(lent) {}
  void operator()(const T& value) {
    detail::guard(call_, [&] {
      const std::string text = to_json(value);
      detail::CallAccess::ending(call_).json(text);
    });
  }
  void fail(const Error& e) { detail::CallAccess::ending(call_).fail(e); }
  Call& call() { return call_; }

 private:
  Call call_;
};

template <>
class Reply<void> {
 public:
  explicit Reply(detail::Lent lent) : call_(lent) {}
  void operator()() { detail::CallAccess::ending(call_).json("null"); }
  void fail(const Error& e) { detail::CallAccess::ending(call_).fail(e); }
  Call& call() { return call_; }

 private:
  Call call_;
};

}  // namespace agentd::sdk
