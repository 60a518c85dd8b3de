#include "ledger_tables.hpp"

namespace agentd::postgres {
namespace {

constexpr Statement kFindKeys{"SELECT a.id,r.key,r.id,r.nonce FROM unnest($1::text[],$2::bytea[]) AS k(agent,key) JOIN agents a ON a.name=k.agent JOIN runs r ON r.agent=a.id AND r.key=k.key"};
constexpr Statement kFindRuns{"SELECT " AGENTD_RUN_ROW "WHERE r.id=ANY($1::int8[])"};
constexpr Statement kFindSpecs{"SELECT a.id,s.revision,s.content FROM (SELECT DISTINCT n FROM unnest($1::text[]) AS n) w JOIN agents a ON a.name=w.n "
                               "CROSS JOIN LATERAL (SELECT revision,content FROM specs WHERE agent=a.id ORDER BY revision DESC LIMIT 1) s"};
constexpr Statement kHadSpec{"SELECT 1 FROM specs WHERE agent=$1::int8 AND content=$2::bytea LIMIT 1"};
constexpr Statement kFindAccounts{"SELECT a.name,a.day,spent_tokens,spent_cost,held_tokens,held_cost,raised_tokens,raised_cost FROM unnest($1::text[],$2::int8[]) AS k(name,day) "
                                  "JOIN accounts a ON a.name=k.name AND a.day=k.day"};

constexpr Statement kInsertAgents{"INSERT INTO agents(id,name,max_concurrent,stats) SELECT * FROM unnest($1::int8[],$2::text[],$3::int8[],$4::bytea[])"};
constexpr Statement kLimitAgents{"UPDATE agents a SET max_concurrent=u.n FROM unnest($1::int8[],$2::int8[]) AS u(id,n) WHERE a.id=u.id"};
constexpr Statement kStatsAgents{"UPDATE agents a SET stats=u.s FROM unnest($1::int8[],$2::bytea[]) AS u(id,s) WHERE a.id=u.id"};
constexpr Statement kStateAgents{"UPDATE agents a SET state=u.s FROM unnest($1::int8[],$2::bytea[]) AS u(id,s) WHERE a.id=u.id"};
constexpr Statement kInsertSpecs{"INSERT INTO specs(agent,revision,at,content) SELECT * FROM unnest($1::int8[],$2::int8[],$3::int8[],$4::bytea[])"};
constexpr Statement kPutCursors{"INSERT INTO cursors SELECT * FROM unnest($1::text[],$2::int8[]) ON CONFLICT(name) DO UPDATE SET position=excluded.position"};
constexpr Statement kInsertRuns{
    "INSERT INTO runs(id,agent,nonce,revision,due,entered,said,last,generation,worker,checksum,deaths,status,aside,key,payload) "
    "SELECT id,agent,nonce,revision,due,entered,entered,id,0,0,checksum,0,status,aside,key,payload "
    "FROM unnest($1::int8[],$2::int8[],$3::int8[],$4::int8[],$5::int8[],$6::int8[],$7::int8[],$8::int8[],$9::int8[],$10::bytea[],$11::bytea[]) "
    "AS u(id,agent,nonce,revision,due,entered,checksum,status,aside,key,payload)"};
constexpr Statement kInsertRecords{"INSERT INTO records(position,run,prev,kind,at,checksum,payload) "
                                   "SELECT * FROM unnest($1::int8[],$2::int8[],$3::int8[],$4::int8[],$5::int8[],$6::int8[],$7::bytea[])"};
constexpr Statement kChangeRuns{"UPDATE runs r SET status=u.status,due=u.due,last=u.last,deaths=u.deaths,said=u.said,checksum=u.checksum,generation=0,worker=0 "
                                "FROM unnest($1::int8[],$2::int8[],$3::int8[],$4::int8[],$5::int8[],$6::int8[],$7::int8[]) AS u(id,status,due,last,deaths,said,checksum) WHERE r.id=u.id"};
constexpr Statement kClaimRuns{"UPDATE runs r SET generation=u.generation,worker=u.worker FROM unnest($1::int8[],$2::int8[],$3::int8[]) AS u(id,generation,worker) WHERE r.id=u.id"};
constexpr Statement kPutAccounts{
    "INSERT INTO accounts(name,day,spent_tokens,spent_cost,held_tokens,held_cost,raised_tokens,raised_cost) "
    "SELECT * FROM unnest($1::text[],$2::int8[],$3::int8[],$4::int8[],$5::int8[],$6::int8[],$7::int8[],$8::int8[]) "
    "ON CONFLICT(name,day) DO UPDATE SET spent_tokens=excluded.spent_tokens,spent_cost=excluded.spent_cost,held_tokens=excluded.held_tokens,held_cost=excluded.held_cost,"
    "raised_tokens=excluded.raised_tokens,raised_cost=excluded.raised_cost"};
constexpr Statement kDropHolds{"DELETE FROM holds WHERE run=ANY($1::int8[])"};
constexpr Statement kAddHolds{"INSERT INTO holds(run,call,account,day,tokens,cost,generation) "
                              "SELECT * FROM unnest($1::int8[],$2::int8[],$3::text[],$4::int8[],$5::int8[],$6::int8[],$7::int8[])"};
constexpr Statement kAddGroup{"INSERT INTO groups(number,nonce,worker,position,runs,agents,accounts,days) VALUES($1::int8,$2::int8,$3::int8,$4::int8,$5::int8[],$6::int8[],$7::text[],$8::int8[])"};
constexpr Statement kMoveHead{"UPDATE head SET groups=$1::int8,position=$2::int8,agent=$3::int8,tail_from=CASE $4::int8 WHEN 0 THEN tail_from ELSE $4::int8 END,removed=removed+$5::int8"};

}  // namespace

Parameters Tables::Insert::take() {
  Parameters all;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    all.add(columns[i]);
    columns[i] = Column(types_[i]);
  }
  return all;
}

void Tables::begin(Connection& connection) {
  Tables fresh;
  fresh.sweep_ = fresh.swept_ = swept_;
  *this = std::move(fresh);
  connection_ = &connection;
}

// ---- what is to be known

void Tables::send_lookups(const std::vector<Write>& writes, const Budgets& budgets) {
  Column agents(Type::text), keys(Type::bytea), reviewed(Type::int8), specs(Type::text);
  std::vector<AccountName> accounts;
  const auto add_entries = [&](const std::vector<Entry>& entries) {
    for (const auto& entry : entries)
      if (!entry.key.empty()) agents.add(entry.agent_id), keys.add(entry.key);
  };
  for (const auto& write : writes) {
    if (const auto* enqueue = std::get_if<Enqueue>(&write.what)) {
      add_entries(enqueue->entries);
    } else if (const auto* transition = std::get_if<Transition>(&write.what)) {
      add_entries(transition->follow_ups);
      if (transition->in_quarantine) reviewed.add(transition->run.position);
      budgets.add_unknown(*transition, accounts);
    } else if (const auto* put = std::get_if<PutSpecs>(&write.what)) {
      for (const auto& spec : put->specs) specs.add(spec.agent_id);
    }
  }
  const auto send = [this](Lookup what, const Statement& statement, const Parameters& parameters) {
    lookups_.push_back(what);
    connection_->send(statement, parameters);
  };
  if (keys.count()) send(Lookup::keys, kFindKeys, Parameters(agents, keys));
  if (reviewed.count()) send(Lookup::runs, kFindRuns, Parameters(reviewed));
  if (specs.count()) send(Lookup::specs, kFindSpecs, Parameters(specs));
  if (accounts.empty()) return;
  Column names(Type::text), days(Type::int8);
  for (const auto& [name, day] : accounts) names.add(name), days.add(day);
  send(Lookup::accounts, kFindAccounts, Parameters(names, days));
}

void Tables::take_lookups(const std::vector<Rowset>& results, std::size_t first) {
  for (const auto what : lookups_) {
    const auto& rows = results.at(first++);
    for (int i = 0; i < rows.rows(); ++i) {
      switch (what) {
        case Lookup::keys:
          keys_.emplace(std::pair(rows.integer(i, 0), rows.text(i, 1)), agentd_run_id{rows.integer(i, 2), static_cast<std::uint32_t>(rows.integer(i, 3)), 0});
          break;
        case Lookup::runs: {
          const RunRow row(rows, i);
          found_.emplace(row.body.id, RunFound{std::string(row.agent), std::string(row.body.payload), row.body.nonce, row.body.revision, row.body.checksum(), row.state, row.fits});
          break;
        }
        case Lookup::specs: specs_.emplace(rows.integer(i, 0), LatestSpec{rows.integer(i, 1), rows.text(i, 2)}); break;
        case Lookup::accounts:
          accounts_.emplace(AccountName(rows.text(i, 0), rows.integer(i, 1)), Account{{rows.integer(i, 2), rows.integer(i, 3)}, {rows.integer(i, 4), rows.integer(i, 5)}, {rows.integer(i, 6), rows.integer(i, 7)}});
          break;
      }
    }
  }
  lookups_.clear();
}

agentd_run_id Tables::first_with_key(std::int64_t agent, const std::string& key) {
  const auto known = keys_.find({agent, key});
  return known == keys_.end() ? agentd_run_id{} : known->second;
}

std::optional<RunFound> Tables::find_run(std::int64_t id) {
  const auto known = found_.find(id);
  return known == found_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<Rows::LatestSpec> Tables::latest_spec(std::int64_t agent) {
  const auto known = specs_.find(agent);
  return known == specs_.end() ? std::nullopt : std::optional(known->second);
}

// One that a call of days ago still settles into was not looked up: nobody names it.
std::optional<Account> Tables::read_account(const AccountName& name) {
  if (const auto known = accounts_.find(name); known != accounts_.end()) return known->second;
  Column names(Type::text), days(Type::int8);
  names.add(name.first), days.add(name.second);
  const auto rows = connection_->ask(kFindAccounts, Parameters(names, days));
  if (rows.empty()) return std::nullopt;
  return Account{{rows.integer(0, 2), rows.integer(0, 3)}, {rows.integer(0, 4), rows.integer(0, 5)}, {rows.integer(0, 6), rows.integer(0, 7)}};
}

// ---- what changes

void Tables::run_touched(std::int64_t run) {
  changed_ = true;
  touched_runs_.insert(run);
}

bool Tables::insert_run(const RunBody& body, const RunState& state, bool aside) {
  const std::string key(body.key);
  const agentd_run_id run{body.id, static_cast<std::uint32_t>(body.nonce), 0};
  if (!key.empty() && !keys_.emplace(std::pair(body.agent, key), run).second) return false;
  changed_ = true;
  runs_.add(body.id, body.agent, body.nonce, body.revision, state.due, body.entered, state.checksum(body.checksum()), state.status, std::int64_t{aside});
  if (key.empty()) runs_.columns[9].add_null();
  else runs_.columns[9].add(body.key);
  runs_.columns[10].add(body.payload);
  return true;
}

void Tables::update_run(const LiveRun& run) {
  run_touched(run.id);
  run_changes_[run.id] = {run.state, run.since, run.state.checksum(run.body_checksum)};
  if (const auto found = found_.find(run.id); found != found_.end()) found->second.state = run.state;
}

void Tables::claim(const LiveRun& run) {
  run_touched(run.id);
  claims_.add(run.id, static_cast<std::int64_t>(run.generation), run.worker);
}

void Tables::insert_record(const RecordBody& r) {
  changed_ = true;
  records_.add(r.position, r.run, r.prev, r.kind, r.at, r.checksum(), r.payload);
}

void Tables::insert_agent(std::int64_t id, const std::string& name, std::uint32_t max_concurrent, const std::string& stats) {
  changed_ = true;
  touched_agents_.insert(id);
  agents_.add(id, std::string_view(name), std::int64_t{max_concurrent}, std::string_view(stats));
}
void Tables::limit_agent(std::int64_t id, std::uint32_t max_concurrent) {
  changed_ = true;
  touched_agents_.insert(id);
  limits_[id] = max_concurrent;
}
void Tables::stats_agent(std::int64_t id, const std::string& stats, std::int64_t) {
  changed_ = true;
  touched_agents_.insert(id);
  stats_[id] = stats;
}
void Tables::state_agent(std::int64_t id, const std::string& state) {
  changed_ = true;
  states_[id] = state;
}
// Of content that is not the newest alone, and seldom: it is not looked up beforehand.
bool Tables::had_spec(std::int64_t agent, const std::string& content) { return !connection_->ask(kHadSpec, Parameters(agent, std::string_view(content))).empty(); }
void Tables::insert_spec(std::int64_t agent, std::int64_t revision, std::int64_t at, const std::string& content) {
  changed_ = true;
  specs_[agent] = {revision, content};
  new_specs_.add(agent, revision, at, std::string_view(content));
}
void Tables::put_cursor(const std::string& name, std::int64_t position) {
  changed_ = true;
  cursors_[name] = position;
}
void Tables::put_account(const AccountName& name, const Account& a) {
  changed_ = true;
  touched_accounts_.insert(name);
  put_accounts_.add(std::string_view(name.first), name.second, a.spent.tokens, a.spent.cost, a.held.tokens, a.held.cost, a.raised.tokens, a.raised.cost);
}
void Tables::put_holds(std::int64_t run, const std::vector<Held>& holds) {
  run_touched(run);
  holds_[run] = holds;
}
void Tables::keep_marks(std::int64_t, std::int64_t tail_from) { tail_from_ = tail_from; }

// ---- on its way

Column Tables::ids(const std::set<std::int64_t>& numbers) {
  Column column(Type::int8);
  for (const auto number : numbers) column.add(number);
  return column;
}

void Tables::send_rows() {
  auto& c = *connection_;
  if (!agents_.empty()) c.send(kInsertAgents, agents_.take());
  if (!limits_.empty()) {
    Column id(Type::int8), limit(Type::int8);
    for (const auto& [agent, n] : std::exchange(limits_, {})) id.add(agent), limit.add(std::int64_t{n});
    c.send(kLimitAgents, Parameters(id, limit));
  }
  for (auto* texts : {&stats_, &states_}) {
    if (texts->empty()) continue;
    Column id(Type::int8), text(Type::bytea);
    for (const auto& [agent, what] : std::exchange(*texts, {})) id.add(agent), text.add(std::string_view(what));
    c.send(texts == &stats_ ? kStatsAgents : kStateAgents, Parameters(id, text));
  }
  if (!new_specs_.empty()) c.send(kInsertSpecs, new_specs_.take());
  if (!cursors_.empty()) {
    Column name(Type::text), position(Type::int8);
    for (const auto& [cursor, at] : std::exchange(cursors_, {})) name.add(std::string_view(cursor)), position.add(at);
    c.send(kPutCursors, Parameters(name, position));
  }
  if (!runs_.empty()) c.send(kInsertRuns, runs_.take());
  if (!records_.empty()) c.send(kInsertRecords, records_.take());
  if (!run_changes_.empty()) {
    Insert all{Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8};
    for (const auto& [id, to] : std::exchange(run_changes_, {})) all.add(id, to.state.status, to.state.due, to.state.last, to.state.deaths, to.said, to.checksum);
    c.send(kChangeRuns, all.take());
  }
  if (!claims_.empty()) c.send(kClaimRuns, claims_.take());
  if (!put_accounts_.empty()) c.send(kPutAccounts, put_accounts_.take());
  if (!holds_.empty()) {
    Column runs(Type::int8);
    Insert all{Type::int8, Type::int8, Type::text, Type::int8, Type::int8, Type::int8, Type::int8};
    for (const auto& [run, holds] : holds_) {
      runs.add(run);
      for (const auto& held : holds) all.add(run, held.call, std::string_view(held.account.first), held.account.second, held.most.tokens, held.most.cost, static_cast<std::int64_t>(held.generation));
    }
    c.send(kDropHolds, Parameters(runs));
    if (!all.empty()) c.send(kAddHolds, all.take());
    holds_.clear();
  }
}

void Tables::send(const Group& group) {
  send_rows();
  Column names(Type::text), days(Type::int8);
  for (const auto& [name, day] : touched_accounts_) names.add(std::string_view(name)), days.add(day);
  connection_->send(kAddGroup, Parameters(group.number, group.nonce, group.worker, group.next_position, ids(touched_runs_), ids(touched_agents_), names, days));
  connection_->send(kMoveHead, Parameters(group.number, group.next_position, group.next_agent, tail_from_.value_or(0), removed_));
}

}  // namespace agentd::postgres
