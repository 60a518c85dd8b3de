#include "host/line.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "host/entries.hpp"

namespace agentd::host {
namespace {

using port::RunStatus;

constexpr std::size_t kRowsOfLine = 256;
constexpr std::array kAlive = {RunStatus::waiting, RunStatus::queued, RunStatus::running};  // as a run goes on

// Of the agent's own runs with that status, no more than `most`.
Async<port::LedgerResult<std::size_t>> count_runs(port::Ledger& ledger, std::string agent_id, RunStatus status, std::size_t most) {
  std::size_t found = 0;
  port::RunFilter filter{.agent_id = std::move(agent_id), .status = status, .limit = kRowsOfLine};
  while (found < most) {
    const auto rows = co_await ledger.list(filter);
    if (!rows) co_return std::unexpected(rows.error());
    found += static_cast<std::size_t>(std::ranges::count_if(*rows, [](const auto& row) { return !is_aside(row); }));
    if (rows->size() < kRowsOfLine) break;
    filter.before = rows->back().run.position;
  }
  co_return std::min(found, most);
}

}  // namespace

Async<port::LedgerResult<Line>> line_of(port::Ledger& ledger, MemberRef member) {
  constexpr auto kAnyNumber = std::numeric_limits<std::size_t>::max();  // what is in the queue is about to leave it
  if (member->overlap == port::Overlap::cancel_previous) co_return Line{.room = kAnyNumber};
  Line line;
  for (const auto status : kAlive) {
    if (member->overlap != port::Overlap::skip || line.is_alive) break;
    const auto own = co_await count_runs(ledger, member->agent_id, status, 1);
    if (!own) co_return std::unexpected(own.error());
    line.is_alive = *own > 0;
  }
  line.room = member->queue_size;
  for (const auto status : {RunStatus::queued, RunStatus::waiting}) {
    const auto in_line = co_await count_runs(ledger, member->agent_id, status, line.room);
    if (!in_line) co_return std::unexpected(in_line.error());
    line.room -= *in_line;
  }
  co_return line;
}

}  // namespace agentd::host
