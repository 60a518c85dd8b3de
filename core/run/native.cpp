#include "core/base/json_text.hpp"
#include "core/run/agent_state.hpp"
#include "core/run/messages.hpp"
#include "core/run/run.hpp"

namespace agentd::run {

// One operation of a task. Nothing: the run is lost.
Async<std::optional<port::Outcome>> Run::perform(port::Task& task, std::string call_id, std::string params, StatePart own) {
  auto kept = co_await agent_state();
  if (!kept) {
    lose(kept.error().message);
    co_return std::nullopt;
  }
  kept_state_ = std::move(*kept);
  auto asking = may_begin();
  const bool may = co_await std::move(asking);
  if (done_) co_return std::nullopt;
  if (!may) co_return port::Outcome{port::Status::cancelled, "it was not begun", {}};
  port::TaskRun asked{.call_id = std::move(call_id), .agent_id = claim_.agent_id, .run_id = state_.name, .params = params.empty() ? "{}" : std::move(params),
                      .state = own(kept_state_), .timeout = remaining()};
  auto outcome = co_await task.run(std::move(asked), control_.token());
  if (outcome.status == port::Status::ok) around_.cleaner.clean_json(outcome.value);
  co_return outcome;
}

Async<void> Run::fail_task(port::Outcome outcome) {
  if (control_.interrupted()) co_return co_await end_interrupted();
  auto error_class = ErrorClass::terminal;
  if (outcome.status == port::Status::retryable || outcome.status == port::Status::cancelled) error_class = ErrorClass::retryable;
  if (outcome.status == port::Status::unknown_outcome) error_class = ErrorClass::unknown_outcome;
  event::Fault fault{error_class, std::move(outcome.value)};
  co_await fail_attempt({}, std::move(fault), outcome.retry_after);
}

// A task without a model: one operation, its result and the state it leaves, durable together.
Async<void> Run::perform_task() {
  auto performing = perform(*agent_->task, name_call(state_.name, 0, state_.attempt), state_.params, task_state);
  auto outcome = co_await std::move(performing);
  if (!outcome) co_return;
  if (outcome->status != port::Status::ok) co_return co_await fail_task(std::move(*outcome));
  const auto answer = event::ObjectReader::open(outcome->value);
  event::Ended ended;
  ended.result = answer ? answer->json("result") : event::Json{outcome->value};
  std::optional<std::string> state;
  if (answer && answer->has("state")) state = answer->raw("state");
  co_await end(std::move(ended), std::move(state));
}

// What people and programs ask for is not gated: they have decided already.
bool Run::is_gated() const {
  if (!agent_->gate || state_.started || state_.gate) return false;
  const auto& trigger = state_.entry.trigger;
  return trigger == "schedule" || trigger == "start" || trigger == "file" || trigger == "agent";
}

// Its answer is journalled, so that a run is asked about once. A gate that fails, fails the attempt.
Async<void> Run::ask_gate() {
  const auto& gate = *agent_->spec.gate;
  auto params = lay_over(gate.params, state_.entry.params.text);
  around_.cleaner.clean_json(params);
  const auto begun = around_.world.clock.tick();
  auto performing = perform(*agent_->gate, state_.name + "/gate/" + std::to_string(state_.attempt), std::move(params), gate_state);
  auto outcome = co_await std::move(performing);
  if (!outcome) co_return;
  if (outcome->status != port::Status::ok) co_return co_await fail_task(std::move(*outcome));
  const auto answer = event::ObjectReader::open(outcome->value);
  if (!answer || !answer->has("proceed")) {
    event::Fault fault{ErrorClass::terminal, "the gate \"" + gate.native + "\" did not say whether to proceed"};
    co_return co_await fail_attempt({}, std::move(fault), std::nullopt);
  }
  const auto took = std::chrono::floor<Millis>(around_.world.clock.tick() - begun);
  event::Gated gated{.task = gate.native, .proceed = answer->flag("proceed"), .reason = {}, .params = {}, .state = {}, .scheduled_at = state_.entry.scheduled_at, .duration_ms = took.count()};
  std::vector<event::Body> bodies;
  if (gated.proceed) {
    gated.params = answer->json("params");
    gated.state = answer->json("state");
    bodies.push_back(std::move(gated));
    co_await write(std::move(bodies), {});
    co_return;
  }
  gated.reason = event::string_value(answer->raw("result")).value_or("the gate \"" + gate.native + "\" found nothing to do");
  event::Ended ended{.status = port::RunStatus::skipped, .reason = gated.reason};
  bodies.push_back(std::move(gated));
  co_await end(std::move(ended), std::nullopt, std::move(bodies));
}

}  // namespace agentd::run
