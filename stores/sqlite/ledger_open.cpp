#include "ledger_open.hpp"

#include <agentd/sdk/host.hpp>

#include <algorithm>
#include <unordered_set>

#include "ledger_schema.hpp"
#include "ledger_tables.hpp"
#include "stores/ledger/group.hpp"

namespace agentd::sqlite {
namespace {

std::int64_t number(Db& db, const char* sql) {
  Statement query(db, sql);
  return query.step() ? query.integer(0) : 0;
}

std::unordered_map<std::int64_t, Agent*> read_agents(Db& db, Mirror& mirror) {
  std::unordered_map<std::int64_t, Agent*> by_id;
  Statement query(db, "SELECT id,name,max_concurrent,newest,stats FROM agents ORDER BY id");
  while (query.step()) {
    auto& agent = mirror.agent(query.bytes(1));
    agent.id = query.integer(0);
    agent.max_concurrent = static_cast<std::uint32_t>(query.integer(2));
    agent.newest = query.integer(3);
    agent.stats = stats_of(query.bytes(4));
    by_id.emplace(agent.id, &agent);
  }
  return by_id;
}

// Of each live run the last record that its row does not know of.
std::unordered_map<std::int64_t, std::int64_t> read_tails(Db& db) {
  std::unordered_map<std::int64_t, std::int64_t> tails;
  Statement query(db, "SELECT position,run FROM records WHERE position>=? AND run>0 ORDER BY position");
  query.bind(read_meta(db, meta::kTailFrom));
  while (query.step()) tails[query.integer(1)] = query.integer(0);
  return tails;
}

std::unordered_set<std::int64_t> read_asides(Db& db) {
  std::unordered_set<std::int64_t> asides;
  Statement query(db, "SELECT run FROM asides");
  while (query.step()) asides.insert(query.integer(0));
  return asides;
}

// When its latest record, or without one its entry, said when the run is due.
std::int64_t said_at(Statement& record, const RunRow& row) {
  if (row.state.last == row.body.id) return row.body.entered;
  Reading reading(record, row.state.last);
  return reading.next() ? reading->integer(0) : row.body.entered;
}

class LiveRuns {
 public:
  LiveRuns(Db& db, Mirror& mirror, std::unordered_map<std::int64_t, Agent*> agents, const ClaimMarks& marks)
      : db_(db), mirror_(mirror), agents_(std::move(agents)), tails_(read_tails(db)), restored_(read_meta(db, meta::kRestored) != 0), marks_(marks.of(read_meta(db, meta::kSession))), asides_(read_asides(db)), record_(db, "SELECT at FROM records WHERE position=?") {}

  void read(const sdk::Host& host) {
    const std::string sql = std::string("SELECT ") + RunRow::kColumns + " FROM runs WHERE id>=? AND status>0 AND status<" + std::to_string(AGENTD_RUN_COMPLETED) + " ORDER BY id";
    Statement query(db_, sql);
    query.bind(read_meta(db_, meta::kLiveFrom));
    while (query.step()) {
      const RunRow row(query);
      const auto agent = agents_.find(row.body.agent);
      if (!row.fits || agent == agents_.end()) {
        host.log(sdk::Level::error, std::string(CorruptError(row.body.id).what()) + "; this run is left out");
        continue;
      }
      enter(row, *agent->second);
    }
  }

  // What the rows did not know is theirs now.
  void keep_recovered() {
    Statement update(db_, "UPDATE runs SET status=?,last=?,deaths=?,checksum=? WHERE id=?");
    for (const auto id : recovered_) {
      const auto& run = *mirror_.find(id);
      update.exec(run.state.status, run.state.last, run.state.deaths, run.state.checksum(run.body_checksum), id);
    }
  }

 private:
  void enter(const RunRow& row, Agent& agent) {
    LiveRun run;
    run.id = row.body.id;
    run.nonce = static_cast<std::uint32_t>(row.body.nonce);
    run.agent = &agent;
    run.revision = row.body.revision;
    run.body_checksum = row.body.checksum();
    run.payload = row.body.payload;
    run.state = row.state;
    run.since = said_at(record_, row);
    run.aside = asides_.contains(run.id);
    if (recover(run)) recovered_.push_back(run.id);
    agent.newest = std::max(agent.newest, run.id);
    mirror_.enter(std::move(run));
  }

  // A row says "queued" or "waiting" while its run is in flight. Records it does not know of tell that it was, or its mark does; and so
  // that its worker died, unless that had given the run up before.
  bool recover(LiveRun& run) const {
    const auto row_last = run.state.last;
    const auto mark = marks_.find(run.id);
    const bool given_up = mark != marks_.end() && mark->second == ClaimMarks::kGivenUp;
    bool died = mark != marks_.end() && !given_up && row_last <= mark->second;
    if (const auto tail = tails_.find(run.id); tail != tails_.end() && tail->second > row_last) {
      run.state.last = tail->second;
      run.state.status = AGENTD_RUN_QUEUED;
      died = !given_up;
    }
    run.state.deaths += died && !restored_;
    return died || run.state.last != row_last;
  }

  Db& db_;
  Mirror& mirror_;
  const std::unordered_map<std::int64_t, Agent*> agents_;
  const std::unordered_map<std::int64_t, std::int64_t> tails_;
  const bool restored_;
  const std::unordered_map<std::int64_t, std::int64_t> marks_;
  const std::unordered_set<std::int64_t> asides_;
  Statement record_;
  std::vector<std::int64_t> recovered_;
};

}  // namespace

std::int64_t next_position(Db& db) {
  const auto last = std::max(number(db, "SELECT max(id) FROM runs"), number(db, "SELECT max(position) FROM records"));
  return std::max(last + 1, read_meta(db, meta::kNext));
}

Opened open_ledger(Db& db, ClaimMarks& marks, const sdk::Host& host) {
  if (is_new(db) && marks.any())
    throw sdk::Error(db.name() + " is empty, though ledger.db.claims beside it has runs that were claimed from it, so what it held is lost; put a backup in its place, or move both away to begin anew");
  prepare_schema(db);
  Transaction transaction(db);
  spend_all_holds(db);
  if (read_meta(db, meta::kRestored) != 0) marks.clear();
  Opened opened;
  const auto session = read_meta(db, meta::kSession) + 1;
  opened.mirror = std::make_unique<Mirror>(static_cast<std::uint64_t>(session) << 32);
  LiveRuns live(db, *opened.mirror, read_agents(db, *opened.mirror), marks);
  live.read(host);
  live.keep_recovered();
  opened.next_position = next_position(db);
  opened.next_agent = number(db, "SELECT max(id) FROM agents") + 1;
  opened.epoch = read_epoch(db);
  db.run("UPDATE meta SET value=value+1 WHERE key='session'");
  db.run("DELETE FROM meta WHERE key='restored'");
  transaction.commit();
  marks.begin(session);
  return opened;
}

}  // namespace agentd::sqlite
