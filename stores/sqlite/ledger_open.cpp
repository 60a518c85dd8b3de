#include "ledger_open.hpp"

#include <agentd/sdk/host.hpp>

#include <algorithm>

#include "ledger_group.hpp"
#include "ledger_schema.hpp"

namespace agentd::sqlite {
namespace {

std::int64_t begin_session(Db& db) {
  Transaction transaction(db);
  db.run("UPDATE meta SET value=value+1 WHERE key='session'");
  const auto session = read_meta(db, meta::kSession);
  transaction.commit();
  return session;
}

std::int64_t number(Db& db, const char* sql) {
  Statement query(db, sql);
  return query.step() ? query.integer(0) : 0;
}

std::unordered_map<std::int64_t, Agent*> read_agents(Db& db, Mirror& mirror) {
  std::unordered_map<std::int64_t, Agent*> by_id;
  Statement query(db, "SELECT id,name,max_concurrent,stats FROM agents ORDER BY id");
  while (query.step()) {
    auto& agent = mirror.agent(query.bytes(1));
    agent.id = query.integer(0);
    agent.max_concurrent = static_cast<std::uint32_t>(query.integer(2));
    agent.stats = stats_of(query.bytes(3));
    by_id.emplace(agent.id, &agent);
  }
  return by_id;
}

// What a live run's row does not know of.
struct Tail {
  std::int64_t first = 0, last = 0;
};

std::unordered_map<std::int64_t, Tail> read_tails(Db& db) {
  std::unordered_map<std::int64_t, Tail> tails;
  Statement query(db, "SELECT position,run FROM records WHERE position>=? AND run>0 ORDER BY position");
  query.bind(read_meta(db, meta::kTailFrom));
  while (query.step()) {
    auto& tail = tails[query.integer(1)];
    tail.last = query.integer(0);
    if (tail.first == 0) tail.first = tail.last;
  }
  return tails;
}

// A row says "queued" or "waiting" while its run is in flight; records it does not know of tell that it was, and so that its claim died.
void recover(LiveRun& run, const Tail& tail) {
  if (tail.last <= run.state.last) return;
  run.state.last = tail.last;
  run.state.status = AGENTD_RUN_QUEUED;
  run.tail = tail.first;
}

void read_runs(Db& db, Mirror& mirror, const std::unordered_map<std::int64_t, Agent*>& agents, const sdk::Host& host) {
  const auto tails = read_tails(db);
  const std::string sql = std::string("SELECT ") + RunRow::kColumns + " FROM runs WHERE id>=? AND status<" + std::to_string(AGENTD_RUN_COMPLETED) + " ORDER BY id";
  Statement query(db, sql.c_str());
  query.bind(read_meta(db, meta::kLiveFrom));
  while (query.step()) {
    const RunRow row(query);
    const auto agent = agents.find(row.body.agent);
    if (!row.fits || agent == agents.end()) {
      host.log(sdk::Level::error, std::string(CorruptError(row.body.id).what()) + "; this run is left out");
      continue;
    }
    LiveRun run;
    run.id = row.body.id;
    run.nonce = static_cast<std::uint32_t>(row.body.nonce);
    run.agent = agent->second;
    run.revision = row.body.revision;
    run.body_checksum = row.body.checksum();
    run.payload = row.body.payload;
    run.state = row.state;
    if (const auto tail = tails.find(run.id); tail != tails.end()) {
      const Tail unknown{std::max(tail->second.first, row.state.last + 1), tail->second.last};
      recover(run, unknown);
    }
    mirror.enter(std::move(run));
  }
}

}  // namespace

Opened open_ledger(Db& db, const sdk::Host& host) {
  prepare_schema(db);
  Opened opened;
  opened.mirror = std::make_unique<Mirror>(begin_session(db));
  const auto agents = read_agents(db, *opened.mirror);
  read_runs(db, *opened.mirror, agents, host);
  opened.next_position = std::max(number(db, "SELECT max(id) FROM runs"), number(db, "SELECT max(position) FROM records")) + 1;
  opened.next_agent = number(db, "SELECT max(id) FROM agents") + 1;
  return opened;
}

}  // namespace agentd::sqlite
