#include "ledger_schema.hpp"

#include <agentd/abi/ledger.h>
#include <agentd/sdk/error.hpp>

#include <string>

namespace agentd::sqlite {
namespace {

// runs.key is unique per agent, and NULL never equals NULL: runs without a key do not meet.
// runs.prev is the agent's run before, so that an agent's runs are listed newest first without an index for it. agents.newest is where
// that begins: kept whenever a run of the agent becomes final, and what is live is in memory, so the newest is the larger of the two.
// records.run is the run's id; 0 for a record of the host; -agent for a record of an agent alone. There is no index on records:
// a run's are found from its last one, each names the one before, the first names the entry.
// A run that was removed while an older one of its agent stays leaves its row, with the status 0 and nothing in it, so that the chain of
// the agent's runs holds. So does one that has more records than one step removes, until the last of them is gone.
// Large columns come last, so that reading the others touches no overflow page.
constexpr const char* kVersion2 = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE agents(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, max_concurrent INTEGER NOT NULL, newest INTEGER NOT NULL,
  stats TEXT NOT NULL, state TEXT);
CREATE TABLE specs(agent INTEGER NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY(agent, revision)) WITHOUT ROWID;
CREATE TABLE cursors(name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE runs(id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, nonce INTEGER NOT NULL, prev INTEGER NOT NULL, key TEXT, status INTEGER NOT NULL,
  revision INTEGER NOT NULL, due INTEGER NOT NULL, entered INTEGER NOT NULL, last INTEGER NOT NULL, deaths INTEGER NOT NULL, checksum INTEGER NOT NULL,
  payload TEXT NOT NULL);
CREATE UNIQUE INDEX runs_by_agent ON runs(agent, key);
CREATE TABLE records(position INTEGER PRIMARY KEY, run INTEGER NOT NULL, prev INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL,
  checksum INTEGER NOT NULL, payload TEXT NOT NULL);
INSERT INTO meta VALUES('schema', 2), ('session', 0), ('live_from', 1), ('tail_from', 1), ('epoch', lower(hex(randomblob(16))));
)";

// What is spent in each window; held is what stands in holds. A hold is a call under way: what it may come to, until its end is durable.
constexpr const char* kFrom2To3 = R"(
CREATE TABLE accounts(name TEXT NOT NULL, window INTEGER NOT NULL, spent_tokens INTEGER NOT NULL, spent_cost INTEGER NOT NULL, raised_tokens INTEGER NOT NULL,
  raised_cost INTEGER NOT NULL, PRIMARY KEY(name, window)) WITHOUT ROWID;
CREATE TABLE holds(run INTEGER NOT NULL, call INTEGER NOT NULL, account TEXT NOT NULL, window INTEGER NOT NULL, tokens INTEGER NOT NULL, cost INTEGER NOT NULL,
  PRIMARY KEY(run, call, account)) WITHOUT ROWID;
UPDATE meta SET value=3 WHERE key='schema';
)";

// What is in quarantine is few and is asked for whole. Made wherever it is missing: no version before minds it.
constexpr const char* kQuarantine = "CREATE INDEX IF NOT EXISTS runs_in_quarantine ON runs(id) WHERE status=14;";
static_assert(AGENTD_RUN_QUARANTINED == 14);

// The live runs that are aside: a handful, if any. Made wherever it is missing: to a version before they are runs like any other.
constexpr const char* kAsides = "CREATE TABLE IF NOT EXISTS asides(run INTEGER PRIMARY KEY);";

// Rows may be missing from now on, and a run's row may be what is left of one: an older agentd must not go on from them.
constexpr const char* kFrom3To4 = "UPDATE meta SET value=4 WHERE key='schema'";

}  // namespace

bool is_new(Db& db) {
  Statement find(db, "SELECT 1 FROM sqlite_master WHERE type='table' AND name='meta'");
  return !find.step();
}

std::int64_t read_meta(Db& db, const char* key) {
  Statement find(db, "SELECT value FROM meta WHERE key=?");
  find.bind(std::string_view(key));
  return find.step() ? find.integer(0) : 0;
}

std::string read_epoch(Db& db) {
  Statement find(db, "SELECT value FROM meta WHERE key=?");
  find.bind(std::string_view(meta::kEpoch));
  return find.step() ? std::string(find.bytes(0)) : std::string();
}

void prepare_schema(Db& db) {
  Transaction transaction(db);
  if (is_new(db)) db.run(kVersion2);
  if (read_meta(db, meta::kSchema) == 2) db.run(kFrom2To3);
  if (read_meta(db, meta::kSchema) == 3) db.run(kFrom3To4);
  const auto found = read_meta(db, meta::kSchema);
  if (found > kSchemaVersion) {
    throw sdk::Error(db.name() + " has schema " + std::to_string(found) + ", and this agentd knows up to " + std::to_string(kSchemaVersion) +
                     "; it was written by a newer agentd: use that one");
  }
  if (found < kSchemaVersion) throw sdk::Error(db.name() + " has a schema that no released agentd wrote; move it away to begin anew");
  db.run(kQuarantine);
  db.run(kAsides);
  transaction.commit();
}

}  // namespace agentd::sqlite
