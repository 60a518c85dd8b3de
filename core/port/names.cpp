#include <array>

#include "core/port/ledger.hpp"
#include "core/port/provider.hpp"
#include "core/port/tool.hpp"

namespace agentd::port {
namespace {
struct StatusName {
  RunStatus status;
  const char* name;
};
constexpr std::array kStatuses = {StatusName{RunStatus::queued, "queued"},       StatusName{RunStatus::running, "running"},
                                  StatusName{RunStatus::waiting, "waiting"},     StatusName{RunStatus::completed, "completed"},
                                  StatusName{RunStatus::failed, "failed"},       StatusName{RunStatus::timed_out, "timed_out"},
                                  StatusName{RunStatus::cancelled, "cancelled"}, StatusName{RunStatus::quarantined, "quarantined"},
                                  StatusName{RunStatus::skipped, "skipped"},     StatusName{RunStatus::dropped, "dropped"},
                                  StatusName{RunStatus::missed, "missed"}};
constexpr std::array kEffects = {"pure", "idempotent", "once"};
constexpr std::array kReasons = {"stop", "tool_calls", "length", "filter"};
constexpr std::array kFailures = {"other", "rate", "credentials", "quota", "context", "server", "answer"};
}  // namespace

const char* name(RunStatus status) {
  for (const auto& s : kStatuses)
    if (s.status == status) return s.name;
  return "?";
}

std::optional<RunStatus> run_status(std::string_view wanted) {
  for (const auto& s : kStatuses)
    if (wanted == s.name) return s.status;
  return std::nullopt;
}

const char* name(Effect effect) { return kEffects[static_cast<std::size_t>(effect)]; }
const char* name(FinishReason reason) { return kReasons[static_cast<std::size_t>(reason)]; }
const char* name(Failure failure) { return kFailures[static_cast<std::size_t>(failure)]; }

}  // namespace agentd::port
