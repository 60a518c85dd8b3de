#include "core/plugin/outcome.hpp"

namespace agentd::plugin {

Error to_error(port::Outcome outcome) {
  auto c = ErrorClass::terminal;
  if (outcome.status == port::Status::retryable || outcome.status == port::Status::cancelled) c = ErrorClass::retryable;
  if (outcome.status == port::Status::unknown_outcome) c = ErrorClass::unknown_outcome;
  return {c, std::move(outcome.value), outcome.retry_after};
}

port::Outcome broken_answer(const Instance& instance, std::string what) { return {port::Status::terminal, instance.who() + " answered with " + std::move(what), {}}; }

}  // namespace agentd::plugin
