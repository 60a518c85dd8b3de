// Removing what ended long ago, and runs that are to be forgotten, a small step at a time. Tables has the rest of it.
#include <algorithm>

#include "ledger_tables.hpp"

namespace agentd::postgres {
namespace {

constexpr std::int64_t kLongestForgetting = 1024;  // records at once

// With the time of its last record, where it has one.
constexpr Statement kRunsAfter{"SELECT " AGENTD_RUN_COLUMNS ",coalesce((SELECT e.at FROM records e WHERE e.position=r.last AND e.run=r.id),-1)" AGENTD_RUN_FROM
                               "WHERE r.id>$1::int8 ORDER BY r.id LIMIT $2::int8"};
constexpr Statement kRun{"SELECT " AGENTD_RUN_ROW "WHERE r.id=$1::int8"};
// Of each run its records from the latest on, as many of all as may go now.
constexpr Statement kDropRecords{
    "WITH RECURSIVE chain(run,position,prev) AS (SELECT c.run,c.position,c.prev FROM unnest($1::int8[],$2::int8[]) AS w(run,last) JOIN records c ON c.position=w.last AND c.run=w.run "
    "UNION ALL SELECT c.run,c.position,c.prev FROM chain JOIN records c ON c.position=chain.prev AND c.run=chain.run WHERE chain.prev>chain.run AND chain.prev<chain.position) "
    "DELETE FROM records USING (SELECT * FROM chain LIMIT $3::int8) AS d WHERE records.position=d.position RETURNING d.run,d.position,d.prev"};
constexpr Statement kDropRuns{"DELETE FROM runs WHERE id=ANY($1::int8[])"};
constexpr Statement kLeaveRest{"UPDATE runs r SET nonce=0,revision=0,due=0,deaths=0,status=0,key=NULL,payload='',last=u.last,checksum=u.checksum "
                               "FROM unnest($1::int8[],$2::int8[],$3::int8[]) AS u(id,last,checksum) WHERE r.id=u.id"};
constexpr Statement kRecordsAfter{"SELECT position,run,at FROM records WHERE position>$1::int8 ORDER BY position LIMIT $2::int8"};
constexpr Statement kDropRunless{"DELETE FROM records WHERE position=ANY($1::int8[])"};
constexpr Statement kAccountsAfter{"SELECT name,day FROM accounts WHERE (name,day)>($1::text,$2::int8) ORDER BY name,day LIMIT $3::int8"};
constexpr Statement kDropAccounts{"DELETE FROM accounts a USING unnest($1::text[],$2::int8[]) AS w(name,day) WHERE a.name=w.name AND a.day=w.day"};

}  // namespace

// What one step may still do.
struct Tables::Removal {
  const Remove& what;
  std::int64_t now = 0, left = 0;
  Removed out;
  // They came in order, so everything behind it is young as well. What a clock that was ahead wrote says nothing of what is behind it.
  bool ends_at(std::int64_t at) const { return at >= what.before && at <= now; }
};

struct Tables::Ended {
  std::int64_t id = 0, agent = 0, entered = 0, last = 0;
  bool is_rest = false;  // it was begun to be removed before
};

void Tables::flush() {
  send_rows();
  connection_->sync();
}

Removed Tables::prune(const Remove& what, std::int64_t now) {
  flush();
  Removal step{what, now, static_cast<std::int64_t>(std::max<std::size_t>(what.most, 1)), {}};
  bool swept = false;
  while (step.left > 0 && !swept) {
    switch (sweep_.part) {
      case Sweep::Part::runs:
        if (!sweep_runs(step)) sweep_ = {.part = Sweep::Part::records};
        break;
      case Sweep::Part::records:
        if (!sweep_records(step)) sweep_ = {.part = Sweep::Part::accounts};
        break;
      case Sweep::Part::accounts:
        swept = !sweep_accounts(step);
        if (swept) sweep_ = {};
        break;
    }
  }
  step.out.more = !swept;
  return step.out;
}

// False: everything behind is young, or there is nothing.
bool Tables::sweep_runs(Removal& step) {
  const auto rows = connection_->ask(kRunsAfter, Parameters(sweep_.at, std::min<std::int64_t>(step.left, 64)));
  bool goes_on = !rows.empty();
  std::vector<Ended> ended;
  std::int64_t looked_at = sweep_.at;
  for (int i = 0; i < rows.rows(); ++i) {
    const RunRow row(rows, i);
    const auto& state = row.state;
    if (row.fits && step.ends_at(row.body.entered)) {
      goes_on = false;
      break;
    }
    --step.left;
    looked_at = row.body.id;
    const bool is_rest = row.fits && state.status == kRemovedRun;
    const auto end = state.last == row.body.id || is_rest ? row.body.entered : rows.integer(i, RunRow::kColumns);
    const bool has_ended = row.fits && (is_rest || (is_final(state.status) && state.status != AGENTD_RUN_QUARANTINED));
    if (has_ended && end >= 0 && end < step.what.before && state.last <= step.what.upto) ended.push_back({row.body.id, row.body.agent, row.body.entered, state.last, is_rest});
  }
  if (!ended.empty()) {
    const auto first_left = remove_runs(ended, std::max<std::int64_t>(step.left, 1), step.out.runs);
    step.left -= static_cast<std::int64_t>(ended.size());
    if (first_left != 0) {  // it goes on with that one
      step.left = 0;
      looked_at = first_left - 1;
      goes_on = true;
    }
  }
  sweep_.at = looked_at;
  return goes_on;
}

// As many records as may go, of the oldest runs first. 0: all are gone wholly; else the run that is not, and those behind it are as they were.
std::int64_t Tables::remove_runs(const std::vector<Ended>& runs, std::int64_t most, std::int64_t& begun) {
  Column gone(Type::int8), rest_id(Type::int8), rest_last(Type::int8), rest_checksum(Type::int8);
  std::int64_t first_left = 0;
  for (const auto& run : runs) {
    std::int64_t rest = run.id;
    begun += !run.is_rest;
    if (run.last != run.id) {
      Column id(Type::int8), last(Type::int8);
      id.add(run.id), last.add(run.last);
      const auto dropped = connection_->ask(kDropRecords, Parameters(id, last, most));
      removed_ += dropped.rows();
      most -= dropped.rows();
      std::int64_t lowest = INT64_MAX;
      for (int i = 0; i < dropped.rows(); ++i)
        if (dropped.integer(i, 1) < lowest) lowest = dropped.integer(i, 1), rest = dropped.integer(i, 2);
      if (rest >= lowest) rest = run.id;  // the chain is broken: nothing more can be found
    }
    if (rest == run.id) {
      gone.add(run.id);
    } else {
      const RunBody body{run.id, run.agent, 0, 0, {}, {}, 0, run.entered};
      const RunState state{kRemovedRun, 0, rest};
      rest_id.add(run.id), rest_last.add(rest), rest_checksum.add(state.checksum(body.checksum()));
      first_left = run.id;
    }
    if (most <= 0 && first_left == 0 && &run != &runs.back()) first_left = (&run + 1)->id;
    if (first_left != 0) break;
  }
  changed_ = true;
  removed_ += gone.count();
  if (gone.count()) connection_->send(kDropRuns, Parameters(gone));
  if (rest_id.count()) connection_->send(kLeaveRest, Parameters(rest_id, rest_last, rest_checksum));
  connection_->sync();
  return first_left;
}

// Records of live runs stand between those that belong to none.
bool Tables::sweep_records(Removal& step) {
  const auto rows = connection_->ask(kRecordsAfter, Parameters(sweep_.at, step.left));
  Column gone(Type::int8);
  bool goes_on = !rows.empty();
  for (int i = 0; i < rows.rows(); ++i) {
    const auto position = rows.integer(i, 0), at = rows.integer(i, 2);
    if (step.ends_at(at) || position > step.what.upto) {
      goes_on = false;
      break;
    }
    --step.left;
    if (rows.integer(i, 1) <= 0 && at < step.what.before) gone.add(position);
    sweep_.at = position;
  }
  if (!gone.count()) return goes_on;
  changed_ = true;
  connection_->ask(kDropRunless, Parameters(gone));
  removed_ += gone.count();
  step.out.records += gone.count();
  return goes_on;
}

bool Tables::sweep_accounts(Removal& step) {
  const auto rows = connection_->ask(kAccountsAfter, Parameters(sweep_.account, sweep_.day, step.left));
  if (rows.empty()) return false;
  Column names(Type::text), days(Type::int8);
  for (int i = 0; i < rows.rows(); ++i) {
    sweep_.account = rows.text(i, 0), sweep_.day = rows.integer(i, 1);
    if (sweep_.day < step.what.window_before) names.add(std::string_view(sweep_.account)), days.add(sweep_.day);
  }
  step.left -= rows.rows();
  if (names.count()) {
    changed_ = true;
    connection_->ask(kDropAccounts, Parameters(names, days));
  }
  return true;
}

// Also what is damaged: as much of it as can be found.
Forgotten Tables::forget(const agentd_run_id& id) {
  flush();
  const auto rows = connection_->ask(kRun, Parameters(id.position));
  if (rows.empty()) return Forgotten::there_is_none;
  const RunRow row(rows, 0);
  const bool is_rest = row.state.status == kRemovedRun;
  if (!is_rest && row.body.nonce != id.nonce) return Forgotten::there_is_none;
  if (!is_rest && !is_final(row.state.status)) return Forgotten::it_lives;
  const std::vector<Ended> one = {{row.body.id, row.body.agent, row.body.entered, row.state.last, is_rest}};
  std::int64_t begun = 0;
  return remove_runs(one, kLongestForgetting, begun) == 0 ? Forgotten::wholly : Forgotten::in_part;
}

}  // namespace agentd::postgres
