#include "ledger_schema.hpp"

namespace agentd::postgres {
namespace {

// head is one row: whoever has it locked writes the next group. `groups` counts them, the rest is the first number that nobody has been
// given. groups keeps for an hour what each changed beside new rows, for those who did not write it; the nonce tells whose it is to
// who lost the answer.
// runs.generation and worker are of the claim; a claim changes no column that an index has, so it costs no index an entry. What is in flight has
// records that its row does not know of, none of them before head.tail_from.
// records.run is the run's id; 0 for a record of the host; -agent for a record of an agent alone. There is no index on it: a run's are
// found from its last one, each names the one before, the first names the entry.
// A run that has more records than one step of pruning removes leaves its row until they are gone, with the status 0 and nothing in it.
// What people and models wrote is bytea: it may have any byte in it.
constexpr const char* kVersion1 = R"(
CREATE TABLE head(one boolean PRIMARY KEY CHECK(one), epoch text NOT NULL, groups bigint NOT NULL, position bigint NOT NULL, agent bigint NOT NULL,
  tail_from bigint NOT NULL, removed bigint NOT NULL) WITH (fillfactor=10);
INSERT INTO head VALUES(true,replace(gen_random_uuid()::text,'-',''),0,1,1,1,0);
CREATE TABLE groups(number bigint PRIMARY KEY, nonce bigint NOT NULL, worker bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), position bigint NOT NULL,
  runs bigint[] NOT NULL, agents bigint[] NOT NULL, accounts text[] NOT NULL, days bigint[] NOT NULL);
CREATE TABLE workers(id bigint PRIMARY KEY, until timestamptz NOT NULL, since timestamptz NOT NULL DEFAULT clock_timestamp(), host text NOT NULL, process bigint NOT NULL,
  version text NOT NULL) WITH (fillfactor=50);
CREATE TABLE agents(id bigint PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, max_concurrent bigint NOT NULL, stats bytea NOT NULL, state bytea) WITH (fillfactor=70);
CREATE TABLE specs(agent bigint NOT NULL, revision bigint NOT NULL, at bigint NOT NULL, content bytea NOT NULL, PRIMARY KEY(agent,revision));
CREATE TABLE cursors(name text COLLATE "C" PRIMARY KEY, position bigint NOT NULL) WITH (fillfactor=70);
CREATE TABLE runs(id bigint PRIMARY KEY, agent bigint NOT NULL, nonce bigint NOT NULL, revision bigint NOT NULL, due bigint NOT NULL, entered bigint NOT NULL,
  said bigint NOT NULL, last bigint NOT NULL, generation bigint NOT NULL, worker bigint NOT NULL, checksum bigint NOT NULL, deaths bigint NOT NULL, status bigint NOT NULL,
  aside bigint NOT NULL, key bytea, payload bytea NOT NULL) WITH (fillfactor=70);
CREATE UNIQUE INDEX runs_by_key ON runs(agent,key) WHERE key IS NOT NULL;
CREATE INDEX runs_by_agent ON runs(agent,id);
CREATE INDEX runs_live ON runs(id) WHERE status>0 AND status<10;
CREATE INDEX runs_in_quarantine ON runs(id) WHERE status=14;
CREATE TABLE records(position bigint PRIMARY KEY, run bigint NOT NULL, prev bigint NOT NULL, kind bigint NOT NULL, at bigint NOT NULL, checksum bigint NOT NULL,
  payload bytea NOT NULL);
CREATE TABLE accounts(name text COLLATE "C" NOT NULL, day bigint NOT NULL, spent_tokens bigint NOT NULL, spent_cost bigint NOT NULL, held_tokens bigint NOT NULL,
  held_cost bigint NOT NULL, raised_tokens bigint NOT NULL, raised_cost bigint NOT NULL, PRIMARY KEY(name,day)) WITH (fillfactor=50);
CREATE TABLE holds(run bigint NOT NULL, call bigint NOT NULL, account text COLLATE "C" NOT NULL, day bigint NOT NULL, tokens bigint NOT NULL, cost bigint NOT NULL,
  generation bigint NOT NULL, PRIMARY KEY(run,call,account)) WITH (fillfactor=70);
)";

// A lease is its worker's while that one's own goes on. The generation is the number of the group that took it.
// workers.ahead is by how much the worker's clock was ahead of the server's, in milliseconds.
constexpr const char* kVersion2 = R"(
CREATE TABLE leases(name text COLLATE "C" PRIMARY KEY, worker bigint NOT NULL, generation bigint NOT NULL);
ALTER TABLE workers ADD COLUMN ahead bigint NOT NULL DEFAULT 0;
)";

constexpr const char* kSteps[] = {kVersion1, kVersion2};

}  // namespace

const Migrations kLedgerTables{"ledger", kSteps};

std::string channel_of(const std::string& schema) { return "agentd_" + schema; }

}  // namespace agentd::postgres
