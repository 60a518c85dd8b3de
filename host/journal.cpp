#include "host/journal.hpp"

#include <algorithm>

#include "core/event/expand.hpp"

namespace agentd::host {
namespace {

// What an operator wants to read without asking; the rest is for debugging.
Level level_of(const std::string& type) {
  if (type == "background_task_error" || type == "background_task_quarantined" || type == "plugin_failed") return Level::warn;
  if (type == "background_task_completed" || type == "background_task_missed" || type == "background_task_dropped") return Level::info;
  return Level::debug;
}

// Whether any event of the record is above debug: told from the record, because expanding it costs more than all the rest here.
bool is_quiet(const event::Body& body, port::RunStatus status) {
  if (std::holds_alternative<event::Entered>(body)) return status != port::RunStatus::missed && status != port::RunStatus::dropped;
  if (const auto* waiting = std::get_if<event::Waiting>(&body)) return !waiting->ends_attempt;
  return !std::holds_alternative<event::Ended>(body) && !std::holds_alternative<event::PluginFailed>(body);
}

constexpr std::size_t kLongestPayload = 1000;

}  // namespace

Journal::Journal(World world, port::Ledger& ledger, metrics::Metrics& metrics, const Log& log)
    : world_(world), ledger_(ledger), metrics_(metrics), log_(log), live_(world, ledger) {
  ledger.on_group([this](std::span<const port::StoredRecord> group) { take(group); });
}

void Journal::take(std::span<const port::StoredRecord> group) {
  metrics_.observe_group(ledger_.vitals());
  for (const auto& record : group) {
    const auto decoded = event::decode(record.kind, record.payload);
    if (!decoded) {
      log_.error("journal", "record " + std::to_string(record.position) + ": " + decoded.error().message);
      continue;
    }
    metrics_.observe(record, *decoded);
    log(record, *decoded);
    if (!std::holds_alternative<event::Ended>(decoded->body)) continue;
    const auto [first, last] = waiting_.equal_range(record.run);
    for (auto at = first; at != last; ++at) at->second->ended_.request_stop();
  }
  live_.feed(group);
}

void Journal::log(const port::StoredRecord& record, const event::Decoded& decoded) const {
  const bool debugged = std::ranges::find(debugged_, record.agent_id) != debugged_.end();
  if (!debugged && !log_.shows(is_quiet(decoded.body, record.status) ? Level::debug : Level::warn, "events")) return;
  for (const auto& event : event::expand(record, decoded)) {
    const auto level = debugged ? std::max(level_of(event.type), Level::info) : level_of(event.type);
    if (!log_.shows(level, "events")) continue;
    log_.write(level, "events", event.type + " " + event.agent_id + " " + event.run_id + " " + event.payload.substr(0, kLongestPayload));
  }
}

Journal::EndOf::EndOf(Journal& journal, RunId run) : journal_(journal), run_(run) { journal_.waiting_.emplace(run, this); }

Journal::EndOf::~EndOf() {
  const auto [first, last] = journal_.waiting_.equal_range(run_);
  for (auto at = first; at != last; ++at) {
    if (at->second != this) continue;
    journal_.waiting_.erase(at);
    return;
  }
}

Async<void> Journal::EndOf::wait(Millis timeout, std::stop_token stop) {
  const std::stop_callback hurry(stop, [this] { ended_.request_stop(); });
  co_await sleep(journal_.world_.timers, timeout, ended_.get_token());
}

}  // namespace agentd::host
