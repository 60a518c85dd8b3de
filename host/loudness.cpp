#include "host/loudness.hpp"

namespace agentd::host {

Level level_of(std::string_view type) {
  if (type == "background_task_error" || type == "background_task_quarantined" || type == "plugin_failed" || type == "budget_exhausted") return Level::warn;
  if (type == "background_task_completed" || type == "background_task_cancelled" || type == "background_task_missed" ||
      type == "background_task_dropped" || type == "background_task_edited" || type == "budget_raised" || type == "approval_requested" ||
      type == "approval_decided")
    return Level::info;
  return Level::debug;
}

Level loudest_of(const event::Body& body, port::RunStatus status) {
  using port::RunStatus;
  if (std::holds_alternative<event::Entered>(body))
    return status == RunStatus::missed || status == RunStatus::dropped ? Level::info : Level::debug;
  if (const auto* waiting = std::get_if<event::Waiting>(&body)) {
    if (waiting->ends_attempt || (waiting->fault && waiting->fault->exhausted)) return Level::warn;
    return waiting->questions.empty() ? Level::debug : Level::info;
  }
  if (std::holds_alternative<event::Decided>(body)) return Level::info;
  if (const auto* reviewed = std::get_if<event::Reviewed>(&body)) return reviewed->what == event::Reviewed::What::retry ? Level::debug : Level::info;
  if (const auto* ended = std::get_if<event::Ended>(&body))
    return ended->status == RunStatus::skipped ? Level::debug : ended->status == RunStatus::completed || ended->status == RunStatus::cancelled ? Level::info : Level::warn;
  if (std::holds_alternative<event::BudgetRaised>(body)) return Level::info;
  return std::holds_alternative<event::PluginFailed>(body) ? Level::warn : Level::debug;
}

}  // namespace agentd::host
