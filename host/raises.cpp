#include "host/raises.hpp"

#include <optional>

#include "core/budget/days.hpp"
#include "core/event/record.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kWaitingAtOnce = 100;

bool is_of_an_agent(const std::string& scope) { return scope != budget::kHostAccount; }
std::string agent_of(const std::string& scope) { return is_of_an_agent(scope) ? scope.substr(budget::account_of("").size()) : std::string(); }

// The session of a run that is parked for want of this budget.
std::optional<std::string> parked_for(const port::RunRow& row, const std::string& scope) {
  if (row.last_kind != event::Waiting::kKind) return std::nullopt;
  auto decoded = event::decode(row.last_kind, row.last_payload);
  if (!decoded) return std::nullopt;
  const auto& waiting = std::get<event::Waiting>(decoded->body);
  if (waiting.what != event::Waiting::For::budget || !waiting.fault || !waiting.fault->exhausted || waiting.fault->exhausted->scope != scope) return std::nullopt;
  return std::move(decoded->session);
}

// What was on its way to be parked when the raise became durable is so behind an empty write, so that none is overlooked.
Async<std::size_t> wake_parked(World world, port::Ledger& ledger, std::string scope) {
  (void)co_await ledger.put_cursors({});
  port::RunFilter filter{.agent_id = agent_of(scope), .status = port::RunStatus::waiting, .limit = kWaitingAtOnce};
  std::size_t woken = 0;
  while (true) {
    const auto rows = co_await ledger.list(filter);
    if (!rows || rows->empty()) co_return woken;
    for (const auto& row : *rows) {
      const auto session = parked_for(row, scope);
      if (!session) continue;
      port::Transition transition{.run = row.run, .next = port::RunStatus::queued, .due_at = world.clock.now()};
      transition.records.push_back(event::to_record(event::Released{.reason = "the budget was raised"}, *session));
      const auto committed = co_await ledger.commit(std::move(transition));
      woken += committed.has_value();
    }
    filter.before = rows->back().run.position;
  }
}

}  // namespace

Async<port::LedgerResult<std::size_t>> raise_budget(World world, port::Ledger& ledger, Raise raise) {
  const bool money = raise.resource == "cost";
  const auto day = budget::day_of(world.clock.now());
  port::Transition transition{.agent_id = agent_of(raise.scope)};
  transition.records.push_back(event::to_record(event::BudgetRaised{raise.scope, budget::format_day(day), raise.resource, raise.amount, raise.by}));
  transition.raises.push_back({raise.scope, day, money ? port::Spend{0, raise.amount} : port::Spend{raise.amount, 0}});
  const auto committed = co_await ledger.commit(std::move(transition));
  if (!committed) co_return std::unexpected(committed.error());
  auto waking = wake_parked(world, ledger, raise.scope);
  co_return co_await std::move(waking);
}

}  // namespace agentd::host
