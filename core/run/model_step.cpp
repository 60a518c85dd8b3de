#include <algorithm>

#include "core/base/json_text.hpp"
#include "core/budget/limits.hpp"
#include "core/event/trace_context.hpp"
#include "core/run/backoff.hpp"
#include "core/run/clean.hpp"
#include "core/run/run.hpp"
#include "core/run/verdict.hpp"

namespace agentd::run {
namespace {

template <class... T>
std::vector<event::Body> bodies_of(T... bodies) {
  std::vector<event::Body> all;
  all.reserve(sizeof...(T));
  (all.emplace_back(std::move(bodies)), ...);
  return all;
}

// A secret that is cut in two by the stream is not found; the answer as a whole is cleaned before it is recorded.
Listener cleaned(const port::Cleaner& cleaner, Listener listener) {
  if (!listener) return nullptr;
  return [&cleaner, listener = std::move(listener)](const port::Delta& delta) {
    std::string text(delta.text);
    cleaner.clean(text);
    listener({delta.kind, delta.index, delta.tool, text});
  };
}

bool is_of_the_account(port::Failure failure) { return failure == port::Failure::credentials || failure == port::Failure::quota; }

}  // namespace

Async<void> Run::converse() {
  while (!done_) {
    if (control_.interrupted())
      co_await end_interrupted();
    else if (tool_fault_)
      co_await fail_attempt({}, std::move(*tool_fault_), std::nullopt);
    else if (replay_ && replay_->is_at_its_end())
      co_await end_replay();
    else if (!state_.calls.empty())
      co_await call_tools();
    else if (state_.final_text)
      co_await finish(std::nullopt, {});
    else if (!state_.calling)
      co_await leave_on_hold();
    else
      co_await ask_model();
  }
}

std::optional<event::Fault> Run::beyond_limits(event::Totals used, const budget::Unsaid& unsaid, int step) const {
  budget::take_away(used, state_.past.totals);
  return budget::refusal(agent_->spec.limits, used, unsaid, agent_->prices, step - state_.past.steps);
}

// Decided before the record that would name the call, so that a call that is named is made.
std::optional<event::ModelCall> Run::plan_call(int step, const event::Totals& used, const budget::Unsaid& unsaid, int repeats) {
  const auto& model = agent_->spec.model;
  const Endpoint& endpoint = *agent_->endpoint;
  refusal_ = beyond_limits(used, unsaid, step);
  if (repeats >= kEndAfter) refusal_ = state_.repetition.fault();
  const auto closed = endpoint.closed_for(around_.world.clock.tick());
  hold_ = Hold::none;
  if (refusal_) {
    hold_ = Hold::refused;
  } else if (control_.draining() || control_.interrupted()) {
    hold_ = Hold::draining;
  } else if (closed && (endpoint.down() || *closed > kLongestHeldWait)) {
    hold_ = Hold::closed;
    closed_for_ = *closed;
  }
  if (hold_ != Hold::none) return std::nullopt;
  return event::ModelCall{step, endpoint.name(), model.model};
}

Async<void> Run::leave_on_hold() {
  if (hold_ == Hold::refused) return fail_attempt({}, std::move(*refusal_), std::nullopt);
  if (hold_ == Hold::over_budget) return leave_over_budget();
  if (hold_ == Hold::draining) return release("drain");
  const bool down = agent_->endpoint->down();
  event::Waiting waiting{.what = down ? event::Waiting::For::provider : event::Waiting::For::retry,
                         .delay_ms = closed_for_.count(),
                         .reason = "the provider " + agent_->endpoint->name() + (down ? " is down" : " asked for a pause"),
                         .attempt = state_.attempt};
  return wait({}, std::move(waiting));
}

// False when the run has been parked, or ended, instead.
Async<bool> Run::wait_for_endpoint() {
  while (const auto closed = agent_->endpoint->closed_for(around_.world.clock.tick())) {
    if (agent_->endpoint->down() || *closed > kLongestHeldWait) {
      hold_ = Hold::closed;
      closed_for_ = *closed;
      co_await leave_on_hold();
      co_return false;
    }
    const bool whole = co_await sleep(around_.world.timers, *closed, control_.token());
    if (!whole) co_return true;  // interrupted: the caller looks
  }
  co_return true;
}

// A model call that was sent and whose answer nobody has: this worker stopped it, or an earlier one died over it.
std::optional<event::ModelCall> Run::lost_call() const {
  const bool lost = taken_up_ ? asking_ : state_.held;
  return lost ? state_.calling : std::nullopt;
}

Async<void> Run::ask_model() {
  const bool open = co_await wait_for_endpoint();
  if (!open || control_.interrupted()) co_return;
  auto asking = may_begin();
  const bool may = co_await std::move(asking);
  if (!may) co_return;
  const auto messages = std::span<const port::Message>(state_.messages).subspan(agent_->system ? 0 : 1);
  const auto call_id = state_.name + '/' + std::to_string(state_.calling->step);
  port::Completion completion{.call_id = call_id,
                              .agent_id = claim_.agent_id,
                              .run_id = state_.name,
                              .traceparent = event::traceparent_of_call(state_.entry.traceparent, call_id),
                              .model = state_.calling->model,
                              .messages = messages,
                              .tools = agent_->tools.offered(),
                              .options = agent_->options,
                              .timeout = std::min(agent_->endpoint->timeout(), remaining()),
                              .listen = {}};
  if (around_.listener) {
    Speaker speaker{claim_.agent_id, state_.name, session_.empty() ? claim_.agent_id : session_, state_.calling->step};
    completion.listen = cleaned(around_.cleaner, around_.listener(std::move(speaker)));
  }
  const Tick start = around_.world.clock.tick();
  asking_ = true;
  auto answer = co_await agent_->endpoint->provider().complete(std::move(completion), control_.token());
  const Millis duration = std::chrono::floor<Millis>(around_.world.clock.tick() - start);
  if (answer && answer->usage) {
    auto bytes = static_cast<std::int64_t>(agent_->tools.offered().size() + agent_->options.size());
    for (const auto& message : messages) bytes += static_cast<std::int64_t>(message.json.size() + message.extra.size());
    agent_->endpoint->rate(state_.calling->model).learn(bytes, answer->usage->input_tokens);
  }
  if (answer)
    co_await take_answer(std::move(*answer), duration);
  else
    co_await take_model_error(std::move(answer.error()), duration);
}

Async<void> Run::take_answer(port::Answer answer, Millis duration) {
  asking_ = false;
  agent_->endpoint->answered();
  clean(around_.cleaner, answer);
  Verdict verdict = judge(*agent_, state_, answer);
  event::Answered answered{.step = state_.calling->step,
                           .provider = state_.calling->provider,
                           .model = state_.calling->model,
                           .duration_ms = duration.count(),
                           .usage = answer.usage,
                           .finish_reason = answer.finish_reason,
                           .extra = {std::move(answer.extra)}};
  if (answered.usage && agent_->prices) answered.cost = budget::cost(*agent_->prices, *answered.usage);
  if (!answer.text.empty()) answered.text.text = json_string(answer.text);
  if (answered.extra) answered.extra_owner = agent_->endpoint->provider().component();

  if (auto* final = std::get_if<Final>(&verdict)) {
    co_return co_await finish(std::move(answered), std::move(final->result));
  }
  if (auto* give_up = std::get_if<GiveUp>(&verdict)) {
    event::Ended ended{.status = port::RunStatus::failed, .answer = std::move(answered), .fault = std::move(give_up->fault)};
    co_return co_await end(std::move(ended), std::nullopt);
  }
  if (auto* ask_again = std::get_if<AskAgain>(&verdict)) answered.note = std::move(ask_again->note);
  add_calls(answered, answer.calls);
  if (std::ranges::all_of(answered.calls, [](const auto& call) { return call.refused.has_value(); })) {
    auto used = state_.totals;
    budget::add(used, answered);
    std::vector<Deed> deeds;
    for (const auto& call : answered.calls) deeds.push_back({call.tool, call.arguments.text, call.content.text});
    const int repeats = deeds.empty() ? 0 : state_.repetition.with(deeds);
    answered.call = plan_call(answered.step + 1, used, state_.unsaid + unsaid(state_, answered), repeats);
  }
  co_await write(bodies_of(std::move(answered)), {});
}

// With those that start now. Tools of a replay are called when it is a live one.
void Run::add_calls(event::Answered& answered, const std::vector<port::ToolRequest>& calls) const {
  for (std::size_t i = 0; i < calls.size(); ++i) answered.calls.push_back(agent_->tools.judge(calls[i], i));
  if (replay_) replay_->answer(answered);
  if (control_.interrupted() || (replay_ && !replay_->is_live())) return;
  for (std::size_t i = 0; i < calls.size() && std::cmp_less(answered.starts.size(), agent_->spec.limits.parallel_tools); ++i)
    if (!answered.calls[i].refused && !needs_person(answered.calls[i])) answered.starts.push_back(static_cast<int>(i));
}

Async<void> Run::take_model_error(port::ModelError error, Millis duration) {
  if (control_.interrupted()) co_return;
  asking_ = false;
  const Tick now = around_.world.clock.tick();
  const bool account = is_of_the_account(error.failure);
  const bool transient = error.status != port::Status::terminal;
  event::CallFailed failed{
      .step = state_.calling->step,
      .provider = state_.calling->provider,
      .model = state_.calling->model,
      .failure = error.failure,
      .fault = {account || transient ? ErrorClass::retryable : ErrorClass::terminal, std::move(error.message)},
      .duration_ms = duration.count(),
      .tries = state_.tries + 1};
  if (account) {
    const Millis probe = agent_->endpoint->refused(now, error.retry_after);
    event::Waiting waiting{.what = event::Waiting::For::provider,
                           .delay_ms = probe.count(),
                           .reason = "the provider " + failed.provider + " is down",
                           .fault = failed.fault,
                           .attempt = state_.attempt};
    failed.tries = state_.tries;  // what the account lacks is not the call's fault
    co_return co_await wait(bodies_of(std::move(failed)), std::move(waiting));
  }
  auto fault = failed.fault;
  if (transient) {
    auto used = state_.totals;
    budget::add(used, failed);
    if (auto spent = beyond_limits(used, state_.unsaid, failed.step)) {
      spent->message += "; the last call failed: " + fault.message;
      co_return co_await fail_attempt(bodies_of(std::move(failed)), std::move(*spent), std::nullopt);
    }
  }
  if (!transient || failed.tries >= kStepTries)
    co_return co_await fail_attempt(bodies_of(std::move(failed)), std::move(fault), error.retry_after);
  if (error.failure == port::Failure::rate && error.retry_after) agent_->endpoint->pause(now, *error.retry_after);
  const Millis delay = step_delay(failed.tries, error.retry_after, around_.world.random.next());
  if (delay > kLongestHeldWait) {
    event::Waiting waiting{.what = event::Waiting::For::retry,
                           .delay_ms = delay.count(),
                           .reason = "the model call is made again",
                           .fault = std::move(fault),
                           .attempt = state_.attempt};
    co_return co_await wait(bodies_of(std::move(failed)), std::move(waiting));
  }
  failed.retry_after_ms = delay.count();
  hold_ = Hold::none;
  const bool written = co_await write(bodies_of(std::move(failed)), {});
  if (written && hold_ == Hold::over_budget) co_return co_await leave_over_budget();
  if (written) co_await sleep(around_.world.timers, delay, control_.token());
}

}  // namespace agentd::run
