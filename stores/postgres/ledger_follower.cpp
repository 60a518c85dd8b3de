#include "ledger_follower.hpp"

#include <agentd/sdk/host.hpp>

#include <algorithm>
#include <unordered_map>

#include "lease.hpp"
#include "ledger_tables.hpp"

namespace agentd::postgres {
namespace {

constexpr std::int64_t kGroupsAtOnce = 16, kPositionsAtOnce = 1024;
constexpr std::size_t kMostTold = 10'000;  // damaged positions

#define AGENTD_TOUCHED "ANY(ARRAY(SELECT unnest(runs) FROM groups WHERE number>$1::int8 AND number<=$2::int8))"
#define AGENTD_ACCOUNT "a.name,a.day,a.spent_tokens,a.spent_cost,a.held_tokens,a.held_cost,a.raised_tokens,a.raised_cost"
#define AGENTD_HOLD "h.run,h.call,h.account,h.day,h.tokens,h.cost,h.generation"
#define AGENTD_LIVE "r.status>0 AND r.status<10"

constexpr Statement kBounds{"SELECT count(*),max(position) FROM groups WHERE number>$1::int8 AND number<=$2::int8"};
constexpr Statement kEntries{"SELECT " AGENTD_RUN_ROW "WHERE r.id>=$1::int8 AND r.id<$2::int8 ORDER BY r.id"};
constexpr Statement kRecords{"SELECT " AGENTD_RECORD_COLUMNS ",r.nonce,a.name,r.status FROM records c LEFT JOIN runs r ON r.id=c.run "
                             "LEFT JOIN agents a ON a.id=CASE WHEN c.run<0 THEN -c.run ELSE r.agent END WHERE c.position>=$1::int8 AND c.position<$2::int8 ORDER BY c.position"};
constexpr Statement kTouchedRuns{"SELECT " AGENTD_RUN_ROW "WHERE r.id=" AGENTD_TOUCHED};
constexpr Statement kTouchedAgents{"SELECT id,name,max_concurrent,stats FROM agents WHERE id=ANY(ARRAY(SELECT unnest(agents) FROM groups WHERE number>$1::int8 AND number<=$2::int8))"};
constexpr Statement kTouchedAccounts{"SELECT " AGENTD_ACCOUNT " FROM (SELECT DISTINCT k.name,k.day FROM groups g CROSS JOIN LATERAL unnest(g.accounts,g.days) AS k(name,day) "
                                     "WHERE g.number>$1::int8 AND g.number<=$2::int8) k JOIN accounts a ON a.name=k.name AND a.day=k.day"};
constexpr Statement kTouchedHolds{"SELECT " AGENTD_HOLD " FROM holds h WHERE h.run=" AGENTD_TOUCHED};

constexpr Statement kAllAgents{"SELECT id,name,max_concurrent,stats FROM agents ORDER BY id"};
constexpr Statement kLiveRuns{"SELECT " AGENTD_RUN_ROW "WHERE " AGENTD_LIVE " ORDER BY r.id"};
constexpr Statement kTails{"SELECT c.run,min(c.position),max(c.position) FROM records c JOIN runs r ON r.id=c.run WHERE c.position>=$1::int8 AND c.run>0 AND r.generation<>0 GROUP BY c.run"};
constexpr Statement kRecentAccounts{"SELECT " AGENTD_ACCOUNT " FROM accounts a WHERE a.day=(SELECT max(day) FROM accounts) OR (a.name,a.day) IN (SELECT account,day FROM holds)"};
constexpr Statement kAllHolds{"SELECT " AGENTD_HOLD " FROM holds h"};

}  // namespace

const Statement Follower::kHead{"SELECT groups,position,agent,tail_from,epoch FROM head"};
const Statement Follower::kLockedHead{"SELECT groups,position,agent,tail_from,epoch FROM head FOR UPDATE"};
const Statement Follower::kWorkers{"SELECT id," AGENTD_LEASE_OVER " FROM workers"};

Head Follower::head(const Rowset& rows) {
  if (rows.empty()) throw PgError("XX001", "the table head has no row: what the ledger held is lost");
  return {rows.integer(0, 0), {rows.integer(0, 1), rows.integer(0, 2)}, rows.integer(0, 3), rows.text(0, 4)};
}

std::vector<Worker> Follower::workers(const Rowset& rows) {
  std::vector<Worker> all;
  for (int i = 0; i < rows.rows(); ++i) all.push_back({rows.integer(i, 0), rows.integer(i, 1) != 0});
  return all;
}

// What came of one piece, for the host.
struct Follower::Piece {
  Group group;
  std::set<Agent*> touched;
  void touch(Agent& agent) {
    if (touched.insert(&agent).second) group.agents.push_back(&agent);
  }
};

void Follower::damaged(std::int64_t position) {
  if (told_.size() >= kMostTold || !told_.insert(position).second) return;
  host_.log(sdk::Level::error, std::string(CorruptError(position).what()) + "; it is left out");
}

// A run as its row says. What is in flight has records that the row does not know of; those are known already, or come after it.
void Follower::learn(const RunRow& row, Piece& piece) {
  if (!row.fits) return damaged(row.body.id);
  const std::lock_guard lock(mutex_);
  auto* known = mirror_.find(row.body.id);
  if (is_final(row.state.status) || row.state.status == kRemovedRun) {
    if (!known) return;
    piece.touch(*known->agent);
    piece.group.due |= mirror_.change(row.body.id, {{AGENTD_RUN_DROPPED, 0, 0}, 0, 0, 0});
    return;
  }
  auto& agent = mirror_.agent(row.agent);
  agent.id = row.body.agent;
  piece.touch(agent);
  const auto generation = static_cast<std::uint64_t>(row.generation);
  const bool is_claimed = generation != 0;
  if (is_claimed && row.worker == worker_ && !(known && known->generation == generation))
    strays_.push_back({{row.body.id, static_cast<std::uint32_t>(row.body.nonce), 0}, generation});
  auto state = row.state;
  if (is_claimed) state.status = AGENTD_RUN_RUNNING;
  if (known) {
    state.last = std::max(state.last, known->state.last);
    const auto tail = is_claimed ? known->tail : 0;
    piece.group.due |= mirror_.change(row.body.id, {state, row.said, generation, tail});
    known->worker = row.worker;
    return;
  }
  LiveRun run{row.body.id, static_cast<std::uint32_t>(row.body.nonce), &agent, row.body.revision, row.body.checksum(), std::string(row.body.payload), state, row.said, generation, row.worker};
  run.aside = row.aside;
  piece.group.due |= mirror_.enter(std::move(run));
}

void Follower::learn(const RecordRow& row, std::uint32_t nonce, std::string_view agent, Piece& piece) {
  if (!row.fits) return damaged(row.position);
  const agentd_run_id run = row.run > 0 ? agentd_run_id{row.run, nonce, 0} : agentd_run_id{};
  const std::lock_guard lock(mutex_);
  const agentd_str name = agent.empty() ? agentd_str{} : sdk::str(mirror_.agent(agent).name);
  piece.group.records.push_back({row.position, row.at, run, name, static_cast<std::int32_t>(row.kind), 0, sdk::str(row.payload)});
  const auto* known = row.run > 0 ? mirror_.find(row.run) : nullptr;
  if (!known || row.position <= known->state.last) return;
  auto state = known->state;
  state.last = row.position;
  const auto tail = known->generation == 0 ? 0 : known->tail != 0 ? known->tail : row.position;
  mirror_.change(row.run, {state, known->since, known->generation, tail});
}

void Follower::learn_agents(const Rowset& rows, Piece& piece) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < rows.rows(); ++i) {
    auto& agent = mirror_.agent(rows.bytes(i, 1));
    agent.id = rows.integer(i, 0);
    agent.stats = stats_of(rows.bytes(i, 3));
    piece.group.due |= mirror_.limit(agent, static_cast<std::uint32_t>(rows.integer(i, 2)));
    piece.touch(agent);
  }
}

std::vector<AccountName> Follower::learn_accounts(const Rowset& rows) {
  std::vector<AccountName> names;
  for (int i = 0; i < rows.rows(); ++i) {
    names.emplace_back(rows.text(i, 0), rows.integer(i, 1));
    budgets_.know(names.back(), {{rows.integer(i, 2), rows.integer(i, 3)}, {rows.integer(i, 4), rows.integer(i, 5)}, {rows.integer(i, 6), rows.integer(i, 7)}});
  }
  return names;
}

// Those of a run that has none any more are forgotten.
void Follower::learn_holds(const Rowset& rows, const std::set<std::int64_t>& of) {
  std::unordered_map<std::int64_t, std::vector<Held>> holds;
  for (const auto run : of) holds[run];
  for (int i = 0; i < rows.rows(); ++i)
    holds[rows.integer(i, 0)].push_back({{rows.text(i, 2), rows.integer(i, 3)}, rows.integer(i, 1), {rows.integer(i, 4), rows.integer(i, 5)}, static_cast<std::uint64_t>(rows.integer(i, 6))});
  for (auto& [run, held] : holds) budgets_.know_holds(run, std::move(held));
}

// Entries and records are two tables with one sequence of positions.
void Follower::feed(const Rowset& entries, const Rowset& records, Piece& piece) {
  int entry = 0, record = 0;
  while (entry < entries.rows() || record < records.rows()) {
    if (record == records.rows() || (entry < entries.rows() && entries.integer(entry, 0) < records.integer(record, 0))) {
      const RunRow row(entries, entry++);
      learn(row, piece);
      if (!row.fits || row.state.status == kRemovedRun) continue;
      const std::lock_guard lock(mutex_);
      piece.group.records.push_back({row.body.id, row.body.entered, {row.body.id, static_cast<std::uint32_t>(row.body.nonce), 0}, sdk::str(mirror_.agent(row.agent).name), 0,
                                     status_at_entry(row), sdk::str(row.body.payload)});
    } else {
      const int at = record++;
      const RecordRow row(records, at);
      const bool is_removed = row.run > 0 && (records.is_null(at, 9) || records.integer(at, 9) == kRemovedRun);
      if (!is_removed) learn(row, static_cast<std::uint32_t>(records.is_null(at, 7) ? 0 : records.integer(at, 7)), records.is_null(at, 8) ? std::string_view() : records.bytes(at, 8), piece);
    }
  }
}

// ---- at the start

// Every live run, agent and hold, and the accounts that may still change.
Group Follower::read_all(Connection& connection, const Head& head) {
  connection.send(kAllAgents);
  connection.send(kLiveRuns);
  connection.send(kTails, Parameters(head.tail_from));
  connection.send(kAllHolds);
  connection.send(kRecentAccounts);
  const auto results = connection.sync(kLongPatience);
  Piece piece;
  learn_agents(results[0], piece);
  std::set<std::int64_t> live;
  for (int i = 0; i < results[1].rows(); ++i) {
    const RunRow row(results[1], i);
    live.insert(row.body.id);
    learn(row, piece);
  }
  {
    const std::lock_guard lock(mutex_);
    const auto& tails = results[2];
    for (int i = 0; i < tails.rows(); ++i) {
      const auto* run = mirror_.find(tails.integer(i, 0));
      if (!run || run->generation == 0 || tails.integer(i, 2) <= run->state.last) continue;
      auto state = run->state;
      state.last = tails.integer(i, 2);
      mirror_.change(run->id, {state, run->since, run->generation, tails.integer(i, 1)});
    }
    std::vector<std::int64_t> gone;
    for (const auto& [id, run] : mirror_.runs())
      if (!live.contains(id)) gone.push_back(id);
    for (const auto id : gone) {
      piece.touch(*mirror_.find(id)->agent);
      piece.group.due |= mirror_.change(id, {{AGENTD_RUN_DROPPED, 0, 0}, 0, 0, 0});
    }
  }
  budgets_.know_nothing();
  learn_holds(results[3], {});
  piece.group.accounts = budgets_.look_at(learn_accounts(results[4]));
  seen_ = head.groups, next_ = head.next.position;
  piece.group.last_position = next_ - 1;
  return std::move(piece.group);
}

// ---- from then on

void Follower::follow(Connection& connection, const Head& head, const Tell& tell) {
  while (seen_ < head.groups) {
    const auto upto = std::min(head.groups, seen_ + kGroupsAtOnce);
    const auto bounds = connection.ask(kBounds, Parameters(seen_, upto));
    if (bounds.integer(0, 0) != upto - seen_) return catch_up(connection, head, tell);
    follow_groups(connection, upto, bounds.integer(0, 1), tell);
  }
}

void Follower::follow_groups(Connection& connection, std::int64_t upto, std::int64_t before, const Tell& tell) {
  const Parameters groups(seen_, upto), positions(next_, before);
  connection.send(kTouchedAgents, groups);
  connection.send(kTouchedRuns, groups);
  connection.send(kTouchedHolds, groups);
  connection.send(kTouchedAccounts, groups);
  connection.send(kEntries, positions);
  connection.send(kRecords, positions);
  const auto all = connection.sync();
  const auto* results = all.data() + (all.size() - 6);
  Piece piece;
  learn_agents(results[0], piece);
  feed(results[4], results[5], piece);
  std::set<std::int64_t> touched;
  for (int i = 0; i < results[1].rows(); ++i) {
    const RunRow row(results[1], i);
    touched.insert(row.body.id);
    learn(row, piece);
  }
  learn_holds(results[2], touched);
  piece.group.accounts = budgets_.look_at(learn_accounts(results[3]));
  seen_ = upto, next_ = before;
  piece.group.last_position = next_ - 1;
  tell(piece.group);
}

// What the groups said is not kept any more: everything is read anew. What is fed has no gap nevertheless.
void Follower::catch_up(Connection& connection, const Head& head, const Tell& tell) {
  while (next_ < head.next.position) {
    const auto before = std::min(head.next.position, next_ + kPositionsAtOnce);
    connection.send(kEntries, Parameters(next_, before));
    connection.send(kRecords, Parameters(next_, before));
    const auto all = connection.sync();
    const auto* results = all.data() + (all.size() - 2);
    Piece piece;
    feed(results[0], results[1], piece);
    next_ = before;
    piece.group.last_position = next_ - 1;
    tell(piece.group);
  }
  auto group = read_all(connection, head);
  tell(group);
}

}  // namespace agentd::postgres
