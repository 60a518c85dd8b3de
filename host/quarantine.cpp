#include "host/quarantine.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kReviewedAtOnce = 64;

}  // namespace

Async<Result<void>> Quarantine::find(World world, port::Ledger& ledger) {
  port::RunFilter filter{.agent_id = {}, .status = port::RunStatus::quarantined, .limit = kReviewedAtOnce};
  while (true) {
    const auto rows = co_await ledger.list(filter);
    if (!rows) co_return fail(rows.error().message);
    for (const auto& row : *rows) runs_.insert(row.run);
    if (rows->size() < kReviewedAtOnce) co_return Result<void>();
    filter.before = rows->back().run.position;
    co_await boost::asio::post(world.executor, boost::asio::use_awaitable);
  }
}

void Quarantine::see(const port::StoredRecord& record, const event::Body& body) {
  if (const auto* ended = std::get_if<event::Ended>(&body); ended && ended->status == port::RunStatus::quarantined)
    runs_.insert(record.run);
  if (const auto* reviewed = std::get_if<event::Reviewed>(&body); reviewed && reviewed->what != event::Reviewed::What::edit)
    runs_.erase(record.run);
}

port::Transition review(RunId run, Position latest, const event::Reviewed& reviewed, const std::string& session, Instant now) {
  using What = event::Reviewed::What;
  port::Transition transition{.run = run, .in_quarantine = latest};
  if (reviewed.what == What::retry) transition.next = port::RunStatus::queued, transition.due_at = now;
  if (reviewed.what == What::drop) transition.next = port::RunStatus::dropped;
  transition.records.push_back(event::to_record(reviewed, session));
  return transition;
}

}  // namespace agentd::host
