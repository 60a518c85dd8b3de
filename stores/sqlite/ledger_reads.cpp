#include "ledger_reads.hpp"

#include <algorithm>
#include <deque>

namespace agentd::sqlite {
namespace {

constexpr std::size_t kPageRows = 256, kPageBytes = 4 << 20;
constexpr std::size_t kMostTold = 10'000;  // damaged positions
constexpr std::size_t kMostPassedOver = 10'000;  // runs of a list that do not have the status that is asked for

std::string select(const char* columns, const char* rest) { return std::string("SELECT ") + columns + rest; }

}  // namespace

// Rows on their way to the host, with the texts they point to.
struct LedgerReads::StoredPage {
  std::vector<agentd_ledger_stored> rows;
  std::deque<std::string> texts;
  std::size_t bytes = 0, looked_at = 0;
  std::int64_t last = 0;  // what was looked at last
  bool ended = false;     // there is nothing behind it
  agentd_str keep(std::string_view text) {
    bytes += text.size();
    return sdk::str(texts.emplace_back(text));
  }
  bool full() const { return looked_at >= kPageRows || bytes >= kPageBytes; }
  void add(const RunRow& row, std::string_view agent) {
    last = row.body.id;
    if (!row.fits) throw CorruptError(last);
    if (row.state.status == kRemovedRun) return;
    rows.push_back({row.body.id, row.body.entered, {row.body.id, static_cast<std::uint32_t>(row.body.nonce), 0}, keep(agent), 0, status_at_entry(row),
                    keep(row.body.payload)});
  }
  void add(const RecordRow& row, std::uint32_t nonce, std::string_view agent) {
    last = row.position;
    if (!row.fits) throw CorruptError(last);
    const agentd_run_id run = row.run > 0 ? agentd_run_id{row.run, nonce, 0} : agentd_run_id{};
    rows.push_back({row.position, row.at, run, keep(agent), static_cast<std::int32_t>(row.kind), 0, keep(row.payload)});
  }
};

struct LedgerReads::RowPage {
  std::vector<agentd_ledger_row> rows;
  std::deque<std::string> texts;
  agentd_str keep(std::string_view text) { return sdk::str(texts.emplace_back(text)); }
};

struct LedgerReads::FoundRun {
  std::string key, payload, agent;
  std::int64_t id, revision, entered;
  std::uint32_t nonce;
  RunState state;
  std::int32_t entered_as;
};

LedgerReads::LedgerReads(const std::filesystem::path& file, const LedgerHost& host, const Mirror& mirror, std::mutex& mirror_mutex)
    : db_(file, Db::Mode::read),
      host_(host),
      mirror_(mirror),
      mirror_mutex_(mirror_mutex),
      run_(db_, select(RunRow::kColumns, ",(SELECT name FROM agents WHERE agents.id=agent) FROM runs WHERE id=?")),
      record_(db_, select(RecordRow::kColumns, " FROM records WHERE position=?")),
      entries_after_(db_, select(RunRow::kColumns, ",(SELECT name FROM agents WHERE agents.id=agent) FROM runs WHERE id>? ORDER BY id")),
      records_after_(db_, "SELECT position,c.run,c.prev,kind,at,c.checksum,c.payload,r.nonce,a.name,r.status IS 0 FROM records c LEFT JOIN runs r ON r.id=c.run "
                          "LEFT JOIN agents a ON a.id=iif(c.run<0,-c.run,r.agent) WHERE position>? ORDER BY position"),
      ids_before_(db_, "SELECT id,status FROM runs WHERE id<? ORDER BY id DESC LIMIT ?"),
      link_(db_, "SELECT agent,prev,status FROM runs WHERE id=?"),
      ids_by_key_(db_, "SELECT id FROM runs WHERE agent=? AND key>=? AND key<? ORDER BY key DESC LIMIT ?"),
      quarantine_(db_, ("SELECT id FROM runs INDEXED BY runs_in_quarantine WHERE status=" + std::to_string(AGENTD_RUN_QUARANTINED) +
                        " AND id<?1 AND (?2=0 OR agent=?2) ORDER BY id DESC LIMIT ?3").c_str()),
      agent_(db_, "SELECT id FROM agents WHERE name=?"),
      spec_(db_, "SELECT revision,content FROM specs WHERE agent=? AND (?2=0 OR revision=?2) ORDER BY revision DESC LIMIT 1"),
      state_(db_, "SELECT state FROM agents WHERE name=?"),
      cursor_(db_, "SELECT position FROM cursors WHERE name=?") {}

std::optional<RunState> LedgerReads::live_state(std::int64_t run) const {
  const std::lock_guard lock(mirror_mutex_);
  const auto found = mirror_.runs().find(run);
  return found == mirror_.runs().end() ? std::nullopt : std::optional(found->second.state);
}

// A run as it is: its row, and over it what only the memory knows of one that lives. The memory is asked first, so that a run which
// ends meanwhile is seen ended rather than as its row once was.
std::optional<LedgerReads::FoundRun> LedgerReads::find_run(std::int64_t id) {
  const auto live = live_state(id);
  Reading reading(run_, id);
  if (!reading.next()) return std::nullopt;
  const RunRow row(*reading);
  const auto& body = row.body;
  if (!row.fits) throw CorruptError(id);
  if (row.state.status == kRemovedRun) return std::nullopt;
  FoundRun found{std::string(body.key), std::string(body.payload), reading->text(RunRow::kColumnCount), body.id, body.revision, body.entered,
                 static_cast<std::uint32_t>(body.nonce), row.state, status_at_entry(row)};
  if (live && !is_final(found.state.status)) found.state = *live;
  return found;
}

void LedgerReads::load(agentd_op op, agentd_run_id id) {
  const std::lock_guard lock(mutex_);
  const auto run = find_run(id.position);
  if (!run || run->nonce != id.nonce) return host_.failed(op, AGENTD_LEDGER_NOT_FOUND, "no run at position " + std::to_string(id.position));
  StoredPage page;  // backwards, as the records are chained
  for (auto position = run->state.last; position != run->id;) {
    Reading reading(record_, position);
    if (!reading.next()) throw CorruptError(position);
    const RecordRow record(*reading);
    if (record.run != run->id || record.prev >= position) throw CorruptError(position);
    page.add(record, run->nonce, run->agent);
    position = record.prev;
  }
  page.rows.push_back({run->id, run->entered, id, sdk::str(run->agent), 0, run->entered_as, sdk::str(run->payload)});
  std::reverse(page.rows.begin(), page.rows.end());
  host_.records(op, page.rows.data(), page.rows.size());
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

// Quarantine is to be found whole, however long ago it began.
std::vector<std::int64_t> LedgerReads::ids_in_quarantine(const ListFilter& filter) {
  std::vector<std::int64_t> ids;
  const auto agent = filter.agent_id.empty() ? 0 : agent_row(filter.agent_id);
  if (!filter.agent_id.empty() && agent == 0) return ids;
  Reading reading(quarantine_, filter.before, agent, static_cast<std::int64_t>(filter.limit));
  while (reading.next()) ids.push_back(reading->integer(0));
  return ids;
}

std::vector<std::int64_t> LedgerReads::ids_by_key(const ListFilter& filter) {
  std::vector<std::int64_t> ids;
  Reading reading(ids_by_key_, agent_row(filter.agent_id), std::string_view(filter.key_from), std::string_view(filter.key_before), static_cast<std::int64_t>(filter.limit));
  while (reading.next()) ids.push_back(reading->integer(0));
  return ids;
}

struct LedgerReads::Link {
  std::int64_t agent = 0, prev = 0, status = 0;  // agent 0: there is no such run
};

LedgerReads::Link LedgerReads::link(std::int64_t run) {
  Reading reading(link_, run);
  if (!reading.next()) return {};
  return {reading->integer(0), reading->integer(1), reading->integer(2)};
}

// Behind a run of the agent's own the list goes on at once; else it begins at the newest.
std::int64_t LedgerReads::first_of_agent(const ListFilter& filter, std::int64_t agent) {
  const auto before = link(filter.before);
  if (before.agent == agent) return before.prev;
  const std::lock_guard lock(mirror_mutex_);
  const auto* known = mirror_.find_agent(filter.agent_id);
  return known ? known->newest : 0;
}

// Each of an agent's runs names the one before, so no more are visited than are given or passed over.
void LedgerReads::add_runs_of_agent(RowPage& page, const ListFilter& filter) {
  const auto agent = agent_row(filter.agent_id);
  std::size_t passed_over = 0;
  for (auto id = agent ? first_of_agent(filter, agent) : 0; id != 0;) {
    const auto run = link(id);
    if (run.agent != agent || page.rows.size() >= filter.limit || passed_over > kMostPassedOver) break;
    if (id < filter.before && (!filter.status || run.status == filter.status)) {
      add_row(page, id, filter);
    } else {
      ++passed_over;
    }
    if (run.prev >= id) return pass_over(id);
    id = run.prev;
  }
}

void LedgerReads::add_runs(RowPage& page, const ListFilter& filter) {
  std::size_t passed_over = 0;
  for (auto before = filter.before; page.rows.size() < filter.limit && passed_over <= kMostPassedOver;) {
    std::vector<std::pair<std::int64_t, std::int64_t>> some;
    {
      Reading reading(ids_before_, before, static_cast<std::int64_t>(kPageRows));
      while (reading.next()) some.emplace_back(reading->integer(0), reading->integer(1));
    }
    if (some.empty()) break;
    before = some.back().first;
    for (const auto& [id, status] : some) {
      if (page.rows.size() >= filter.limit) break;
      if (filter.status && status != filter.status) {
        ++passed_over;
      } else {
        add_row(page, id, filter);
      }
    }
  }
}

void LedgerReads::pass_over(std::int64_t position) {
  if (told_.size() >= kMostTold || !told_.insert(position).second) return;
  host_.host().log(sdk::Level::error, std::string(CorruptError(position).what()) + "; lists and events go on without it");
}

void LedgerReads::add_row(RowPage& page, std::int64_t id, const ListFilter& filter) try {
  const auto run = find_run(id);
  if (!run || (filter.status && run->state.status != filter.status)) return;
  std::int32_t last_kind = 0;
  agentd_str last_payload{};
  if (run->state.last != run->id) {
    Reading reading(record_, run->state.last);
    const auto last = reading.next() ? RecordRow(*reading) : RecordRow();
    if (last.fits) {
      last_kind = static_cast<std::int32_t>(last.kind);
      last_payload = page.keep(last.payload);
    } else {
      pass_over(run->state.last);
    }
  }
  page.rows.push_back({{run->id, run->nonce, 0}, page.keep(run->agent), page.keep(run->key), page.keep(run->payload), last_payload, run->revision, run->entered,
                       run->state.due, run->state.last, static_cast<std::int32_t>(run->state.status), last_kind});
} catch (const CorruptError& e) {
  pass_over(e.position);
}

void LedgerReads::list(agentd_op op, const ListFilter& asked) {
  const std::lock_guard lock(mutex_);
  ListFilter filter = asked;
  if (filter.before <= 0) filter.before = INT64_MAX;
  RowPage page;
  const auto add = [&](const std::vector<std::int64_t>& ids) {
    for (const auto id : ids) add_row(page, id, filter);
  };
  if (!filter.key_before.empty()) {
    filter.status = 0;
    add(ids_by_key(filter));
  } else if (filter.status == AGENTD_RUN_QUARANTINED) {
    add(ids_in_quarantine(filter));
  } else if (filter.status && !is_final(filter.status)) {
    add(live_ids(filter));
  } else if (!filter.agent_id.empty()) {
    add_runs_of_agent(page, filter);
  } else {
    add_runs(page, filter);
  }
  host_.rows(op, page.rows.data(), page.rows.size());
  host_.done(op);
}

// ---- events: entries and records are two tables with one sequence of positions

LedgerReads::StoredPage LedgerReads::events_page(std::int64_t position, std::uint64_t limit) {
  StoredPage page;
  const Snapshot snapshot(db_);  // both tables as they are at one instant
  Reading entries(entries_after_, position), records(records_after_, position);
  bool has_entry = entries.next(), has_record = records.next();
  while ((has_entry || has_record) && !page.full() && page.rows.size() < limit) {
    const bool entry_first = has_entry && (!has_record || entries->integer(0) < records->integer(0));
    ++page.looked_at;
    try {
      if (entry_first) page.add(RunRow(*entries), entries->bytes(RunRow::kColumnCount));
      else if (records->integer(9)) page.last = records->integer(0);
      else page.add(RecordRow(*records), static_cast<std::uint32_t>(records->integer(7)), records->bytes(8));
    } catch (const CorruptError& e) {
      pass_over(e.position);
    }
    if (entry_first) has_entry = entries.next();
    else has_record = records.next();
  }
  page.ended = !has_entry && !has_record;
  return page;
}

void LedgerReads::events_after(agentd_op op, std::int64_t position, std::uint64_t limit) {
  const std::lock_guard lock(mutex_);
  for (bool ended = false; !ended && limit > 0;) {
    const auto page = events_page(position, limit);
    position = page.last;
    limit -= page.rows.size();
    ended = page.ended;
    if (!page.rows.empty()) host_.records(op, page.rows.data(), page.rows.size());
  }
  host_.done(op);
}

// ---- single values

std::int64_t LedgerReads::agent_row(const std::string& agent) {
  Reading reading(agent_, std::string_view(agent));
  return reading.next() ? reading->integer(0) : 0;
}

void LedgerReads::spec(agentd_op op, const std::string& agent, std::int64_t revision) {
  const std::lock_guard lock(mutex_);
  Reading reading(spec_, agent_row(agent), revision);
  if (!reading.next()) return host_.failed(op, AGENTD_LEDGER_NOT_FOUND, "no such revision of agent " + agent);
  host_.done(op, reading->integer(0), reading->bytes(1));
}

void LedgerReads::agent_state(agentd_op op, const std::string& agent) {
  const std::lock_guard lock(mutex_);
  Reading reading(state_, std::string_view(agent));
  host_.done(op, 0, reading.next() && !reading->is_null(0) ? reading->bytes(0) : "null");
}

void LedgerReads::cursors(agentd_op op, const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> positions;
  positions.reserve(names.size());
  for (std::size_t page = 0; page < names.size(); page += kPageRows) {
    const Snapshot snapshot(db_);  // one lock of the file for a page of them
    for (auto i = page; i < std::min(names.size(), page + kPageRows); ++i) {
      Reading reading(cursor_, std::string_view(names[i]));
      positions.push_back(reading.next() ? reading->integer(0) : 0);
    }
  }
  host_.numbers(op, positions.data(), positions.size());
  host_.done(op);
}

}  // namespace agentd::sqlite
