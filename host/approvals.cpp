#include "host/approvals.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kRunsAtOnce = 64;

}  // namespace

Async<Result<void>> Approvals::find(World world, port::Ledger& ledger) {
  port::RunFilter filter{.agent_id = {}, .status = port::RunStatus::waiting, .limit = kRunsAtOnce};
  while (true) {
    const auto rows = co_await ledger.list(filter);
    if (!rows) co_return fail(rows.error().message);
    for (const auto& row : *rows) {
      if (row.last_kind != event::Waiting::kKind && row.last_kind != event::Decided::kKind) continue;
      const auto last = event::decode(row.last_kind, row.last_payload);
      const auto* waiting = last ? std::get_if<event::Waiting>(&last->body) : nullptr;
      if (waiting && waiting->what != event::Waiting::For::approval) continue;
      const auto records = co_await ledger.load(row.run);
      if (!records && records.error().fault != port::LedgerFault::corrupt) co_return fail(records.error().message);
      if (!records) continue;  // its next claim says so
      for (const auto& asked : run::questions_of(*records))
        if (asked.open) open_.insert({row.run, asked.question.step, asked.question.index});
    }
    if (rows->size() < kRunsAtOnce) co_return Result<void>();
    filter.before = rows->back().run.position;
    co_await boost::asio::post(world.executor, boost::asio::use_awaitable);
  }
}

void Approvals::forget(RunId run) {
  const auto first = open_.lower_bound({run, 0, 0});
  auto last = first;
  while (last != open_.end() && last->run == run) ++last;
  open_.erase(first, last);
}

void Approvals::see(const port::StoredRecord& record, const event::Body& body) {
  if (const auto* waiting = std::get_if<event::Waiting>(&body))
    for (const auto& question : waiting->questions) open_.insert({record.run, question.step, question.index});
  if (const auto* decided = std::get_if<event::Decided>(&body))
    open_.erase({record.run, decided->question.step, decided->question.index});
  if (std::holds_alternative<event::Started>(body) || std::holds_alternative<event::Ended>(body)) forget(record.run);
}

}  // namespace agentd::host
