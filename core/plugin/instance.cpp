#include "core/plugin/instance.hpp"

#include <agentd/abi/ledger.h>
#include <agentd/abi/memory.h>
#include <agentd/abi/provider.h>
#include <agentd/abi/toolset.h>

#include <algorithm>
#include <array>
#include <exception>

#include "core/base/json_text.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/host_services.hpp"
#include "core/plugin/pending.hpp"

namespace agentd::plugin {
namespace {

// Bodies of one instance that a worker runs in a row before others get their turn.
constexpr int kBodiesInARow = 16;
// Longer ones are nonsense, and overflow where they are added to an instant.
constexpr Millis kLongestRetryAfter = std::chrono::days(30);

const char* thrown_text(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is not a std::exception";
  }
}

// create and destroy, waiting for a worker.
struct LifeJob {
  Instance& instance;
  Frame frame;
  void* self;
  agentd_op op;
  std::string settings;

  static void create(void* context) {
    const std::unique_ptr<LifeJob> job(static_cast<LifeJob*>(context));
    job->frame.create(&job->instance, job->op, str(job->settings));
  }
  static void destroy(void* context) {
    const std::unique_ptr<LifeJob> job(static_cast<LifeJob*>(context));
    job->frame.destroy(job->self, job->op);
  }
};

}  // namespace

Instance::Instance(std::string name, Library& library, Component& component, Frame frame, std::unique_ptr<Extension> extension, Surroundings around)
    : agentd_host{sizeof(agentd_host), 0, nullptr},
      name_(std::move(name)),
      library_(library),
      component_(component),
      frame_(frame),
      extension_(std::move(extension)),
      around_(std::move(around)),
      parts_(make_host_services(*this)) {
  service = [](agentd_host* host, const char* id) noexcept -> const void* { return id ? of(host).find_service(id) : nullptr; };
}

Instance::~Instance() = default;

std::string Instance::who() const { return "instance \"" + name_ + "\" of plugin \"" + library_.name + "\""; }

void Instance::log(LogLevel level, std::string_view text) const {
  if (around_.services.log) around_.services.log(level, name_, text);
}

const void* Instance::find_service(std::string_view id) const {
  if (const void* table = plain_service(id)) return table;
  for (const auto& part : parts_)
    if (part && part->id() == id) return part->table();
  return extension_ ? extension_->service(id) : nullptr;
}

// A descriptor says in one list what all its components stand on; what instances of another kind are given is not missing in this one.
std::optional<std::string> Instance::missing_service() const {
  constexpr std::array<std::string_view, 4> kOfAKind{AGENTD_HOST_TOOLS_1, AGENTD_HOST_COMPLETIONS_1, AGENTD_HOST_MEMORIES_1, AGENTD_HOST_LEDGER_1};
  for (const auto& id : library_.requires_services)
    if (!find_service(id) && std::ranges::find(kOfAKind, id) == kOfAKind.end()) return id;
  return std::nullopt;
}

// ---- life

Async<Result<void>> Instance::create(std::string settings) {
  state_ = State::failed;
  if (auto why = library_.disabled()) co_return fail(*why);
  if (auto id = missing_service()) co_return fail("plugin \"" + library_.name + "\" requires the service " + *id + ", which this host does not have");
  state_ = State::creating;
  Start start = [this, &settings](void*, agentd_op op, std::int64_t) {
    accept({op, &LifeJob::create, new LifeJob{*this, frame_, nullptr, op, std::move(settings)}});
  };
  auto creating = operate(std::move(start), around_.world.clock.tick() + around_.patience.create, {}, nullptr);
  const Ended how = co_await std::move(creating);
  if (how.created) {
    self_ = how.self;
    state_ = State::ready;
    co_return Result<void>();
  }
  state_ = State::failed;
  if (how.status == AGENTD_OK) co_return fail(who() + " ended its create without an instance");
  co_return fail(who() + " cannot be created: " + how.value);
}

Async<Result<void>> Instance::close() {
  if (state_ != State::ready) co_return Result<void>();
  state_ = State::closing;
  closing_.store(true, std::memory_order_release);
  for (const auto& part : parts_)
    if (part) part->stop_own();
  auto ending = until_quiet(around_.patience.destroy);
  if (!co_await std::move(ending)) co_return leave_as_is(still_open());

  Start start = [this](void* self, agentd_op op, std::int64_t) { accept({op, &LifeJob::destroy, new LifeJob{*this, frame_, self, op, {}}}); };
  auto destroying = operate(std::move(start), around_.world.clock.tick() + around_.patience.destroy, {}, nullptr);
  const Ended how = co_await std::move(destroying);
  auto returning = until_quiet(around_.patience.destroy);
  if (!co_await std::move(returning)) co_return leave_as_is("its destroy has not ended");
  for (const auto& part : parts_)
    if (part) part->drop();
  state_ = State::closed;
  if (how.status != AGENTD_OK) co_return fail(who() + " was destroyed with an error: " + how.value);
  co_return Result<void>();
}

Result<void> Instance::leave_as_is(std::string why) {
  state_ = State::left;
  auto message = who() + " is left as it is: " + std::move(why);
  log(LogLevel::error, message);
  return fail(ErrorClass::internal, std::move(message));
}

bool Instance::can_be_deleted() const { return state_ != State::left && state_ != State::ready && still_open().empty(); }

std::string Instance::still_open() const {
  std::string text;
  const auto add = [&text](std::size_t n, std::string_view what) {
    if (n) text += (text.empty() ? "" : ", ") + std::to_string(n) + std::string(what);
  };
  add(static_cast<std::size_t>(open_), " operations have not ended");
  {
    const Lock lock(mutex_);
    add(jobs_.size() + running_.size(), " jobs have not ended");
  }
  for (const auto& part : parts_) {
    const auto busy = part ? part->busy() : std::string();
    if (!busy.empty()) text += (text.empty() ? "" : ", ") + busy;
  }
  return text;
}

Async<bool> Instance::until_quiet(Millis patience) {
  if (still_open().empty()) co_return true;
  std::optional<Promise<bool>> waiting;
  auto start = [&](Promise<bool> promise) {
    waiting.emplace(std::move(promise));
    quiet_waiter_ = &*waiting;
  };
  const auto give_up = around_.world.timers.after(patience + around_.patience.grace, [this] {
    if (auto* waiter = std::exchange(quiet_waiter_, nullptr)) waiter->set(false);
  });
  auto suspended = suspend<bool>(start);
  const bool quiet = co_await std::move(suspended);
  around_.world.timers.cancel(give_up);
  co_return quiet;
}

void Instance::check_quiet() {
  if (!quiet_waiter_ || !still_open().empty()) return;
  std::exchange(quiet_waiter_, nullptr)->set(true);
}

// ---- calls

std::optional<port::Outcome> Instance::refusal() const {
  const auto no = [](port::Status status, std::string why) { return port::Outcome{status, std::move(why), {}}; };
  if (state_ != State::ready) return no(port::Status::terminal, who() + " is not in use");
  if (library_.is_disabled()) return no(port::Status::terminal, *library_.disabled());
  if (abandoned_ >= kMostAbandoned) return no(port::Status::terminal, who() + " has " + std::to_string(abandoned_) + " calls that never ended");
  if (!component_.concurrent && stuck_.load() > 0) return no(port::Status::retryable, who() + " is still busy with a call that ignored its deadline");
  return std::nullopt;
}

Async<port::Outcome> Instance::call(Start start, Millis timeout, std::stop_token stop, Capture* capture) {
  const Tick deadline = around_.world.clock.tick() + timeout;
  auto place = component_.admission.try_enter();
  if (!place) {
    auto entering = component_.admission.enter(around_.world.timers, timeout, stop);
    place = co_await std::move(entering);
    if (!place && !stop.stop_requested())
      co_return port::Outcome{port::Status::retryable, "no place came free in " + component_.name + ", which takes " + std::to_string(component_.admission.limit()) + " calls at once", {}};
  }
  if (stop.stop_requested()) co_return port::Outcome{port::Status::cancelled, "stopped before it began", {}};
  if (auto no = refusal()) co_return std::move(*no);
  auto calling = operate(std::move(start), deadline, std::move(stop), capture);
  Ended how = co_await std::move(calling);
  co_return outcome(std::move(how));
}

Async<Ended> Instance::operate(Start start, Tick deadline, std::stop_token stop, Capture* capture) {
  Pending pending(*this, deadline, capture);
  auto begin = [&](Promise<Ended> promise) { pending.begin(std::move(promise), start); };
  auto waiting = suspend<Ended>(begin);
  const std::stop_callback on_stop(std::move(stop), [&pending] { pending.ask_to_stop(); });
  co_return co_await std::move(waiting);
}

agentd_op Instance::begin(Start start, Tick deadline, Waiter& waiter, Capture* capture) {
  if (refusal()) return 0;
  return open(start, deadline, waiter, capture);
}

agentd_op Instance::open(Start& start, Tick deadline, Waiter& waiter, Capture* capture) {
  const agentd_op op = around_.ops->open(*this, deadline, waiter, capture);
  if (!op) return 0;
  ++open_;
  const auto left = std::chrono::ceil<Millis>(deadline - around_.world.clock.tick());
  try {
    start(self_, op, std::max<std::int64_t>(0, left.count()));
  } catch (...) {
    around_.ops->end(*this, op, failed(AGENTD_TERMINAL, who() + " threw " + thrown_text(std::current_exception()) + " out of a slot"));
  }
  return op;
}

void Instance::cancel_slot(agentd_op op) {
  around_.ops->ask_to_stop(op);
  if (state_ == State::creating || !frame_.cancel) return;
  guard("cancel", [&] { frame_.cancel(self_, op); });
}

void Instance::thrown_from(std::string_view what) const noexcept {
  log(LogLevel::error, who() + " threw " + thrown_text(std::current_exception()) + " out of " + std::string(what));
}

void Instance::abandoned(agentd_op op) {
  ++abandoned_;
  library_.count_hanging(1);
  for (const auto& part : parts_)
    if (part) part->op_over(op);
  replace_workers_of(op);
}

// The bodies that still run for an abandoned operation hold a worker each, which another replaces.
void Instance::replace_workers_of(agentd_op op) {
  const Lock lock(mutex_);
  for (Running* running : running_) {
    if (running->op != op || running->stuck) continue;
    running->stuck = around_.workers.replace_one();
    if (running->stuck) ++stuck_;
    else library_.disable("plugin \"" + library_.name + "\" is disabled: more than " + std::to_string(WorkerPool::kMaxStuck) + " of its threads are stuck in calls that ignored their deadline");
  }
}

void Instance::op_over(agentd_op op, bool was_abandoned) {
  --open_;
  if (was_abandoned) {
    --abandoned_;
    library_.count_hanging(-1);
  }
  else
    for (const auto& part : parts_)
      if (part) part->op_over(op);
  check_quiet();
}

bool Instance::end(agentd_op op, Ended how) {
  if (around_.ops->end(*this, op, std::move(how))) return true;
  library_.count_stale();
  return false;
}

port::Outcome Instance::outcome(Ended how) const {
  if (how.created) return {port::Status::terminal, who() + " ended a call as if it were its create", {}};
  port::Outcome out{port::Status::ok, std::move(how.value), {}};
  switch (how.status) {
    case AGENTD_OK: break;
    case AGENTD_RETRYABLE: out.status = port::Status::retryable; break;
    case AGENTD_UNKNOWN_OUTCOME: out.status = port::Status::unknown_outcome; break;
    case AGENTD_CANCELLED: out.status = port::Status::cancelled; break;
    default: out.status = port::Status::terminal; break;
  }
  if (how.retry_after_ms >= 0) out.retry_after = std::min(Millis(how.retry_after_ms), kLongestRetryAfter);
  return out;
}

// ---- bodies on workers

std::int32_t Instance::submit(agentd_op op, agentd_job_fn run, void* context) {
  if (!run) return AGENTD_DENIED;
  if (op != 0 && !around_.ops->is_open(*this, op)) return AGENTD_STALE;
  if (op == 0 && closing()) return AGENTD_DENIED;
  return accept({op, run, context});
}

std::int32_t Instance::accept(Job job) {
  {
    const Lock lock(mutex_);
    if (jobs_.size() >= kMostJobs) return AGENTD_BUSY;
    jobs_.push_back(job);
    if (!component_.concurrent && std::exchange(strand_taken_, true)) return AGENTD_OK;  // who has the strand runs it
  }
  around_.workers.submit(*this);
  return AGENTD_OK;
}

void Instance::run_some() {
  for (int n = 0;; ++n) {
    Job job;
    {
      const Lock lock(mutex_);
      if (jobs_.empty()) {  // only the strand's holder comes here with nothing to do
        strand_taken_ = false;
        return;
      }
      if (n == kBodiesInARow) break;
      job = jobs_.front();
      jobs_.pop_front();
    }
    run(job);
    if (component_.concurrent) return;
  }
  around_.workers.submit(*this);
}

void Instance::run(const Job& job) {
  Running running{job.op, false};
  {
    const Lock lock(mutex_);
    running_.push_back(&running);
  }
  // Nobody waits for a body that had to wait until its call was given up; it runs all the same, for its plugin counts on that.
  if (job.op && around_.ops->is_abandoned(*this, job.op)) around_.ops->run_on_engine([this, op = job.op] { replace_workers_of(op); });
  try {
    job.run(job.context);
  } catch (...) {
    const std::string message = who() + " threw " + thrown_text(std::current_exception()) + " out of a body";
    if (!job.op || !end(job.op, failed(AGENTD_TERMINAL, message))) log(LogLevel::error, message);
  }
  body_ended(running);
}

void Instance::body_ended(const Running& running) {
  bool stuck = false;
  {
    const Lock lock(mutex_);
    std::erase(running_, &running);
    stuck = running.stuck;
  }
  if (stuck) {
    --stuck_;
    around_.workers.take_back_one();
  }
  if (closing()) around_.ops->run_on_engine([this] { check_quiet(); });
}

}  // namespace agentd::plugin
