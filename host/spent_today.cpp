#include "host/spent_today.hpp"

#include "core/budget/days.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kRecordsOfADay = 256;

std::optional<port::Spend> spent_in(const event::Body& body) {
  if (const auto* answered = std::get_if<event::Answered>(&body)) return budget::spend_of(*answered);
  if (const auto* ended = std::get_if<event::Ended>(&body); ended && ended->answer) return budget::spend_of(*ended->answer);
  return std::nullopt;
}

void add_spend(port::Spend& to, const port::Spend& more) {
  to.tokens += more.tokens;
  to.cost += more.cost;
}

bool may_have_spent(std::int32_t kind) { return kind == event::Answered::kKind || kind == event::Ended::kKind; }

// The last position before an instant. Positions are in the order of time as far as nobody has set the clock back.
Async<port::LedgerResult<Position>> last_before(port::Ledger& ledger, Instant at) {
  Position before = 0, after = ledger.last_position();
  while (before < after) {
    const Position middle = before + (after - before) / 2;
    const auto next = co_await ledger.events_after(middle, 1);
    if (!next) co_return std::unexpected(next.error());
    if (next->empty() || next->front().at >= at) after = middle;
    else before = next->front().position;
  }
  co_return before;
}

}  // namespace

void SpentToday::begin(std::int64_t day) {
  if (day <= day_) return;
  day_ = day;
  spent_.clear();
  all_ = {};
}

void SpentToday::see(const port::StoredRecord& record, const event::Body& body) {
  const auto spent = spent_in(body);
  if (!spent || *spent == port::Spend{}) return;
  const auto day = budget::day_of(record.at);
  begin(day);
  if (day != day_) return;
  add_spend(spent_[record.agent_id], *spent);
  add_spend(all_, *spent);
}

Async<port::LedgerResult<void>> SpentToday::find(port::Ledger& ledger, std::stop_token stop) {
  const auto until = ledger.last_position();
  const auto midnight = budget::end_of(budget::day_of(world_.clock.now()) - 1);
  auto seeking = last_before(ledger, midnight);
  auto at = co_await std::move(seeking);
  while (at && *at < until && !stop.stop_requested()) {
    const auto records = co_await ledger.events_after(*at, kRecordsOfADay);
    if (!records) co_return std::unexpected(records.error());
    if (records->empty()) break;
    for (const auto& record : *records) {
      at = record.position;
      if (record.position > until) break;  // seen as it came
      if (!may_have_spent(record.kind)) continue;
      const auto decoded = event::decode(record.kind, record.payload);
      if (decoded) see(record, decoded->body);
    }
  }
  if (!at) co_return std::unexpected(at.error());
  co_return port::LedgerResult<void>();
}

bool SpentToday::is_of_today() const { return day_ == budget::day_of(world_.clock.now()); }

port::Spend SpentToday::of(const std::string& agent_id) const {
  const auto found = spent_.find(agent_id);
  return found == spent_.end() || !is_of_today() ? port::Spend{} : found->second;
}

port::Spend SpentToday::of_all() const { return is_of_today() ? all_ : port::Spend{}; }

}  // namespace agentd::host
