#include <algorithm>

#include "core/base/json_text.hpp"
#include "core/budget/limits.hpp"
#include "core/run/agent_state.hpp"
#include "core/run/backoff.hpp"
#include "core/run/run.hpp"
#include "core/run/verdict.hpp"

namespace agentd::run {
namespace {

bool is_error(port::RunStatus status) {
  return status == port::RunStatus::failed || status == port::RunStatus::timed_out || status == port::RunStatus::quarantined;
}

// What has failed for good. Of a batch nothing is given up before a person has looked at it; what is aside and fails is asked for again.
port::RunStatus given_up_as(port::RunStatus status, const event::Entered& entry) {
  if (event::is_aside(entry) && status == port::RunStatus::quarantined) return port::RunStatus::failed;
  const bool failed = status == port::RunStatus::failed || status == port::RunStatus::timed_out;
  return failed && entry.trigger == "batch" ? port::RunStatus::quarantined : status;
}

}  // namespace

// What the run leaves behind. Of a replay nothing.
Async<Result<void>> Run::remember(event::Json answer) {
  if (replay_) co_return Result<void>{};
  if (state_.entry.digest) co_return co_await keep_digest(event::string_value(answer.text).value_or(answer.text));
  memory::Reader writer{claim_.agent_id, memory_session_, remaining()};
  co_return co_await memory::remember(agent_->memory, std::move(writer), claim_.run, state_.query, std::move(answer), around_.world.clock.now());
}

// Remember first, keyed, then the end: a crash in between does the same again. What memory makes of a model's answer, which another answer
// would not undo, waits until the answer is on record.
Async<void> Run::finish(std::optional<event::Answered> answer, event::Json result) {
  event::Json text = answer ? answer->text : state_.final_text;
  if (!answer && !result) result = result_of(*agent_, event::string_value(text.text).value_or(text.text), text);  // it came in an earlier attempt
  if (state_.entry.digest && answer) {
    std::vector<event::Body> bodies;
    bodies.push_back(std::move(*std::exchange(answer, std::nullopt)));
    const bool kept = co_await write(std::move(bodies), {});
    if (!kept) co_return;
    if (!result) result = text;
  }
  for (int tries = 1;; ++tries) {
    const bool is_ours = co_await may_begin();
    if (!is_ours && done_) co_return;
    auto remembering = remember(state_.entry.digest && result ? result : text);  // lessons as they were judged
    auto kept = co_await std::move(remembering);
    if (kept) break;
    const Millis delay = step_delay(tries, kept.error().retry_after, around_.world.random.next());
    if (tries < kStepTries && delay <= kLongestHeldWait && !control_.interrupted()) {
      co_await sleep(around_.world.timers, delay, control_.token());
      continue;
    }
    std::vector<event::Body> before;
    if (answer) before.push_back(std::move(*answer));  // so that the next attempt need not ask for it again
    event::Fault fault{kept.error().error_class, std::move(kept.error().message)};
    co_return co_await fail_attempt(std::move(before), std::move(fault), kept.error().retry_after);
  }
  event::Ended ended{.answer = std::move(answer), .result = std::move(result)};
  co_await end(std::move(ended), std::nullopt);
}

// Of an agent with a gate, whose state counts when the run is completed and not before.
Async<std::optional<std::string>> Run::state_to_keep(std::optional<std::string> task) {
  const bool has_gate_state = state_.gate && state_.gate->state;
  if (!task && !has_gate_state) co_return std::nullopt;
  auto now = co_await agent_state();  // other runs may have ended since it was read
  if (now) kept_state_ = std::move(*now);
  std::optional<std::string_view> of_task;
  std::optional<GateLeft> of_gate;
  if (task) of_task = *task;
  if (has_gate_state) of_gate = GateLeft{state_.gate->state.text, claim_.run.position};
  co_return state_with_gate(kept_state_, of_task, of_gate);
}

Async<void> Run::end(event::Ended ended, std::optional<std::string> agent_state, std::vector<event::Body> before) {
  if (agent_ && agent_->gate && ended.status == port::RunStatus::completed) {
    auto keeping = state_to_keep(std::move(agent_state));
    agent_state = co_await std::move(keeping);
  }
  ended.status = given_up_as(ended.status, state_.entry);
  ended.attempt = state_.attempt;
  ended.steps = state_.step;
  ended.totals = state_.totals;
  ended.unsure = lost_call();
  if (ended.unsure) budget::add_unknown(ended.totals);
  if (ended.answer) {
    budget::add(ended.totals, *ended.answer);
    ended.steps = ended.answer->step;
  }
  const bool is_aside = event::is_aside(state_.entry);
  const auto stats = around_.ledger.stats(claim_.agent_id);
  ended.run_count = stats.run_count + (ended.status == port::RunStatus::skipped || is_aside ? 0 : 1);
  ended.error_count = stats.error_count + (is_error(ended.status) && !is_aside ? 1 : 0);
  if (state_.entry.replay) ended.replay_of = state_.entry.replay->of;
  ended.digest = state_.entry.digest;
  if (replay_) ended.difference = replay_->difference(ended);
  if (state_.first_started) ended.duration_ms = (around_.world.clock.now() - *state_.first_started).count();
  Fate fate{.next = ended.status, .agent_state = std::move(agent_state), .error = ended.fault && is_error(ended.status) ? ended.fault->message : std::string()};
  const RunEnd told{claim_.agent_id, claim_.run, ended.status, ended.result_json(), state_.nothing_new, state_.past.attempts, agent_ ? &agent_->spec : nullptr, state_.entry.traceparent};
  if (around_.followers && !is_aside) fate.follow_ups = around_.followers(told);
  if (around_.recipients && !is_aside) ended.deliver = around_.recipients(told);
  add_digests(ended, fate.follow_ups);
  before.push_back(std::move(ended));
  co_await write(std::move(before), std::move(fate));
  done_ = true;
}

Async<void> Run::fail_attempt(std::vector<event::Body> before, event::Fault fault, std::optional<Millis> retry_after) {
  if (control_.interrupted()) {
    const bool kept = before.empty() || co_await write(std::move(before), {});
    if (kept) co_await end_interrupted();
    co_return;
  }
  const auto& retry = agent_->spec.retry;
  const int attempts = state_.attempt - state_.past.attempts;
  if (fault.error_class == ErrorClass::retryable && attempts <= retry.max_retries) {
    const Millis delay = attempt_delay(retry, attempts, retry_after, around_.world.random.next());
    event::Waiting waiting{.what = event::Waiting::For::retry, .delay_ms = delay.count(), .reason = "the attempt failed", .fault = std::move(fault),
                           .attempt = state_.attempt + 1, .ends_attempt = true, .error_count = around_.ledger.stats(claim_.agent_id).error_count};
    co_return co_await wait(std::move(before), std::move(waiting));
  }
  if (!before.empty()) {
    const bool written = co_await write(std::move(before), {});
    if (!written) co_return;
  }
  event::Ended ended{.status = port::RunStatus::failed, .fault = std::move(fault)};
  co_await end(std::move(ended), std::nullopt);
}

Async<void> Run::wait(std::vector<event::Body> before, event::Waiting waiting) {
  waiting.until = around_.world.clock.now() + Millis(waiting.delay_ms);
  if (agent_ && agent_->spec.task.deadline) waiting.until = std::min(waiting.until, state_.entered_at + *agent_->spec.task.deadline);
  waiting.active_ms = active().count();
  waiting.unsure = lost_call();
  Fate fate{.next = port::RunStatus::waiting, .due = waiting.until};
  before.push_back(std::move(waiting));
  co_await write(std::move(before), std::move(fate));
  done_ = true;
}

Async<void> Run::release(std::string reason) {
  std::vector<event::Body> bodies;
  bodies.push_back(event::Released{.reason = std::move(reason), .undone = std::move(undone_), .active_ms = active().count(), .unsure = lost_call()});
  Fate fate{.next = port::RunStatus::queued, .due = around_.world.clock.now()};
  co_await write(std::move(bodies), std::move(fate));
  done_ = true;
}

Async<void> Run::end_interrupted() {
  using Why = Control::Why;
  const auto& task = agent_->spec.task;
  if (control_.why() == Why::released) co_return co_await release(control_.reason());
  if (control_.why() == Why::lost) {
    done_ = true;
    co_return;
  }
  event::Ended ended{.status = port::RunStatus::timed_out};
  if (control_.why() == Why::cancelled) {
    ended.status = port::RunStatus::cancelled;
    ended.reason = control_.reason();
  } else if (control_.why() == Why::timed_out) {
    ended.fault = {ErrorClass::timeout, "the attempt was active for longer than task.timeout, " + format_duration(task.timeout)};
  } else {
    ended.fault = {ErrorClass::timeout, "the run did not end before task.deadline, " + format_duration(task.deadline.value_or(Millis(0)))};
  }
  co_await end(std::move(ended), std::nullopt);
}

// The model asks for what the record does not have: nobody knows what would have been answered.
Async<void> Run::end_replay() {
  event::Ended ended{.reason = "the record has no answer to what the model asks for at step " + std::to_string(state_.step)};
  co_await end(std::move(ended), std::nullopt);
}

}  // namespace agentd::run
