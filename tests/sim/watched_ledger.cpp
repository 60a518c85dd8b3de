#include "tests/sim/watched_ledger.hpp"

namespace agentd::sim {
namespace {

constexpr std::size_t kMostSent = 32;
constexpr int kMostAtOnce = 1000;

std::unexpected<port::LedgerError> dead() {
  return std::unexpected(port::LedgerError{port::LedgerFault::corrupt, "the process is dead"});
}

}  // namespace

WatchedLedger::WatchedLedger(std::unique_ptr<port::Ledger> port, Life& life, Faults& faults, Witness& witness)
    : port_(std::move(port)), life_(life), faults_(faults), witness_(witness) {
  port_->on_group([this](std::span<const port::StoredRecord> group) {
    if (life_.dead() || faults_.write_is_durable(under_way_)) return;
    for (const auto& record : group) witness_.see(record);
    if (feed_) feed_(group);
  });
}

bool WatchedLedger::holds(RunId run, std::uint64_t generation) const {
  const auto found = held_.find(run);
  return found != held_.end() && found->second.generation == generation;
}

std::set<RunId> WatchedLedger::held() const {
  std::set<RunId> all;
  for (const auto& [run, held] : held_) all.insert(run);
  return all;
}

void WatchedLedger::end(const std::vector<Column>& columns) {
  for (const auto column : columns) under_way_.erase(under_way_.find(column));
  faults_.write_ended();
}

// What is asked for begins when it is awaited, so a process that dies first asks for nothing.
template <class T>
Async<port::LedgerResult<T>> WatchedLedger::write(std::vector<Column> columns, Async<port::LedgerResult<T>> asked) {
  if (life_.dead()) co_return dead();
  under_way_.insert(columns.begin(), columns.end());
  faults_.write_begins(under_way_);
  if (life_.dead()) {
    end(columns);
    co_return dead();
  }
  auto answer = co_await std::move(asked);
  if (answer && !life_.dead()) faults_.write_is_durable({columns.begin(), columns.end()});  // of what has no record, too
  end(columns);
  if (life_.dead()) co_return dead();
  co_return answer;
}

template <class T>
Async<port::LedgerResult<T>> WatchedLedger::read(Async<port::LedgerResult<T>> asked) {
  if (life_.dead()) co_return dead();
  ++asking_;
  auto answer = co_await std::move(asked);
  --asking_;
  if (life_.dead()) co_return dead();
  co_return answer;
}

Async<port::LedgerResult<std::vector<port::Admission>>> WatchedLedger::enqueue(std::vector<port::Entry> entries) {
  auto asked = port_->enqueue(entries);
  auto writing = write({Column::entered}, std::move(asked));
  auto admitted = co_await std::move(writing);
  for (std::size_t i = 0; admitted && i < entries.size(); ++i)
    witness_.admitted(entries[i].agent_id, entries[i].key, (*admitted)[i]);
  co_return admitted;
}

Async<port::LedgerResult<Position>> WatchedLedger::commit(port::Transition transition) {
  std::vector<Column> columns;
  for (const auto& record : transition.records) columns.push_back(column_of(record.kind));
  if (transition.run && transition.generation) {
    sent_.push_back(transition);
    if (sent_.size() > kMostSent) sent_.pop_front();
  }
  if (!transition.follow_ups.empty()) columns.push_back(Column::entered);
  const auto run = transition.run;
  const auto generation = transition.generation;
  const auto holds = transition.holds;
  const bool over = transition.next && *transition.next != port::RunStatus::running;
  auto asked = port_->commit(std::move(transition));
  auto writing = write(std::move(columns), std::move(asked));
  auto committed = co_await std::move(writing);
  if (committed) witness_.holds(*port_, run, holds);
  if (committed && over) let_go(run, generation);
  co_return committed;
}

Async<port::LedgerResult<std::vector<port::KeptSpec>>> WatchedLedger::put_specs(std::vector<port::AgentSpecText> specs) {
  return write({Column::specs}, port_->put_specs(std::move(specs)));
}
Async<port::LedgerResult<void>> WatchedLedger::put_cursors(std::vector<port::Cursor> cursors) {
  auto asked = port_->put_cursors(cursors);
  auto writing = write({Column::cursors}, std::move(asked));
  auto kept = co_await std::move(writing);
  if (kept) witness_.cursors_kept(cursors);
  lost_cursors_ = lost_cursors_ || !kept;
  co_return kept;
}

Async<port::LedgerResult<port::Claims>> WatchedLedger::claim(std::size_t n) {
  auto asked = port_->claim(n);
  auto reading = read(std::move(asked));
  claiming_ = true;
  auto claims = co_await std::move(reading);
  claiming_ = false;
  if (!claims || claims->runs.empty()) co_return claims;
  if (life_.world.clock.tick() != std::exchange(last_claim_, life_.world.clock.tick())) claims_at_once_ = 0;
  if (++claims_at_once_ > kMostAtOnce) {
    witness_.object("the run " + to_text(claims->runs.front().run) + " is claimed again and again while no time passes");
    life_.death.request_stop();
  }
  for (const auto& claim : claims->runs) {
    witness_.claimed(claim.run);
    const auto* run = witness_.facts(claim.run);
    const bool aside = run && run->aside;
    held_[claim.run] = {claim.generation, claim.agent_id, aside};
    const auto now = ++in_flight_[{claim.agent_id, aside}];
    if (now > (aside ? 1 : witness_.spec(claim.agent_id).limits.max_concurrent))
      witness_.object("of " + claim.agent_id + ' ' + std::to_string(now) + (aside ? " runs for its memory" : " runs") + " are in flight at once");
  }
  co_return claims;
}

void WatchedLedger::let_go(RunId run, std::uint64_t generation) {
  const auto found = held_.find(run);
  if (found == held_.end() || found->second.generation != generation) return;
  --in_flight_[{found->second.agent, found->second.aside}];
  held_.erase(found);
}

void WatchedLedger::abandon(RunId run, std::uint64_t generation) {
  if (life_.dead()) return;
  let_go(run, generation);
  abandoned_.insert(run);
  port_->abandon(run, generation);
}

void WatchedLedger::serve(std::string agent_id, bool can) {
  if (!life_.dead()) port_->serve(std::move(agent_id), can);
}

void WatchedLedger::on_due(std::function<void()> wake) {
  port_->on_due([this, wake = std::move(wake)] {
    if (!life_.dead()) wake();
  });
}

}  // namespace agentd::sim
