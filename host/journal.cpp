#include "host/journal.hpp"

#include <algorithm>

#include "core/event/expand.hpp"
#include "host/loudness.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kLongestPayload = 1000;

}  // namespace

Journal::Journal(World world, port::Ledger& ledger, metrics::Metrics& metrics, const Log& log)
    : world_(world), ledger_(ledger), metrics_(metrics), log_(log), live_(world, ledger), spent_today_(world) {
  ledger.on_group([this](std::span<const port::StoredRecord> group) { take(group); });
}

void Journal::take(std::span<const port::StoredRecord> group) {
  if (!group.empty() && !group.front().elsewhere) metrics_.observe_group(ledger_.vitals());
  for (const auto& record : group) {
    if (const auto* known = unread_.find(record)) {
      take(record, *known);
      continue;
    }
    const auto decoded = event::decode(record.kind, record.payload);
    if (decoded) take(record, *decoded);
    else log_.error("journal", "record " + std::to_string(record.position) + ": " + decoded.error().message);
  }
  live_.feed(group);
}

void Journal::take(const port::StoredRecord& record, const event::Decoded& decoded) {
  if (record.elsewhere) metrics_.observe_elsewhere(record, decoded);
  else metrics_.observe(record, decoded);
  approvals_.see(record, decoded.body);
  quarantine_.see(record, decoded.body);
  spent_today_.see(record, decoded.body);
  if (const auto* forgotten = std::get_if<event::RunForgotten>(&decoded.body)) forget(*forgotten);
  if (!record.elsewhere) log(record, decoded);  // whose it is has logged it
  for (const auto& tell : tell_record_) tell(record, decoded.body);
  if (const auto* entered = std::get_if<event::Entered>(&decoded.body); entered && tell_entry_ && !port::is_final(record.status)) tell_entry_(record, *entered);
  if (!std::holds_alternative<event::Ended>(decoded.body)) return;
  const auto [first, last] = waiting_.equal_range(record.run);
  for (auto at = first; at != last; ++at) at->second->ended_.request_stop();
}

void Journal::forget(const event::RunForgotten& forgotten) {
  const auto run = parse_run_id(forgotten.run_id);
  if (!run) return;
  live_.forget(*run);
  quarantine_.forget(*run);
}

void Journal::log(const port::StoredRecord& record, const event::Decoded& decoded) const {
  const bool debugged = debugged_.contains(record.agent_id);
  if (!debugged && !log_.shows(loudest_of(decoded.body, record.status), "events")) return;
  for (const auto& event : event::expand(record, decoded)) {
    const auto level = debugged ? std::max(level_of(event.type), Level::info) : level_of(event.type);
    if (!log_.shows(level, "events")) continue;
    log_.write(level, "events",
               event.type + " " + event.agent_id + " " + event.run_id + " " + event.payload.substr(0, kLongestPayload));
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
