#include "host/run_waits.hpp"

#include "core/run/backoff.hpp"

namespace agentd::host {
namespace {

// "0.6 s", "8 s", "2m30s"
std::string seconds_text(std::int64_t delay_ms) {
  const auto tenths = (delay_ms + 99) / 100;
  if (tenths < 100) return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " s";
  const auto whole = std::chrono::ceil<std::chrono::seconds>(Millis(delay_ms));
  return whole < std::chrono::minutes(2) ? std::to_string(whole.count()) + " s" : format_duration(whole);
}

std::string because(const std::optional<event::Fault>& fault) {
  return fault && !fault->message.empty() ? ": " + fault->message : "";
}

std::optional<std::string> text_of(const event::CallFailed& failed) {
  if (failed.retry_after_ms < 0) return std::nullopt;
  return "no answer from the provider " + failed.provider + ": " + failed.fault.message + "; trying again in " +
         seconds_text(failed.retry_after_ms) + ", try " + std::to_string(failed.tries + 1) + " of " +
         std::to_string(run::kStepTries);
}

std::string text_of(const event::Waiting& waiting, std::int64_t attempts) {
  const auto then = "; trying again in " + seconds_text(waiting.delay_ms);
  if (!waiting.ends_attempt) return waiting.reason + because(waiting.fault) + then;
  const auto of = " of " + std::to_string(attempts);
  return "attempt " + std::to_string(waiting.attempt - 1) + of + " failed" + because(waiting.fault) + then + ", attempt " +
         std::to_string(waiting.attempt) + of;
}

}  // namespace

std::optional<std::string> wait_text(const event::Body& body, std::int64_t attempts) {
  if (const auto* failed = std::get_if<event::CallFailed>(&body)) return text_of(*failed);
  if (const auto* waiting = std::get_if<event::Waiting>(&body)) return text_of(*waiting, attempts);
  return std::nullopt;
}

std::optional<std::string> denial_text(const event::Body& body) {
  const auto* finished = std::get_if<event::ToolFinished>(&body);
  if (!finished || finished->outcome != event::ToolOutcome::denied) return std::nullopt;
  return finished->tool + " was not called: it is in tools.ask, and `agentd run` cannot ask a person; `agentd serve` can";
}

}  // namespace agentd::host
