#include "ledger_reads.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "lease.hpp"

namespace agentd::postgres {
namespace {

constexpr std::int64_t kPageRows = 128;
constexpr std::int64_t kMostPassedOver = 10'000;  // runs of a list that do not have the status that is asked for
constexpr std::size_t kMostTold = 10'000;         // damaged positions

constexpr Statement kRun{"SELECT " AGENTD_RUN_ROW "WHERE r.id=$1::int8"};
constexpr Statement kRuns{"SELECT " AGENTD_RUN_ROW "WHERE r.id=ANY($1::int8[]) ORDER BY r.id DESC"};
constexpr Statement kChain{"WITH RECURSIVE chain AS (SELECT * FROM records WHERE position=$1::int8 AND run=$2::int8 UNION ALL "
                           "SELECT n.* FROM chain JOIN records n ON n.position=chain.prev AND n.run=chain.run WHERE chain.prev>chain.run AND chain.prev<chain.position) "
                           "SELECT " AGENTD_RECORD_COLUMNS " FROM chain c ORDER BY c.position"};
constexpr Statement kRecords{"SELECT " AGENTD_RECORD_COLUMNS " FROM records c WHERE c.position=ANY($1::int8[])"};
constexpr Statement kByKey{"SELECT " AGENTD_RUN_ROW "WHERE r.agent=(SELECT id FROM agents WHERE name=$1::text) AND r.key>=$2::bytea AND r.key<$3::bytea ORDER BY r.key DESC LIMIT $4::int8"};
constexpr Statement kInQuarantine{"SELECT " AGENTD_RUN_ROW "WHERE r.status=14 AND r.id<$2::int8 AND ($1::text='' OR r.agent=(SELECT id FROM agents WHERE name=$1::text)) ORDER BY r.id DESC LIMIT $3::int8"};
static_assert(AGENTD_RUN_QUARANTINED == 14);
// $3: a status, 0: any; $5: how many are looked at.
constexpr Statement kOfAgent{"SELECT " AGENTD_RUN_COLUMNS " FROM (SELECT * FROM runs WHERE agent=(SELECT id FROM agents WHERE name=$1::text) AND id<$2::int8 ORDER BY id DESC LIMIT $5::int8) r "
                             "LEFT JOIN agents a ON a.id=r.agent WHERE r.status<>0 AND ($3::int8=0 OR r.status=$3::int8) ORDER BY r.id DESC LIMIT $4::int8"};
constexpr Statement kOfAll{"SELECT " AGENTD_RUN_COLUMNS " FROM (SELECT * FROM runs WHERE $1::text='' AND id<$2::int8 ORDER BY id DESC LIMIT $5::int8) r "
                           "LEFT JOIN agents a ON a.id=r.agent WHERE r.status<>0 AND ($3::int8=0 OR r.status=$3::int8) ORDER BY r.id DESC LIMIT $4::int8"};
// Entries and records are two tables with one sequence of positions: both as they are at one instant.
constexpr Statement kEntriesAfter{"SELECT " AGENTD_RUN_ROW "WHERE r.id>$1::int8 ORDER BY r.id LIMIT $2::int8"};
constexpr Statement kRecordsAfter{"SELECT " AGENTD_RECORD_COLUMNS ",r.nonce,a.name,r.status FROM (SELECT * FROM records WHERE position>$1::int8 ORDER BY position LIMIT $2::int8) c "
                                  "LEFT JOIN runs r ON r.id=c.run LEFT JOIN agents a ON a.id=CASE WHEN c.run<0 THEN -c.run ELSE r.agent END ORDER BY c.position"};
constexpr Statement kSpec{"SELECT revision,content FROM specs WHERE agent=(SELECT id FROM agents WHERE name=$1::text) AND ($2::int8=0 OR revision=$2::int8) ORDER BY revision DESC LIMIT 1"};
constexpr Statement kState{"SELECT state FROM agents WHERE name=$1::text"};
constexpr Statement kCursors{"SELECT coalesce(c.position,0) FROM unnest($1::text[]) WITH ORDINALITY AS w(name,place) LEFT JOIN cursors c ON c.name=w.name ORDER BY w.place"};

// Without who has left; the lease's age is counted from when it was last extended.
constexpr Statement kSessions{"SELECT w.id,w.host,w.version,w.process,(extract(epoch FROM w.since)*1000)::int8,"
                              "greatest(0,$1::int8-(extract(epoch FROM w.until-clock_timestamp())*1000)::int8),w.ahead,"
                              "(SELECT string_agg(l.name,E'\n' ORDER BY l.name) FROM leases l WHERE l.worker=w.id) FROM workers w WHERE w.until<>'-infinity' ORDER BY w.since,w.id"};
constexpr Statement kLeases{"SELECT l.worker,l.generation FROM unnest($1::text[]) WITH ORDINALITY AS n(name,place) LEFT JOIN (leases l JOIN workers w ON w.id=l.worker AND NOT " AGENTD_LEASE_OVER ") "
                            "ON l.name=n.name ORDER BY n.place"};

}  // namespace

LedgerReads::LedgerReads(Place place, const LedgerHost& host, const Mirror& mirror, std::mutex& mirror_mutex, std::int64_t most_skew_ms)
    : link_(std::move(place)), host_(host), mirror_(mirror), mirror_mutex_(mirror_mutex), most_skew_ms_(most_skew_ms) {}

// A connection that was lost while nobody used it is no reason to fail: what only reads may be asked again.
Rowset LedgerReads::ask(const Statement& statement, const Parameters& parameters) {
  if (link_.current()) {
    try {
      return link_.get().ask(statement, parameters);
    } catch (const PgError& e) {
      if (!e.lost()) throw;
    }
  }
  return link_.get().ask(statement, parameters);
}

void LedgerReads::pass_over(std::int64_t position) {
  if (told_.size() >= kMostTold || !told_.insert(position).second) return;
  host_.host().log(sdk::Level::error, std::string(CorruptError(position).what()) + "; lists and events go on without it");
}

// Over the row of a run that is in flight, what only the memory knows.
RunState LedgerReads::state_of(const RunRow& row) const {
  if (is_final(row.state.status)) return row.state;
  const std::lock_guard lock(mirror_mutex_);
  const auto found = mirror_.runs().find(row.body.id);
  return found == mirror_.runs().end() || found->second.state.last < row.state.last ? row.state : found->second.state;
}

void LedgerReads::load(agentd_op op, agentd_run_id id) {
  const std::lock_guard lock(mutex_);
  const auto rows = ask(kRun, Parameters(id.position));
  const auto missing = [&] { host_.failed(op, AGENTD_LEDGER_NOT_FOUND, "no run at position " + std::to_string(id.position)); };
  if (rows.empty()) return missing();
  const RunRow run(rows, 0);
  if (!run.fits) throw CorruptError(id.position);
  if (run.state.status == kRemovedRun || run.body.nonce != id.nonce) return missing();
  std::vector<agentd_ledger_stored> all = {{id.position, run.body.entered, id, sdk::str(run.agent), 0, status_at_entry(run), sdk::str(run.body.payload)}};
  const auto last = state_of(run).last;
  std::optional<Rowset> records;
  if (last != id.position) {
    records.emplace(ask(kChain, Parameters(last, id.position)));
    auto before = id.position;
    for (int i = 0; i < records->rows(); ++i) {
      const RecordRow record(*records, i);
      if (!record.fits || record.prev != before) throw CorruptError(record.position);
      before = record.position;
      all.push_back({record.position, record.at, id, sdk::str(run.agent), static_cast<std::int32_t>(record.kind), 0, sdk::str(record.payload)});
    }
    if (before != last) throw CorruptError(last);
  }
  host_.records(op, all.data(), all.size());
  host_.done(op);
}

// ---- lists

std::vector<std::int64_t> LedgerReads::live_ids(const ListFilter& filter) const {
  std::vector<std::int64_t> ids;
  const std::lock_guard lock(mirror_mutex_);
  for (auto run = mirror_.runs().rbegin(); run != mirror_.runs().rend() && ids.size() < filter.limit; ++run) {
    const auto& [id, live] = *run;
    const bool fits = id < filter.before && live.state.status == filter.status && (filter.agent_id.empty() || live.agent->name == filter.agent_id);
    if (fits) ids.push_back(id);
  }
  return ids;
}

Rowset LedgerReads::rows_of(const ListFilter& filter) {
  const std::string_view agent(filter.agent_id);
  const auto limit = static_cast<std::int64_t>(std::min<std::uint64_t>(filter.limit, INT32_MAX));
  if (!filter.key_before.empty()) return ask(kByKey, Parameters(agent, std::string_view(filter.key_from), std::string_view(filter.key_before), limit));
  if (filter.status == AGENTD_RUN_QUARANTINED) return ask(kInQuarantine, Parameters(agent, filter.before, limit));
  if (filter.status && !is_final(filter.status)) {
    Column ids(Column::Type::int8);
    for (const auto id : live_ids(filter)) ids.add(id);
    return ask(kRuns, Parameters(ids));
  }
  const auto looked_at = filter.status ? limit + kMostPassedOver : limit + kPageRows;
  return ask(agent.empty() ? kOfAll : kOfAgent, Parameters(agent, filter.before, std::int64_t{filter.status}, limit, looked_at));
}

void LedgerReads::list(agentd_op op, const ListFilter& asked) {
  const std::lock_guard lock(mutex_);
  ListFilter filter = asked;
  if (filter.before <= 0) filter.before = INT64_MAX;
  if (!filter.key_before.empty()) filter.status = 0;
  const auto runs = rows_of(filter);
  struct Listed {
    RunRow row;
    RunState state;
  };
  std::vector<Listed> listed;
  Column lasts(Column::Type::int8);
  for (int i = 0; i < runs.rows(); ++i) {
    const RunRow row(runs, i);
    if (!row.fits) {
      pass_over(row.body.id);
      continue;
    }
    const auto state = state_of(row);
    if (state.status == kRemovedRun || (filter.status && state.status != filter.status)) continue;
    listed.push_back({row, state});
    if (state.last != row.body.id) lasts.add(state.last);
  }
  const auto records = ask(kRecords, Parameters(lasts));
  std::map<std::int64_t, RecordRow> last;
  for (int i = 0; i < records.rows(); ++i) {
    const RecordRow record(records, i);
    if (record.fits) last.emplace(record.position, record);
    else pass_over(record.position);
  }
  std::vector<agentd_ledger_row> rows;
  for (const auto& [row, state] : listed) {
    const auto record = last.find(state.last);
    const bool has_one = record != last.end();
    rows.push_back({{row.body.id, static_cast<std::uint32_t>(row.body.nonce), 0}, sdk::str(row.agent), sdk::str(row.body.key), sdk::str(row.body.payload),
                    has_one ? sdk::str(record->second.payload) : agentd_str{}, row.body.revision, row.body.entered, state.due, state.last,
                    static_cast<std::int32_t>(state.status), has_one ? static_cast<std::int32_t>(record->second.kind) : 0});
  }
  host_.rows(op, rows.data(), rows.size());
  host_.done(op);
}

// ---- events

void LedgerReads::events_after(agentd_op op, std::int64_t position, std::uint64_t limit) {
  const std::lock_guard lock(mutex_);
  while (limit > 0) {
    auto& c = link_.get();
    Transaction snapshot(c, Transaction::Kind::snapshot);
    c.send(kEntriesAfter, Parameters(position, kPageRows));
    c.send(kRecordsAfter, Parameters(position, kPageRows));
    snapshot.send_commit();
    const auto results = c.sync();
    const auto &entries = results[1], &records = results[2];
    std::vector<agentd_ledger_stored> page;
    int entry = 0, record = 0, looked_at = 0;
    for (; looked_at < kPageRows && page.size() < limit && (entry < entries.rows() || record < records.rows()); ++looked_at) {
      if (record == records.rows() || (entry < entries.rows() && entries.integer(entry, 0) < records.integer(record, 0))) {
        const RunRow row(entries, entry++);
        position = row.body.id;
        if (!row.fits) pass_over(position);
        else if (row.state.status != kRemovedRun)
          page.push_back({position, row.body.entered, {position, static_cast<std::uint32_t>(row.body.nonce), 0}, sdk::str(row.agent), 0, status_at_entry(row), sdk::str(row.body.payload)});
      } else {
        const RecordRow row(records, record);
        position = row.position;
        const bool is_removed = row.run > 0 && !records.is_null(record, 9) && records.integer(record, 9) == kRemovedRun;
        const agentd_run_id run = row.run > 0 && !records.is_null(record, 7) ? agentd_run_id{row.run, static_cast<std::uint32_t>(records.integer(record, 7)), 0} : agentd_run_id{};
        if (!row.fits) pass_over(position);
        else if (!is_removed) page.push_back({position, row.at, run, records.is_null(record, 8) ? agentd_str{} : sdk::str(records.bytes(record, 8)), static_cast<std::int32_t>(row.kind), 0, sdk::str(row.payload)});
        ++record;
      }
    }
    limit -= page.size();
    if (!page.empty()) host_.records(op, page.data(), page.size());
    if (looked_at == 0) break;
  }
  host_.done(op);
}

// ---- single values

void LedgerReads::spec(agentd_op op, const std::string& agent, std::int64_t revision) {
  const std::lock_guard lock(mutex_);
  const auto rows = ask(kSpec, Parameters(agent, revision));
  if (rows.empty()) return host_.failed(op, AGENTD_LEDGER_NOT_FOUND, "no such revision of agent " + agent);
  host_.done(op, rows.integer(0, 0), rows.bytes(0, 1));
}

void LedgerReads::agent_state(agentd_op op, const std::string& agent) {
  const std::lock_guard lock(mutex_);
  const auto rows = ask(kState, Parameters(agent));
  host_.done(op, 0, !rows.empty() && !rows.is_null(0, 0) ? rows.bytes(0, 0) : "null");
}

void LedgerReads::cursors(agentd_op op, const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  Column wanted(Column::Type::text);
  for (const auto& name : names) wanted.add(std::string_view(name));
  const auto rows = ask(kCursors, Parameters(wanted));
  std::vector<std::int64_t> positions;
  for (int i = 0; i < rows.rows(); ++i) positions.push_back(rows.integer(i, 0));
  host_.numbers(op, positions.data(), positions.size());
  host_.done(op);
}

void LedgerReads::sessions(agentd_op op, std::int64_t worker) {
  const std::lock_guard lock(mutex_);
  const auto rows = ask(kSessions, Parameters(std::int64_t{kLease.count()}));
  for (int i = 0; i < rows.rows(); ++i) {
    const auto id = std::to_string(rows.integer(i, 0));
    std::vector<agentd_str> leases;
    for (auto names = rows.is_null(i, 7) ? std::string_view() : rows.bytes(i, 7); !names.empty();) {
      const auto name = names.substr(0, names.find('\n'));
      leases.push_back(sdk::str(name));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
    }
    const agentd_ledger_session one{sdk::str(id), sdk::str(rows.bytes(i, 1)), sdk::str(rows.bytes(i, 2)), rows.integer(i, 3), rows.integer(i, 4), rows.integer(i, 5), rows.integer(i, 6),
                                    leases.data(), leases.size(), rows.integer(i, 0) == worker, std::abs(rows.integer(i, 6)) > most_skew_ms_};
    host_.sessions(op, &one, 1);
  }
  host_.done(op);
}

std::optional<std::vector<std::int64_t>> LedgerReads::leases(const std::vector<std::string>& names, std::int64_t worker) {
  const std::lock_guard lock(mutex_);
  Column asked(Column::Type::text);
  for (const auto& name : names) asked.add(std::string_view(name));
  const auto rows = ask(kLeases, Parameters(asked));
  std::vector<std::int64_t> held;
  for (int i = 0; i < rows.rows(); ++i) {
    if (rows.is_null(i, 0)) return std::nullopt;
    held.push_back(rows.integer(i, 0) == worker ? rows.integer(i, 1) : 0);
  }
  return held;
}

}  // namespace agentd::postgres
