#include "tests/support/bench/fake_ledger.hpp"

#include <algorithm>

namespace agentd::support {
namespace {

using port::Admission;
using port::LedgerError;
using port::LedgerFault;
using port::RunStatus;

bool is_live(RunStatus status) { return !port::is_final(status); }

bool is_aside(const port::Entry& entry) { return entry.overlap == port::Overlap::aside; }

std::unexpected<LedgerError> error(LedgerFault fault) { return std::unexpected(LedgerError{fault, "made to fail"}); }

Async<void> turn() {
  const auto executor = co_await boost::asio::this_coro::executor;
  co_await boost::asio::post(executor, boost::asio::use_awaitable);
}

}  // namespace

std::vector<port::StoredRecord> LedgerStore::records_of(RunId run) const {
  std::vector<port::StoredRecord> records;
  std::ranges::copy_if(log, std::back_inserter(records), [run](const auto& record) { return record.run == run; });
  return records;
}

template <class Which>
void FakeLedger::settle(Which which, const std::optional<port::Spend>& used) {
  std::erase_if(store_.holds, [&](const LedgerStore::Held& held) {
    if (!which(held)) return false;
    auto& account = store_.accounts[held.account];
    const auto spent = used.value_or(held.most);
    account.held.tokens -= held.most.tokens, account.held.cost -= held.most.cost;
    account.spent.tokens += spent.tokens, account.spent.cost += spent.cost;
    return true;
  });
}

FakeLedger::FakeLedger(VirtualWorld& world, LedgerStore& store) : world_(world), store_(store), process_(++store.processes) {
  for (auto& [position, row] : store_.runs) {
    if (row.status == RunStatus::running) row.status = RunStatus::queued;
    if (row.holder != 0) ++row.deaths;
    row.holder = 0;
  }
  settle([](const auto&) { return true; });
}

std::optional<LedgerFailure> FakeLedger::next_failure(Needs needs) {
  ++operations_;
  if (cut_) return LedgerFailure{LedgerFault::unknown_outcome};
  if (locked_ && needs != Needs::memory) return LedgerFailure{LedgerFault::unavailable};
  if (full_ && needs == Needs::space) return LedgerFailure{LedgerFault::disk_full};
  const auto failure = failures_.find(operations_);
  return failure == failures_.end() ? std::nullopt : std::optional(failure->second);
}

Position FakeLedger::append(RunId run, std::string agent_id, std::int32_t kind, RunStatus status, std::string payload) {
  const Position position = last_position() + 1;
  if (kind == 0) run.position = position;
  store_.log.push_back({position, world_.now(), run, std::move(agent_id), kind, status, std::move(payload)});
  if (cut_after_ && store_.log.size() >= *cut_after_) cut_ = true;
  return position;
}

void FakeLedger::feed_from(Position first) {
  if (feed_ && !cut_) feed_(std::span(store_.log).subspan(static_cast<std::size_t>(first - 1)));
}

void FakeLedger::wake() {
  if (wake_ && !cut_) boost::asio::post(world_.io(), [this] { if (wake_ && !cut_) wake_(); });
}

std::size_t FakeLedger::count(const std::string& agent_id, RunStatus status) const {
  return static_cast<std::size_t>(std::ranges::count_if(store_.runs, [&](const auto& run) { return run.second.entry.agent_id == agent_id && run.second.status == status; }));
}

std::size_t FakeLedger::in_flight(const std::string& agent_id, bool aside) const {
  return static_cast<std::size_t>(std::ranges::count_if(store_.runs, [&](const auto& run) {
    const auto& row = run.second;
    return row.entry.agent_id == agent_id && is_aside(row.entry) == aside && row.status == RunStatus::running;
  }));
}

std::size_t FakeLedger::in_line(const port::Entry& before) const {
  return static_cast<std::size_t>(std::ranges::count_if(store_.runs, [&](const auto& run) {
    const auto& row = run.second;
    return row.entry.agent_id == before.agent_id && is_aside(row.entry) == is_aside(before) && (row.status == RunStatus::queued || row.status == RunStatus::waiting);
  }));
}

Admission FakeLedger::admit(port::Entry entry) {
  Admission admission;
  for (const auto& [position, row] : store_.runs)
    if (!entry.key.empty() && row.entry.agent_id == entry.agent_id && row.entry.key == entry.key) return {Admission::Kind::duplicate, row.run, {}};
  RunStatus status = entry.status;
  if (!port::is_final(status)) {
    std::vector<RunId> live;
    for (const auto& [position, row] : store_.runs)
      if (row.entry.agent_id == entry.agent_id && is_live(row.status) && !is_aside(row.entry)) live.push_back(row.run);
    if (entry.overlap == port::Overlap::skip && !live.empty()) {
      admission.kind = Admission::Kind::skipped;
      status = RunStatus::skipped;
    } else if (in_line(entry) >= entry.queue_size) {
      admission.kind = Admission::Kind::full;
      status = RunStatus::dropped;
    } else if (entry.overlap == port::Overlap::cancel_previous) {
      admission.cancel = std::move(live);
    }
    if (admission.kind != Admission::Kind::accepted && !entry.leaves_record) return admission;
  }
  RunId run{0, entry.nonce};
  run.position = append(run, entry.agent_id, 0, status, entry.payload);
  admission.run = run;
  LedgerStore::Row row{.entry = std::move(entry), .run = run, .entered_at = world_.now(), .status = status, .last = run.position};
  row.due_at = row.entry.due_at;
  row.since = world_.now();
  store_.runs.emplace(run.position, std::move(row));
  return admission;
}

Async<port::LedgerResult<std::vector<Admission>>> FakeLedger::enqueue(std::vector<port::Entry> entries) {
  co_await turn();
  const auto failure = next_failure(Needs::space);
  if (failure && !failure->happened) co_return error(failure->fault);
  const Position first = last_position() + 1;
  std::vector<Admission> admissions;
  for (auto& entry : entries) admissions.push_back(admit(std::move(entry)));
  feed_from(first);
  wake();
  if (failure || cut_) co_return error(failure ? failure->fault : LedgerFault::unknown_outcome);
  co_return admissions;
}

void FakeLedger::end(LedgerStore::Row& row, const port::Transition& transition) {
  if (row.generation == 0 || row.status > RunStatus::quarantined) return;  // it never started
  if (is_aside(row.entry)) return;
  auto& stats = store_.stats[row.entry.agent_id];
  const bool failed = row.status == RunStatus::failed || row.status == RunStatus::timed_out || row.status == RunStatus::quarantined;
  ++stats.run_count;
  stats.last_run = world_.now();
  if (failed) {
    ++stats.error_count;
    ++stats.consecutive_failures;
    stats.last_error = transition.error;
  } else if (row.status == RunStatus::completed) {
    stats.consecutive_failures = 0;
  }
}

bool FakeLedger::take_budget(const port::Transition& t) {
  const auto accounts = store_.accounts;
  const auto holds = store_.holds;
  const auto own = [&t](const LedgerStore::Held& held) { return t.run && held.run == t.run.position; };
  settle([&](const auto& held) { return own(held) && held.generation != t.generation; });
  for (const auto& one : t.settles) settle([&](const auto& held) { return own(held) && held.call == one.call; }, one.used);
  for (const auto& raise : t.raises) {
    auto& account = store_.accounts[{raise.account, raise.window}];
    account.raised.tokens += raise.by.tokens, account.raised.cost += raise.by.cost;
  }
  for (const auto& hold : t.holds) {
    auto& account = store_.accounts[{hold.account, hold.window}];
    const auto fits = [](std::int64_t used, std::int64_t most, std::int64_t limit, std::int64_t raised) { return limit <= 0 || used + most <= limit + raised; };
    if (!fits(account.spent.tokens + account.held.tokens, hold.most.tokens, hold.limit.tokens, account.raised.tokens) ||
        !fits(account.spent.cost + account.held.cost, hold.most.cost, hold.limit.cost, account.raised.cost)) {
      store_.accounts = accounts;
      store_.holds = holds;
      return false;
    }
    account.held.tokens += hold.most.tokens, account.held.cost += hold.most.cost;
    store_.holds.push_back({t.run.position, hold.call, t.generation, {hold.account, hold.window}, hold.most});
  }
  if (t.next && *t.next != RunStatus::running) settle(own);
  return true;
}

port::Account FakeLedger::account(const std::string& name, std::int64_t window) const {
  const auto known = store_.accounts.find({name, window});
  if (known == store_.accounts.end()) return {name, window, {}, {}, {}};
  return {name, window, known->second.spent, known->second.held, known->second.raised};
}

port::LedgerResult<Position> FakeLedger::apply(port::Transition transition) {
  const Position first = last_position() + 1;
  LedgerStore::Row* row = nullptr;
  if (transition.run) {
    const auto found = store_.runs.find(transition.run.position);
    if (found == store_.runs.end() || found->second.run != transition.run) return error(LedgerFault::not_found);
    row = &found->second;
    const bool reviewed = transition.in_quarantine != 0 && row->status == RunStatus::quarantined && row->last == transition.in_quarantine;
    if (reviewed != (transition.in_quarantine != 0) || (port::is_final(row->status) && !reviewed)) return error(LedgerFault::stale);
    const bool unheld = transition.generation == 0 && row->holder == 0;
    const bool held = row->holder == process_ && row->generation == transition.generation;
    if (!unheld && !held) return error(LedgerFault::stale);
  }
  if (!take_budget(transition)) return error(LedgerFault::over_budget);
  const auto agent_id = row ? row->entry.agent_id : transition.agent_id;
  for (auto& record : transition.records) {
    const Position at = append(transition.run, agent_id, record.kind, {}, std::move(record.payload));
    if (row) row->last = at;
  }
  if (row) {
    row->has_records = true;
    if (transition.next) {
      row->status = *transition.next;
      row->due_at = transition.due_at;
      row->since = world_.now();
      row->holder = 0;
      if (transition.in_quarantine != 0) row->deaths = 0;
      else if (port::is_final(row->status)) end(*row, transition);
    }
  }
  if (transition.agent_state) store_.agent_states[agent_id] = *transition.agent_state;
  for (auto& entry : transition.follow_ups) admit(std::move(entry));
  feed_from(first);
  if (transition.next || !transition.follow_ups.empty()) wake();
  return first;
}

Async<port::LedgerResult<Position>> FakeLedger::commit(port::Transition transition) {
  co_await turn();
  const auto failure = next_failure(Needs::space);
  if (failure && !failure->happened) co_return error(failure->fault);
  auto position = apply(std::move(transition));
  if (failure) co_return error(failure->fault);
  if (cut_) co_return error(LedgerFault::unknown_outcome);
  co_return position;
}

Async<port::LedgerResult<port::Claims>> FakeLedger::claim(std::size_t n) {
  co_await turn();
  if (const auto failure = next_failure(Needs::memory)) co_return error(failure->fault);
  port::Claims claims;
  std::vector<std::string> agents;
  for (const auto& [agent, can] : serves_)
    if (can) agents.push_back(agent);
  std::ranges::rotate(agents, std::ranges::upper_bound(agents, last_agent_));
  for (bool more = true; more && claims.runs.size() < n;) {
    more = false;
    for (const auto& agent : agents) {
      if (claims.runs.size() == n) break;
      for (auto& [position, row] : store_.runs) {
        if (row.entry.agent_id != agent || row.holder != 0 || !is_live(row.status)) continue;
        if (row.since > world_.now()) {  // the clock was set back
          row.due_at = world_.now() + std::max(row.due_at - row.since, Millis(0));
          row.since = world_.now();
        }
        if (row.due_at > world_.now()) {
          if (!claims.next_due || row.due_at < *claims.next_due) claims.next_due = row.due_at;
          continue;
        }
        const bool aside = is_aside(row.entry);
        if (in_flight(agent, aside) >= (aside ? 1 : row.entry.max_concurrent)) continue;
        row.status = RunStatus::running;
        row.holder = process_;
        row.generation = ++store_.generations;
        claims.runs.push_back({row.run, row.generation, agent, row.entry.revision, row.has_records, row.entry.payload, row.deaths});
        last_agent_ = agent;
        more = true;
        break;
      }
    }
  }
  co_return claims;
}

void FakeLedger::abandon(RunId run, std::uint64_t generation) {
  const auto found = store_.runs.find(run.position);
  if (cut_ || found == store_.runs.end()) return;
  auto& row = found->second;
  if (row.holder != process_ || row.generation != generation) return;
  row.status = RunStatus::queued;
  row.holder = 0;
  settle([&](const auto& held) { return held.run == run.position; });
  wake();
}

void FakeLedger::serve(std::string agent_id, bool can) {
  serves_[std::move(agent_id)] = can;
  wake();
}

Async<port::LedgerResult<std::vector<port::StoredRecord>>> FakeLedger::load(RunId run) {
  co_await turn();
  if (const auto failure = next_failure(Needs::file)) co_return error(failure->fault);
  if (run == damaged_) co_return error(LedgerFault::corrupt);
  auto records = store_.records_of(run);
  if (records.empty()) co_return error(LedgerFault::not_found);
  co_return records;
}

Async<port::LedgerResult<std::vector<port::RunRow>>> FakeLedger::list(port::RunFilter filter) {
  co_await turn();
  if (const auto failure = next_failure(Needs::file)) co_return error(failure->fault);
  std::vector<port::RunRow> rows;
  const bool by_key = !filter.key_before.empty();  // keys of slots and of files are in the order they came in
  for (auto at = store_.runs.rbegin(); at != store_.runs.rend() && rows.size() < filter.limit; ++at) {
    const auto& row = at->second;
    if (!filter.agent_id.empty() && filter.agent_id != row.entry.agent_id) continue;
    if (filter.status && *filter.status != row.status) continue;
    if (by_key && (row.entry.key < filter.key_from || row.entry.key >= filter.key_before)) continue;
    if (filter.before != 0 && at->first >= filter.before) continue;
    const auto& last = store_.log[static_cast<std::size_t>(row.last - 1)];
    const bool more = row.last != row.run.position;
    rows.push_back({row.run, row.entry.agent_id, row.entry.key, row.status, row.entry.revision, row.entered_at, row.due_at, row.entry.payload, row.last,
                    more ? last.payload : std::string(), last.kind});
  }
  co_return rows;
}

Async<port::LedgerResult<std::vector<port::StoredRecord>>> FakeLedger::events_after(Position position, std::size_t limit) {
  co_await turn();
  if (const auto failure = next_failure(Needs::file)) co_return error(failure->fault);
  const auto first = std::min(static_cast<std::size_t>(position), store_.log.size());
  const auto last = std::min(store_.log.size(), first + limit);
  co_return std::vector<port::StoredRecord>(store_.log.begin() + static_cast<std::ptrdiff_t>(first), store_.log.begin() + static_cast<std::ptrdiff_t>(last));
}

Async<port::LedgerResult<std::vector<port::KeptSpec>>> FakeLedger::put_specs(std::vector<port::AgentSpecText> specs) {
  using Change = port::KeptSpec::Change;
  co_await turn();
  const auto failure = next_failure(Needs::space);
  if (failure && !failure->happened) co_return error(failure->fault);
  std::vector<port::KeptSpec> kept;
  for (auto& spec : specs) {
    auto& revisions = store_.specs[spec.agent_id];
    auto& one = kept.emplace_back();
    if (revisions.empty()) one.change = Change::created;
    else if (revisions.back().content != spec.content) one = {Change::updated, 0, revisions.back().content};
    if (one.change != Change::none) revisions.push_back({static_cast<std::int64_t>(revisions.size() + 1), std::move(spec.content)});
    one.revision = revisions.back().revision;
  }
  if (failure) co_return error(failure->fault);
  co_return kept;
}

Async<port::LedgerResult<std::optional<port::SpecRevision>>> FakeLedger::spec(std::string agent_id, std::int64_t revision) {
  co_await turn();
  if (const auto failure = next_failure(Needs::file)) co_return error(failure->fault);
  const auto& revisions = store_.specs[agent_id];
  std::optional<port::SpecRevision> found;
  for (const auto& kept : revisions)
    if (revision == 0 || kept.revision == revision) found = kept;
  co_return found;
}

Async<port::LedgerResult<std::string>> FakeLedger::agent_state(std::string agent_id) {
  co_await turn();
  if (const auto failure = next_failure(Needs::file)) co_return error(failure->fault);
  const auto found = store_.agent_states.find(agent_id);
  co_return found == store_.agent_states.end() ? "null" : found->second;
}

Async<port::LedgerResult<void>> FakeLedger::put_cursors(std::vector<port::Cursor> cursors) {
  co_await turn();
  const auto failure = next_failure(Needs::space);
  if (failure && !failure->happened) co_return error(failure->fault);
  for (auto& cursor : cursors) store_.cursors[cursor.name] = cursor.position;
  if (failure) co_return error(failure->fault);
  co_return port::LedgerResult<void>{};
}

Async<port::LedgerResult<std::vector<Position>>> FakeLedger::cursors(std::vector<std::string> names) {
  co_await turn();
  if (const auto failure = next_failure(Needs::file)) co_return error(failure->fault);
  std::vector<Position> found;
  for (const auto& name : names) found.push_back(store_.cursors.contains(name) ? store_.cursors.at(name) : 0);
  co_return found;
}

std::size_t FakeLedger::queued(const std::string& agent_id) const { return count(agent_id, RunStatus::queued); }
std::size_t FakeLedger::running(const std::string& agent_id) const { return count(agent_id, RunStatus::running); }

port::AgentStats FakeLedger::stats(const std::string& agent_id) const {
  const auto found = store_.stats.find(agent_id);
  return found == store_.stats.end() ? port::AgentStats{} : found->second;
}

}  // namespace agentd::support
