#include "ledger_group.hpp"

#include <agentd/sdk/host.hpp>

#include <algorithm>
#include <charconv>

#include "ledger_schema.hpp"

namespace agentd::sqlite {

using sdk::str;

struct GroupWriter::Step {
  const Write& write;
  Draft& draft;
  Group& group;
  agentd_ledger_answer& answer;

  void refuse(std::int32_t fault, std::string message) {
    answer.fault = fault;
    answer.message = str(group.texts.emplace_back(std::move(message)));
  }
};

GroupWriter::GroupWriter(Db& db, Mirror& mirror, std::mutex& mutex, std::int64_t next_position, std::int64_t next_agent)
    : db_(db),
      mirror_(mirror),
      mutex_(mutex),
      budgets_(db),
      pruning_(db),
      next_position_(next_position),
      next_agent_(next_agent),
      insert_run_(db, "INSERT INTO runs(id,agent,nonce,prev,key,status,revision,due,entered,last,deaths,checksum,payload) VALUES(?,?,?,?,?,?,?,?,?,?,0,?,?) "
                      "ON CONFLICT(agent,key) DO NOTHING"),
      insert_record_(db, "INSERT INTO records(position,run,prev,kind,at,checksum,payload) VALUES(?,?,?,?,?,?,?)"),
      update_run_(db, "UPDATE runs SET status=?,due=?,last=?,checksum=? WHERE id=?"),
      find_key_(db, "SELECT id,nonce FROM runs WHERE agent=? AND key=?"),
      insert_agent_(db, "INSERT INTO agents(id,name,max_concurrent,newest,stats) VALUES(?,?,?,0,?)"),
      limit_agent_(db, "UPDATE agents SET max_concurrent=? WHERE id=?"),
      stats_agent_(db, "UPDATE agents SET stats=?,newest=? WHERE id=?"),
      state_agent_(db, "UPDATE agents SET state=? WHERE id=?"),
      latest_spec_(db, "SELECT revision,content FROM specs WHERE agent=? ORDER BY revision DESC LIMIT 1"),
      insert_spec_(db, "INSERT INTO specs(agent,revision,at,content) VALUES(?,?,?,?)"),
      put_cursor_(db, "INSERT INTO cursors VALUES(?,?) ON CONFLICT(name) DO UPDATE SET position=excluded.position"),
      put_meta_(db, "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value"),
      find_run_(db, (std::string("SELECT ") + RunRow::kColumns + ",(SELECT name FROM agents WHERE agents.id=agent) FROM runs WHERE id=?").c_str()),
      put_aside_(db, "INSERT INTO asides VALUES(?)"),
      end_aside_(db, "DELETE FROM asides WHERE run=?"),
      reopen_run_(db, "UPDATE runs SET status=?,due=?,last=?,deaths=?,checksum=? WHERE id=?") {}

Group GroupWriter::write(const std::vector<Write>& writes) {
  const auto position = next_position_, agent = next_agent_, marked = marked_;
  reopened_ = kNever;
  Draft draft(mirror_, mutex_);
  Group group;
  group.answers.reserve(writes.size());
  try {
    Transaction transaction(db_);
    for (const auto& write : writes) {
      if (write.now != 0) now_ = write.now;
      auto& answer = group.answers.emplace_back();
      answer.op = write.op;
      Step step{write, draft, group, answer};
      std::visit([&](const auto& what) { apply(step, what); }, write.what);
    }
    budgets_.keep();
    pruning_.keep(next_position_);
    keep_stats(draft);
    keep_marks(position);
    group.agents = draft.touched();
    transaction.commit();
  } catch (...) {
    next_position_ = position, next_agent_ = agent, marked_ = marked;
    budgets_.forgotten();
    pruning_.forgotten();
    throw;
  }
  group.due = draft.apply();
  group.accounts = budgets_.applied();
  pruning_.applied();
  return group;
}

// ---- entries

void GroupWriter::apply(Step& step, const Enqueue& enqueue) {
  auto& admissions = step.group.admissions.emplace_back(admit(step, enqueue.entries));
  step.answer.admissions = admissions.data();
  step.answer.admission_count = admissions.size();
}

std::vector<agentd_ledger_admission> GroupWriter::admit(Step& step, const std::vector<Entry>& entries) {
  std::vector<agentd_ledger_admission> all;
  all.reserve(entries.size());
  for (const auto& entry : entries) all.push_back(admit(step, entry));
  return all;
}

agentd_ledger_admission GroupWriter::admit(Step& step, const Entry& entry) {
  auto& agent = step.draft.agent(entry.agent_id);
  row_of(agent);
  keep_limit(agent, entry.max_concurrent);
  agentd_ledger_admission answer{};
  auto verdict = Draft::Verdict::accept;
  if (!is_final(entry.status)) verdict = step.draft.judge(agent, entry.overlap, entry.queue_size);
  if (verdict != Draft::Verdict::accept) answer.kind = verdict == Draft::Verdict::skip ? AGENTD_SKIPPED : AGENTD_FULL;

  const bool silent = verdict != Draft::Verdict::accept && !entry.leaves_record;
  if (silent) {  // only whether it is a duplicate remains to be said
    if (const auto first = first_with_key(agent.id(), entry.key); first.position) answer = {AGENTD_DUPLICATE, 0, first, nullptr, 0};
    return answer;
  }
  if (verdict == Draft::Verdict::accept && entry.overlap == AGENTD_OVERLAP_CANCEL_PREVIOUS && !is_final(entry.status)) {
    const auto& cancel = step.group.cancels.emplace_back(step.draft.live_runs(agent));
    answer.cancel = cancel.data(), answer.cancel_count = cancel.size();
  }
  const std::int32_t status = verdict == Draft::Verdict::accept ? entry.status : verdict == Draft::Verdict::skip ? AGENTD_RUN_SKIPPED : AGENTD_RUN_DROPPED;
  answer.run = {next_position_, entry.nonce, 0};
  if (!insert_run(step, agent, entry, status)) answer = {AGENTD_DUPLICATE, 0, first_with_key(agent.id(), entry.key), nullptr, 0};
  return answer;
}

bool GroupWriter::insert_run(Step& step, Draft::AgentChange& agent, const Entry& entry, std::int32_t status) {
  const auto id = next_position_;
  const auto prev = agent.newest();
  const RunBody body{id, agent.id(), entry.nonce, prev, entry.key, entry.payload, entry.revision, step.write.now};
  const RunState state{status, entry.due, id};
  const auto base = body.checksum();
  const auto key = entry.key.empty() ? std::optional<std::string_view>() : entry.key;
  insert_run_.exec(id, agent.id(), std::int64_t{entry.nonce}, prev, key, state.status, entry.revision, state.due, step.write.now, state.last, state.checksum(base),
                   std::string_view(entry.payload));
  if (db_.changes() == 0) return false;
  ++next_position_;
  agent.new_newest = id;
  agent.ended_one |= is_final(status);
  step.group.records.push_back({id, step.write.now, {id, entry.nonce, 0}, str(agent.agent->name), 0, status, str(entry.payload)});
  if (is_final(status)) return true;
  LiveRun run{id, entry.nonce, agent.agent, entry.revision, base, entry.payload, state, step.write.now};
  run.aside = entry.overlap == AGENTD_OVERLAP_ASIDE;
  if (run.aside) put_aside_.exec(id);
  step.draft.enter(agent, std::move(run));
  return true;
}

agentd_run_id GroupWriter::first_with_key(std::int64_t agent, const std::string& key) {
  if (key.empty()) return {};
  find_key_.bind(agent, std::string_view(key));
  agentd_run_id first{};
  if (find_key_.step()) first = {find_key_.integer(0), static_cast<std::uint32_t>(find_key_.integer(1)), 0};
  find_key_.reset();
  return first;
}

// ---- transitions

void GroupWriter::apply(Step& step, const Transition& transition) {
  step.answer.value = next_position_;
  if (transition.in_quarantine != 0) return review(step, transition);
  auto* change = transition.run.position == 0 ? nullptr : step.draft.run(transition.run, transition.generation);
  if (transition.run.position != 0 && !change) {
    step.refuse(AGENTD_LEDGER_STALE, "the run at position " + std::to_string(transition.run.position) + " has ended or is somebody else's: generation " +
                                         std::to_string(transition.generation) + " holds it no more");
    return;
  }
  if (!budgets_.take(transition)) return step.refuse(AGENTD_LEDGER_OVER_BUDGET, "the call may come to more than its accounts have left");
  if (change) append(step, transition, *change);
  else append_runless(step, transition);
  step.group.admissions.push_back(admit(step, transition.follow_ups));
}

void GroupWriter::apply(Step&, const LetGo& let_go) { budgets_.let_go(let_go.run, let_go.generation); }

void GroupWriter::append(Step& step, const Transition& transition, Draft::RunChange& change) {
  auto& run = change.run;
  auto& agent = *run.agent;
  const bool had_started = run.generation != 0 || run.has_records();
  for (const auto& record : transition.records) {
    if (run.tail == 0) run.tail = next_position_;
    const auto prev = run.state.last;
    run.state.last = next_position_;
    insert_record(step, transition.run, run.id, prev, &agent, record);
  }
  if (transition.has_state) state_agent_.exec(std::string_view(transition.agent_state), row_of(step.draft.agent(agent)));
  if (is_final(transition.next) && had_started && !run.aside) count(step, transition, step.draft.agent(agent));
  move_on(step, transition, change);
}

// The row of a run that has ended says all there is of it, and within this group it is the row that every write before has left.
void GroupWriter::review(Step& step, const Transition& transition) {
  const auto id = transition.run.position;
  RunState state;
  LiveRun run;
  std::string agent;
  {
    Reading reading(find_run_, id);
    const bool found = reading.next();
    const auto row = found ? std::optional<RunRow>(*reading) : std::nullopt;
    if (row && !row->fits) return step.refuse(AGENTD_LEDGER_CORRUPT, CorruptError(id).what());
    if (!row || row->body.nonce != transition.run.nonce || row->state.status != AGENTD_RUN_QUARANTINED || row->state.last != transition.in_quarantine ||
        (transition.next != 0 && transition.next != AGENTD_RUN_QUEUED && transition.next != AGENTD_RUN_DROPPED) || step.draft.knows(id))
      return step.refuse(AGENTD_LEDGER_STALE, "the run at position " + std::to_string(id) + " is not in quarantine as it was at position " + std::to_string(transition.in_quarantine));
    state = row->state;
    agent = reading->bytes(RunRow::kColumnCount);
    run.id = id, run.nonce = transition.run.nonce;
    run.revision = row->body.revision;
    run.body_checksum = row->body.checksum();
    run.payload = row->body.payload;
  }
  auto& change = step.draft.agent(agent);
  for (const auto& record : transition.records) {
    const auto prev = state.last;
    state.last = next_position_;
    insert_record(step, transition.run, id, prev, change.agent, record);
  }
  if (transition.next == AGENTD_RUN_QUEUED) state = {AGENTD_RUN_QUEUED, transition.due, state.last, 0};
  if (transition.next == AGENTD_RUN_DROPPED) state.status = AGENTD_RUN_DROPPED;
  reopen_run_.exec(state.status, state.due, state.last, state.deaths, state.checksum(run.body_checksum), id);
  step.group.admissions.push_back(admit(step, transition.follow_ups));
  if (is_final(state.status)) return;
  run.agent = change.agent;
  run.state = state;
  run.since = step.write.now;
  step.draft.enter(change, std::move(run));
  keep_reachable(id);
}

// A start looks for live runs from a mark on, which may stand behind this one.
void GroupWriter::keep_reachable(std::int64_t run) {
  reopened_ = std::min(reopened_, run);
  if (run < read_meta(db_, meta::kLiveFrom)) put_meta_.exec(std::string_view(meta::kLiveFrom), run);
}

void GroupWriter::move_on(Step& step, const Transition& transition, Draft::RunChange& change) {
  auto& run = change.run;
  const bool goes_on = transition.next == 0 || transition.next == AGENTD_RUN_RUNNING;
  if (goes_on && transition.generation != 0) return;  // its row hears of it when it stops
  if (goes_on) {
    run.tail = 0;  // nobody has it, so its row says what is so
  } else {
    step.draft.end_or_park(change, transition.next, transition.due, step.write.now);
    if (run.aside && is_final(transition.next)) end_aside_.exec(run.id);
  }
  update_run_.exec(run.state.status, run.state.due, run.state.last, run.state.checksum(run.body_checksum), run.id);
}

void GroupWriter::count(Step& step, const Transition& transition, Draft::AgentChange& agent) {
  if (transition.next > AGENTD_RUN_QUARANTINED) return;  // skipped, dropped or missed after all: no run
  Stats stats = step.draft.stats(agent);
  stats.run_count += 1;
  stats.last_run = step.write.now;
  if (transition.next == AGENTD_RUN_COMPLETED) stats.consecutive_failures = 0;
  const bool failed = transition.next == AGENTD_RUN_FAILED || transition.next == AGENTD_RUN_TIMED_OUT || transition.next == AGENTD_RUN_QUARANTINED;
  if (failed) {
    stats.error_count += 1;
    stats.consecutive_failures += 1;
    stats.last_error = transition.error;
  }
  agent.stats = std::move(stats);
}

void GroupWriter::append_runless(Step& step, const Transition& transition) {
  auto* agent = transition.agent_id.empty() ? nullptr : &step.draft.agent(transition.agent_id);
  const auto owner = agent ? -row_of(*agent) : 0;
  for (const auto& record : transition.records) insert_record(step, {}, owner, 0, agent ? agent->agent : nullptr, record);
  if (transition.has_state && agent) state_agent_.exec(std::string_view(transition.agent_state), agent->id());
}

void GroupWriter::insert_record(Step& step, const agentd_run_id& run, std::int64_t run_column, std::int64_t prev, const Agent* agent, const Record& record) {
  RecordRow row;
  row.position = next_position_, row.run = run_column, row.prev = prev, row.kind = record.kind, row.at = step.write.now, row.payload = record.payload;
  insert_record_.exec(row.position, row.run, row.prev, row.kind, row.at, row.checksum(), row.payload);
  ++next_position_;
  const agentd_str name = agent ? str(agent->name) : agentd_str{};
  step.group.records.push_back({row.position, row.at, run, name, record.kind, 0, str(record.payload)});
}

// ---- specs and cursors

void GroupWriter::apply(Step& step, const PutSpecs& put) {
  auto& kept = step.group.kept.emplace_back();
  kept.reserve(put.specs.size());
  for (const auto& spec : put.specs) kept.push_back(keep(step, spec));
  step.answer.kept = kept.data(), step.answer.kept_count = kept.size();
}

agentd_ledger_kept GroupWriter::keep(Step& step, const Spec& spec) {
  const auto agent = row_of(step.draft.agent(spec.agent_id));
  agentd_ledger_kept kept{1, AGENTD_SPEC_CREATED, 0, {}};
  latest_spec_.bind(agent);
  if (latest_spec_.step()) {
    const auto latest = latest_spec_.integer(0);
    const auto content = latest_spec_.bytes(1);
    if (content == spec.content) {
      kept = {latest, AGENTD_SPEC_SAME, 0, {}};
    } else {
      kept = {latest + 1, AGENTD_SPEC_UPDATED, 0, str(step.group.texts.emplace_back(content))};
    }
  }
  latest_spec_.reset();
  if (kept.change != AGENTD_SPEC_SAME) insert_spec_.exec(agent, kept.revision, step.write.now, std::string_view(spec.content));
  return kept;
}

void GroupWriter::apply(Step&, const PutCursors& put) {
  for (const auto& cursor : put.cursors) put_cursor_.exec(std::string_view(cursor.name), cursor.position);
}

void GroupWriter::apply(Step& step, const Remove& remove) {
  step.answer.removal = 1;
  if (remove.run.position == 0) {
    const auto removed = pruning_.prune(remove, now_);
    step.answer.runs = removed.runs, step.answer.records = removed.records, step.answer.value = removed.more;
    return;
  }
  const auto name = "the run at position " + std::to_string(remove.run.position);
  switch (pruning_.forget(remove.run)) {
    case Pruning::Forgotten::wholly: step.answer.runs = 1; break;
    case Pruning::Forgotten::in_part: step.answer.value = 1; break;
    case Pruning::Forgotten::it_lives: return step.refuse(AGENTD_LEDGER_STALE, name + " has not ended");
    case Pruning::Forgotten::there_is_none: return step.refuse(AGENTD_LEDGER_NOT_FOUND, "no run at position " + std::to_string(remove.run.position));
  }
}

// ---- agents and marks

std::int64_t GroupWriter::row_of(Draft::AgentChange& change) {
  if (change.id()) return change.id();
  change.new_id = next_agent_++;
  insert_agent_.exec(change.new_id, std::string_view(change.agent->name), std::int64_t{change.agent->max_concurrent}, std::string_view(to_text(change.agent->stats)));
  return change.new_id;
}

void GroupWriter::keep_limit(Draft::AgentChange& change, std::uint32_t max_concurrent) {
  const auto known = change.max_concurrent ? *change.max_concurrent : change.agent->max_concurrent;
  if (known == max_concurrent) return;
  limit_agent_.exec(std::int64_t{max_concurrent}, change.id());
  change.max_concurrent = max_concurrent;
}

void GroupWriter::keep_stats(Draft& draft) {
  for (auto* agent : draft.touched()) {
    auto& change = draft.agent(*agent);
    if (!change.stats && !change.ended_one) continue;
    const auto text = to_text(draft.stats(change));
    stats_agent_.exec(std::string_view(text), change.newest(), row_of(change));
  }
}

// From where the next start has to look for runs that have not ended. As they are before this group: older marks are safe ones.
void GroupWriter::keep_marks(std::int64_t first) {
  constexpr std::int64_t kEvery = 1024;  // positions; what a start reads too much at worst
  if (next_position_ - marked_ < kEvery) return;
  std::int64_t live = 0, tail = 0;
  {
    const std::lock_guard lock(mutex_);
    live = std::min(mirror_.live_from(first), reopened_), tail = mirror_.tail_from(first);
  }
  put_meta_.exec(std::string_view(meta::kLiveFrom), live);
  put_meta_.exec(std::string_view(meta::kTailFrom), tail);
  marked_ = next_position_;
}

std::string to_text(const Stats& s) {
  std::string text;
  for (const auto number : {s.run_count, s.error_count, s.consecutive_failures, s.last_run}) text += std::to_string(number) + ' ';
  return text + s.last_error;
}

Stats stats_of(std::string_view text) {
  Stats stats;
  for (auto* number : {&stats.run_count, &stats.error_count, &stats.consecutive_failures, &stats.last_run}) {
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, *number);
    text = parsed.ptr < end ? std::string_view(parsed.ptr + 1, static_cast<std::size_t>(end - parsed.ptr - 1)) : std::string_view();
  }
  stats.last_error = text;
  return stats;
}

}  // namespace agentd::sqlite
