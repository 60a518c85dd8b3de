#include "host/last_completed.hpp"

#include "host/entries.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kMoreAtOnce = 32;

}  // namespace

Async<port::LedgerResult<std::optional<port::RunRow>>> last_completed(port::Ledger& ledger, std::string agent_id,
                                                                      Position before) {
  port::RunFilter filter{.agent_id = std::move(agent_id), .status = port::RunStatus::completed, .before = before, .limit = 1};
  while (true) {
    auto rows = co_await ledger.list(filter);
    if (!rows) co_return std::unexpected(rows.error());
    for (auto& row : *rows)
      if (!is_aside(row)) co_return std::move(row);
    if (rows->size() < filter.limit) co_return std::nullopt;
    filter.before = rows->back().run.position;
    filter.limit = kMoreAtOnce;
  }
}

Async<port::LedgerResult<std::optional<Instant>>> completed_at(port::Ledger& ledger, std::string agent_id) {
  auto seeking = last_completed(ledger, std::move(agent_id));
  const auto run = co_await std::move(seeking);
  if (!run) co_return std::unexpected(run.error());
  if (!*run) co_return std::nullopt;
  const auto last = co_await ledger.events_after((*run)->last - 1, 1);
  const bool is_there = last && !last->empty() && last->front().position == (*run)->last;
  co_return is_there ? last->front().at : (*run)->entered_at;
}

}  // namespace agentd::host
