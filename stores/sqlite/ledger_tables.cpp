#include "ledger_tables.hpp"

#include "ledger_schema.hpp"
#include "stores/ledger/mirror.hpp"

namespace agentd::sqlite {

Tables::Tables(Db& db)
    : db_(db),
      pruning_(db),
      insert_run_(db, "INSERT INTO runs(id,agent,nonce,prev,key,status,revision,due,entered,last,deaths,checksum,payload) VALUES(?,?,?,?,?,?,?,?,?,?,0,?,?) "
                      "ON CONFLICT(agent,key) DO NOTHING"),
      insert_record_(db, "INSERT INTO records(position,run,prev,kind,at,checksum,payload) VALUES(?,?,?,?,?,?,?)"),
      update_run_(db, "UPDATE runs SET status=?,due=?,last=?,deaths=?,checksum=? WHERE id=?"),
      find_key_(db, "SELECT id,nonce FROM runs WHERE agent=? AND key=?"),
      find_run_(db, std::string("SELECT ") + RunRow::kColumns + ",(SELECT name FROM agents WHERE agents.id=agent) FROM runs WHERE id=?"),
      put_aside_(db, "INSERT INTO asides VALUES(?)"),
      end_aside_(db, "DELETE FROM asides WHERE run=?"),
      insert_agent_(db, "INSERT INTO agents(id,name,max_concurrent,newest,stats) VALUES(?,?,?,0,?)"),
      limit_agent_(db, "UPDATE agents SET max_concurrent=? WHERE id=?"),
      stats_agent_(db, "UPDATE agents SET stats=?,newest=? WHERE id=?"),
      state_agent_(db, "UPDATE agents SET state=? WHERE id=?"),
      latest_spec_(db, "SELECT revision,content FROM specs WHERE agent=? ORDER BY revision DESC LIMIT 1"),
      had_spec_(db, "SELECT 1 FROM specs WHERE agent=? AND content=? LIMIT 1"),
      insert_spec_(db, "INSERT INTO specs(agent,revision,at,content) VALUES(?,?,?,?)"),
      put_cursor_(db, "INSERT INTO cursors VALUES(?,?) ON CONFLICT(name) DO UPDATE SET position=excluded.position"),
      put_meta_(db, "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value"),
      find_account_(db, "SELECT spent_tokens,spent_cost,raised_tokens,raised_cost FROM accounts WHERE name=? AND window=?"),
      put_account_(db, "INSERT INTO accounts(name,window,spent_tokens,spent_cost,raised_tokens,raised_cost) VALUES(?,?,?,?,?,?) ON CONFLICT(name,window) DO UPDATE SET "
                       "spent_tokens=excluded.spent_tokens,spent_cost=excluded.spent_cost,raised_tokens=excluded.raised_tokens,raised_cost=excluded.raised_cost"),
      latest_accounts_(db, "SELECT name,window FROM accounts WHERE window=(SELECT max(window) FROM accounts)"),
      add_hold_(db, "INSERT INTO holds(run,call,account,window,tokens,cost) VALUES(?,?,?,?,?,?)"),
      drop_holds_(db, "DELETE FROM holds WHERE run=?") {}

// ---- runs and records

bool Tables::insert_run(const RunBody& body, const RunState& state, bool aside) {
  const auto key = body.key.empty() ? std::optional<std::string_view>() : body.key;
  insert_run_.exec(body.id, body.agent, body.nonce, body.prev, key, state.status, body.revision, state.due, body.entered, state.last, state.checksum(body.checksum()), body.payload);
  if (db_.changes() == 0) return false;
  if (aside) put_aside_.exec(body.id);
  return true;
}

agentd_run_id Tables::first_with_key(std::int64_t agent, const std::string& key) {
  Reading reading(find_key_, agent, std::string_view(key));
  if (!reading.next()) return {};
  return {reading->integer(0), static_cast<std::uint32_t>(reading->integer(1)), 0};
}

void Tables::update_run(const LiveRun& run) {
  update_run_.exec(run.state.status, run.state.due, run.state.last, run.state.deaths, run.state.checksum(run.body_checksum), run.id);
  if (run.aside && is_final(run.state.status)) end_aside_.exec(run.id);
}

std::optional<RunFound> Tables::find_run(std::int64_t id) {
  Reading reading(find_run_, id);
  if (!reading.next()) return std::nullopt;
  const RunRow row(*reading);
  return RunFound{reading->text(RunRow::kColumnCount), std::string(row.body.payload), row.body.nonce, row.body.revision, row.body.checksum(), row.state, row.fits};
}

// A start looks for live runs from a mark on, which may stand behind this one.
void Tables::came_back(std::int64_t run) {
  if (run < read_meta(db_, meta::kLiveFrom)) put_meta_.exec(std::string_view(meta::kLiveFrom), run);
}

void Tables::insert_record(const RecordBody& r) { insert_record_.exec(r.position, r.run, r.prev, r.kind, r.at, r.checksum(), r.payload); }

// From where the next start has to look for runs that have not ended.
void Tables::keep_marks(std::int64_t live_from, std::int64_t tail_from) {
  put_meta_.exec(std::string_view(meta::kLiveFrom), live_from);
  put_meta_.exec(std::string_view(meta::kTailFrom), tail_from);
}

// ---- agents, specs and cursors

void Tables::insert_agent(std::int64_t id, const std::string& name, std::uint32_t max_concurrent, const std::string& stats) {
  insert_agent_.exec(id, std::string_view(name), std::int64_t{max_concurrent}, std::string_view(stats));
}
void Tables::limit_agent(std::int64_t id, std::uint32_t max_concurrent) { limit_agent_.exec(std::int64_t{max_concurrent}, id); }
void Tables::stats_agent(std::int64_t id, const std::string& stats, std::int64_t newest) { stats_agent_.exec(std::string_view(stats), newest, id); }
void Tables::state_agent(std::int64_t id, const std::string& state) { state_agent_.exec(std::string_view(state), id); }

std::optional<Rows::LatestSpec> Tables::latest_spec(std::int64_t agent) {
  Reading reading(latest_spec_, agent);
  if (!reading.next()) return std::nullopt;
  return LatestSpec{reading->integer(0), reading->text(1)};
}
bool Tables::had_spec(std::int64_t agent, const std::string& content) {
  Reading reading(had_spec_, agent, std::string_view(content));
  return reading.next();
}

void Tables::insert_spec(std::int64_t agent, std::int64_t revision, std::int64_t at, const std::string& content) {
  insert_spec_.exec(agent, revision, at, std::string_view(content));
}
void Tables::put_cursor(const std::string& name, std::int64_t position) { put_cursor_.exec(std::string_view(name), position); }

// ---- budgets. What is held stands in holds

std::optional<Account> Tables::read_account(const AccountName& name) {
  Reading reading(find_account_, std::string_view(name.first), name.second);
  if (!reading.next()) return std::nullopt;
  return Account{{reading->integer(0), reading->integer(1)}, {}, {reading->integer(2), reading->integer(3)}};
}
void Tables::put_account(const AccountName& name, const Account& account) {
  put_account_.exec(std::string_view(name.first), name.second, account.spent.tokens, account.spent.cost, account.raised.tokens, account.raised.cost);
}
void Tables::put_holds(std::int64_t run, const std::vector<Held>& holds) {
  drop_holds_.exec(run);
  for (const auto& held : holds) add_hold_.exec(run, held.call, std::string_view(held.account.first), held.account.second, held.most.tokens, held.most.cost);
}

std::vector<AccountName> Tables::recent_accounts() {
  std::vector<AccountName> names;
  Reading reading(latest_accounts_);
  while (reading.next()) names.emplace_back(reading->text(0), reading->integer(1));
  return names;
}

void spend_all_holds(Db& db) {
  db.run("INSERT INTO accounts(name,window,spent_tokens,spent_cost,raised_tokens,raised_cost) SELECT account,window,sum(tokens),sum(cost),0,0 FROM holds WHERE true GROUP BY account,window "
         "ON CONFLICT(name,window) DO UPDATE SET spent_tokens=spent_tokens+excluded.spent_tokens,spent_cost=spent_cost+excluded.spent_cost");
  db.run("DELETE FROM holds");
}

}  // namespace agentd::sqlite
