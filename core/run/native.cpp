#include "core/base/json_text.hpp"
#include "core/run/messages.hpp"
#include "core/run/run.hpp"

namespace agentd::run {

// A task without a model: one operation, its result and the state it leaves, durable together.
Async<void> Run::perform_task() {
  auto kept = co_await agent_state();
  if (!kept) co_return lose(kept.error().message);
  port::TaskRun task{.call_id = name_call(state_.name, 0, state_.attempt), .agent_id = claim_.agent_id, .run_id = state_.name,
                     .params = state_.params.empty() ? "{}" : state_.params, .state = std::move(*kept), .timeout = remaining()};
  auto outcome = co_await agent_->task->run(std::move(task), control_.token());
  if (outcome.status == port::Status::ok) {
    around_.cleaner.clean_json(outcome.value);
    const auto answer = event::ObjectReader::open(outcome.value);
    event::Ended ended;
    ended.result = answer ? answer->json("result") : event::Json{outcome.value};
    std::optional<std::string> state;
    if (answer && answer->has("state")) state = answer->raw("state");
    co_return co_await end(std::move(ended), std::move(state));
  }
  if (control_.interrupted()) co_return co_await end_interrupted();
  auto error_class = ErrorClass::terminal;
  if (outcome.status == port::Status::retryable || outcome.status == port::Status::cancelled) error_class = ErrorClass::retryable;
  if (outcome.status == port::Status::unknown_outcome) error_class = ErrorClass::unknown_outcome;
  event::Fault fault{error_class, std::move(outcome.value)};
  co_await fail_attempt({}, std::move(fault), outcome.retry_after);
}

}  // namespace agentd::run
