#include "group.hpp"

#include <agentd/sdk/host.hpp>

#include <algorithm>
#include <charconv>

namespace agentd::ledger {

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

GroupWriter::GroupWriter(Rows& rows, Mirror& mirror, std::mutex& mutex, Runs runs)
    : rows_(rows), mirror_(mirror), mutex_(mutex), runs_(runs), budgets_(rows) {}

Group GroupWriter::decide(const std::vector<Write>& writes) {
  reopened_ = kNever;
  auto& draft = draft_.emplace(mirror_, mutex_);
  Group group;
  group.answers.reserve(writes.size());
  for (const auto& write : writes) {
    if (write.now != 0) now_ = write.now;
    auto& answer = group.answers.emplace_back();
    answer.op = write.op;
    Step step{write, draft, group, answer};
    std::visit([&](const auto& what) { apply(step, what); }, write.what);
  }
  budgets_.keep();
  keep_stats(draft);
  keep_marks();
  group.agents = draft.touched();
  group.last_position = next_.position - 1;
  return group;
}

void GroupWriter::keep(Group& group) noexcept {
  group.due |= draft_->apply();
  group.accounts = budgets_.applied();
  kept_ = next_, kept_mark_ = marked_;
  draft_.reset();
}

void GroupWriter::forget() {
  next_ = kept_, marked_ = kept_mark_;
  budgets_.forgotten();
  draft_.reset();
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
  answer.run = {next_.position, entry.nonce, 0};
  if (!insert_run(step, agent, entry, status)) answer = {AGENTD_DUPLICATE, 0, first_with_key(agent.id(), entry.key), nullptr, 0};
  return answer;
}

bool GroupWriter::insert_run(Step& step, Draft::AgentChange& agent, const Entry& entry, std::int32_t status) {
  const auto id = next_.position;
  const auto prev = runs_ == Runs::linked ? agent.newest() : 0;
  const RunBody body{id, agent.id(), entry.nonce, prev, entry.key, entry.payload, entry.revision, step.write.now};
  const RunState state{status, entry.due, id};
  const auto base = body.checksum();
  const bool aside = entry.overlap == AGENTD_OVERLAP_ASIDE && !is_final(status);
  if (!rows_.insert_run(body, state, aside)) return false;
  ++next_.position;
  agent.new_newest = id;
  agent.ended_one |= is_final(status);
  step.group.records.push_back({id, step.write.now, {id, entry.nonce, 0}, str(agent.agent->name), 0, status, str(entry.payload)});
  if (is_final(status)) return true;
  LiveRun run{id, entry.nonce, agent.agent, entry.revision, base, entry.payload, state, step.write.now};
  run.aside = aside;
  step.draft.enter(agent, std::move(run));
  return true;
}

agentd_run_id GroupWriter::first_with_key(std::int64_t agent, const std::string& key) {
  if (key.empty()) return {};
  return rows_.first_with_key(agent, key);
}

// ---- transitions

void GroupWriter::apply(Step& step, const Transition& transition) {
  step.answer.value = next_.position;
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

void GroupWriter::apply(Step& step, const LetGo& let_go) {
  budgets_.let_go(let_go.run, let_go.generation);
  auto* change = step.draft.run(let_go.run, let_go.generation);
  if (!change) return;
  change->run.state.deaths += let_go.died;
  step.draft.end_or_park(*change, AGENTD_RUN_QUEUED, change->run.state.due, change->run.since);
  rows_.update_run(change->run);
}

void GroupWriter::append(Step& step, const Transition& transition, Draft::RunChange& change) {
  auto& run = change.run;
  auto& agent = *run.agent;
  const bool had_started = run.generation != 0 || run.has_records();
  for (const auto& record : transition.records) {
    if (run.tail == 0) run.tail = next_.position;
    const auto prev = run.state.last;
    run.state.last = next_.position;
    insert_record(step, transition.run, run.id, prev, &agent, record);
  }
  if (transition.has_state) rows_.state_agent(row_of(step.draft.agent(agent)), transition.agent_state);
  if (is_final(transition.next) && had_started && !run.aside) count(step, transition, step.draft.agent(agent));
  move_on(step, transition, change);
}

// The row of a run that has ended says all there is of it, and within this group it is the row that every write before has left.
void GroupWriter::review(Step& step, const Transition& transition) {
  const auto id = transition.run.position;
  const auto found = rows_.find_run(id);
  if (found && !found->fits) return step.refuse(AGENTD_LEDGER_CORRUPT, "position " + std::to_string(id) + " is damaged: its checksum does not fit");
  if (!found || found->nonce != transition.run.nonce || found->state.status != AGENTD_RUN_QUARANTINED || found->state.last != transition.in_quarantine ||
      (transition.next != 0 && transition.next != AGENTD_RUN_QUEUED && transition.next != AGENTD_RUN_DROPPED) || step.draft.knows(id))
    return step.refuse(AGENTD_LEDGER_STALE, "the run at position " + std::to_string(id) + " is not in quarantine as it was at position " + std::to_string(transition.in_quarantine));
  auto& change = step.draft.agent(found->agent);
  LiveRun run{id, transition.run.nonce, change.agent, found->revision, found->body_checksum, found->payload, found->state, step.write.now};
  auto& state = run.state;
  for (const auto& record : transition.records) {
    const auto prev = state.last;
    state.last = next_.position;
    insert_record(step, transition.run, id, prev, change.agent, record);
  }
  if (transition.next == AGENTD_RUN_QUEUED) state = {AGENTD_RUN_QUEUED, transition.due, state.last, 0};
  if (transition.next == AGENTD_RUN_DROPPED) state.status = AGENTD_RUN_DROPPED;
  rows_.update_run(run);
  step.group.admissions.push_back(admit(step, transition.follow_ups));
  if (is_final(state.status)) return;
  step.draft.enter(change, std::move(run));
  reopened_ = std::min(reopened_, id);
  rows_.came_back(id);
}

void GroupWriter::move_on(Step& step, const Transition& transition, Draft::RunChange& change) {
  auto& run = change.run;
  const bool goes_on = transition.next == 0 || transition.next == AGENTD_RUN_RUNNING;
  if (goes_on && transition.generation != 0) return;  // its row hears of it when it stops
  if (goes_on) {
    run.tail = 0;  // nobody has it, so its row says what is so
  } else {
    step.draft.end_or_park(change, transition.next, transition.due, step.write.now);
  }
  rows_.update_run(run);
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
  if (transition.has_state && agent) rows_.state_agent(agent->id(), transition.agent_state);
}

void GroupWriter::insert_record(Step& step, const agentd_run_id& run, std::int64_t run_column, std::int64_t prev, const Agent* agent, const Record& record) {
  const RecordBody row{next_.position, run_column, prev, record.kind, step.write.now, record.payload};
  rows_.insert_record(row);
  ++next_.position;
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
  if (auto latest = rows_.latest_spec(agent)) {
    if (latest->content == spec.content) {
      kept = {latest->revision, AGENTD_SPEC_SAME, 0, {}};
    } else if (!spec.is_newest && rows_.had_spec(agent, spec.content)) {
      kept = {latest->revision, AGENTD_SPEC_SUPERSEDED, 0, str(step.group.texts.emplace_back(std::move(latest->content)))};
    } else {
      kept = {latest->revision + 1, AGENTD_SPEC_UPDATED, 0, str(step.group.texts.emplace_back(std::move(latest->content)))};
    }
  }
  if (kept.change != AGENTD_SPEC_SAME && kept.change != AGENTD_SPEC_SUPERSEDED) rows_.insert_spec(agent, kept.revision, step.write.now, spec.content);
  return kept;
}

void GroupWriter::apply(Step&, const PutCursors& put) {
  for (const auto& cursor : put.cursors) rows_.put_cursor(cursor.name, cursor.position);
}

void GroupWriter::apply(Step& step, const Remove& remove) {
  step.answer.removal = 1;
  if (remove.run.position == 0) {
    const auto removed = rows_.prune(remove, now_);
    step.answer.runs = removed.runs, step.answer.records = removed.records, step.answer.value = removed.more;
    return;
  }
  const auto name = "the run at position " + std::to_string(remove.run.position);
  switch (rows_.forget(remove.run)) {
    case Forgotten::wholly: step.answer.runs = 1; break;
    case Forgotten::in_part: step.answer.value = 1; break;
    case Forgotten::it_lives: return step.refuse(AGENTD_LEDGER_STALE, name + " has not ended");
    case Forgotten::there_is_none: return step.refuse(AGENTD_LEDGER_NOT_FOUND, "no run at position " + std::to_string(remove.run.position));
  }
}

// ---- agents and marks

std::int64_t GroupWriter::row_of(Draft::AgentChange& change) {
  if (change.id()) return change.id();
  change.new_id = next_.agent++;
  rows_.insert_agent(change.new_id, change.agent->name, change.agent->max_concurrent, to_text(change.agent->stats));
  return change.new_id;
}

void GroupWriter::keep_limit(Draft::AgentChange& change, std::uint32_t max_concurrent) {
  const auto known = change.max_concurrent ? *change.max_concurrent : change.agent->max_concurrent;
  if (known == max_concurrent) return;
  rows_.limit_agent(change.id(), max_concurrent);
  change.max_concurrent = max_concurrent;
}

void GroupWriter::keep_stats(Draft& draft) {
  for (auto* agent : draft.touched()) {
    auto& change = draft.agent(*agent);
    const bool newest_counts = runs_ == Runs::linked && change.ended_one;
    if (change.stats || newest_counts) rows_.stats_agent(row_of(change), to_text(draft.stats(change)), change.newest());
  }
}

// From where the next start has to look for runs that have not ended. As they are before this group: older marks are safe ones.
void GroupWriter::keep_marks() {
  constexpr std::int64_t kEvery = 1024;  // positions; what a start reads too much at worst
  if (next_.position - marked_ < kEvery) return;
  std::int64_t live = 0, tail = 0;
  {
    const std::lock_guard lock(mutex_);
    live = std::min(mirror_.live_from(kept_.position), reopened_), tail = mirror_.tail_from(kept_.position);
  }
  rows_.keep_marks(live, tail);
  marked_ = next_.position;
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

}  // namespace agentd::ledger
