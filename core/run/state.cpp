#include "core/run/state.hpp"

#include <algorithm>
#include <ranges>

#include "core/budget/limits.hpp"
#include "core/memory/session.hpp"
#include "core/run/messages.hpp"
#include "core/tool/arguments_hash.hpp"

namespace agentd::run {
namespace {

bool valid(const State& state, int index) { return index >= 0 && std::cmp_less(index, state.calls.size()); }

void start_call(State& state, int index) {
  if (valid(state, index)) state.calls[static_cast<std::size_t>(index)].started = true;
}

void start_calls(State& state, const std::vector<event::CallStart>& starts) {
  for (const auto& start : starts)
    if (start.step == state.step) start_call(state, start.index);
}

void count_success(State& state, std::string tool) {
  const auto is_work = [](const auto& name) { return name != kNothingNew; };
  if (tool == kNothingNew && std::ranges::any_of(state.succeeded, is_work)) state.nothing_new = true;
  if (std::ranges::find(state.succeeded, tool) == state.succeeded.end()) state.succeeded.push_back(std::move(tool));
}

// When no call of the answer is open any more: their results become messages, in the order they were asked for.
void settle_step(State& state) {
  if (state.calls.empty() || !std::ranges::all_of(state.calls, &Call::finished)) return;
  for (std::size_t i = 0; i < state.calls.size(); ++i)
    state.messages.push_back(tool_message(name_call(state.name, state.step, static_cast<int>(i)), state.calls[i].content));
  std::vector<Deed> deeds;
  deeds.reserve(state.calls.size());
  for (const auto& call : state.calls) deeds.push_back({call.asked.tool, call.asked.arguments.text, call.content.text});
  state.repetition.take(deeds);
  if (state.repetition.times() == kTellAfter) state.messages.push_back(note_message(repetition_note()));
  state.calls.clear();
}

// The wall's clock is asked only where the record does not say: it may have been set meanwhile.
void leave(State& state, Instant at, std::int64_t active_ms = -1) {
  if (active_ms >= 0) state.active = Millis(active_ms);
  else if (state.held) state.active += std::max(at - state.taken_at, Millis(0));
  state.held = false;
  state.calling.reset();
}

void count_lost(State& state, const std::optional<event::ModelCall>& call) {
  if (!call) return;
  budget::add_unknown(state.totals);
  state.unsaid = state.unsaid + unsaid(state);
}

void take(State& state, event::Started&& r, Instant at) {
  using Why = event::Started::Why;
  state.active = active_before(state);
  if (!state.started) {
    state.first_started = at;
    state.query = std::move(r.query);
    state.params = std::move(r.params.text);
    state.summary_due = r.summary_due;
    state.digested_until = r.digested_until;
  }
  if (!state.started && state.messages.size() == 1) {  // a replay begins with what its record has said
    for (auto& message : r.recalled) state.messages.push_back(recalled_message(std::move(message)));
    state.messages.push_back(user_message(state.query, state.params));
  }
  if (r.why == Why::first || r.why == Why::retry) {
    state.run_count = r.run_count;
    state.active = Millis(0);
    state.tries = 0;
  }
  state.started = state.held = true;
  state.attempt_spent = state.released = false;
  state.attempt = r.attempt;
  state.crashes = r.crashes;
  state.taken_at = at;
  if (r.embedding) budget::add(state.totals, *r.embedding);
  count_lost(state, r.unsure);
  state.calling = std::move(r.call);
  start_calls(state, r.starts);
}

void take(State& state, event::Answered&& r, Instant) {
  budget::add(state.totals, r);
  state.unsaid = state.unsaid + unsaid(state, r);
  state.step = r.step;
  state.tries = 0;
  state.messages.push_back(assistant_message(state.name, r));
  for (auto& asked : r.calls) {
    auto& call = state.calls.emplace_back();
    call.finished = asked.refused.has_value();
    if (asked.recorded && asked.refused == event::ToolOutcome::ok) count_success(state, asked.tool);
    call.content = std::move(asked.content);
    call.asked = std::move(asked);
  }
  for (const int index : r.starts) start_call(state, index);
  const bool settled = r.calls.empty();
  if (!settled) settle_step(state);
  state.notes = r.note ? state.notes + 1 : 0;
  if (r.note) state.messages.push_back(note_message(r.note));
  else if (settled) state.final_text = std::move(r.text);
  state.calling = std::move(r.call);
}

void take(State& state, event::ToolFinished&& r, Instant) {
  if (r.step == state.step && valid(state, r.index)) {
    auto& call = state.calls[static_cast<std::size_t>(r.index)];
    call.content = std::move(r.content);
    if (r.parks) {  // another question than whether it may be called
      call.unsure = true;
      call.put_to_people = call.permitted = false;
      call.decision.reset();
    } else {
      call.finished = true;
    }
    if (r.outcome == event::ToolOutcome::ok) count_success(state, std::move(r.tool));
  }
  start_calls(state, r.starts);
  settle_step(state);
  state.calling = std::move(r.call);
}

void take(State& state, event::CallFailed&& r, Instant) {
  budget::add(state.totals, r);
  state.tries = r.tries;
}

void take(State& state, event::Waiting&& r, Instant at) {
  leave(state, at, r.active_ms);
  count_lost(state, r.unsure);
  state.attempt = r.attempt;
  state.attempt_spent = state.attempt_spent || r.ends_attempt;
  for (const auto& question : r.questions)
    if (question.step == state.step && valid(state, question.index)) state.calls[static_cast<std::size_t>(question.index)].put_to_people = true;
}

void take(State& state, event::Decided&& r, Instant) {
  if (r.question.step != state.step || !valid(state, r.question.index)) return;
  auto& call = state.calls[static_cast<std::size_t>(r.question.index)];
  if (call.decision || call.finished) return;
  const bool approved = r.what == event::Decided::What::approve;
  r.question.arguments = {};
  call.decision = std::move(r);
  if (!call.unsure) {
    call.permitted = approved && call.decision->question.arguments_hash == tool::arguments_hash(call.asked.arguments.text);
  } else if (approved) {
    call.finished = true;
    settle_step(state);
  }
}

void take(State& state, event::Released&& r, Instant at) {
  leave(state, at, r.active_ms);
  count_lost(state, r.unsure);
  state.released = true;
  for (const int index : r.undone)
    if (valid(state, index)) state.calls[static_cast<std::size_t>(index)].started = false;
}

void take(State& state, event::Gated&& r, Instant) { state.gate = std::move(r); }

void take(State& state, event::Ended&& r, Instant at) {
  leave(state, at);
  state.totals = r.totals;
  state.step = std::max(state.step, r.steps);
  state.ended = true;
}

// A run that begins again is asked as if it had just come in, and its steps and attempts are counted on, so that no call's id comes twice.
void begin_again(State& state, Instant at) {
  State again;
  again.run = state.run;
  again.name = std::move(state.name);
  again.session = std::move(state.session);
  again.entry = std::move(state.entry);
  again.gate = std::move(state.gate);
  again.entered_at = at;
  again.step = state.step;
  again.attempt = state.attempt + 1;
  again.run_count = state.run_count;
  again.past = {state.attempt, state.step, state.totals};
  again.totals = state.totals;
  state = std::move(again);
}

void take(State& state, event::Reviewed&& r, Instant at) {
  if (r.what == event::Reviewed::What::edit) {
    state.entry.query = std::move(r.query);
    state.entry.params = std::move(r.params);
  }
  if (r.what == event::Reviewed::What::retry) begin_again(state, at);
}

template <class T>
void take(State&, T&&, Instant) {}  // records of the host and of agents are of no run

}  // namespace

Millis active_before(const State& state) {
  const Millis died_with = state.held ? std::max(state.last_at - state.taken_at, Millis(0)) : Millis(0);
  return state.attempt_spent ? Millis(0) : state.active + died_with;
}

budget::Unsaid unsaid(const State& state) {
  std::int64_t tokens = 0;
  for (const auto& message : state.messages | std::views::drop(1)) tokens += memory::estimated_tokens(message.json);
  return {.input_tokens = tokens};
}

budget::Unsaid unsaid(const State& state, const event::Answered& answered) {
  const auto said = answered.usage.value_or(port::Usage{});
  auto tokens = said.input_tokens < 0 ? unsaid(state) : budget::Unsaid();
  if (said.output_tokens >= 0) return tokens;
  tokens.output_tokens = memory::estimated_tokens(answered.text.text);
  for (const auto& call : answered.calls) tokens.output_tokens += memory::estimated_tokens(call.arguments.text);
  return tokens;
}

void apply(State& state, event::Body body, Instant at) {
  std::visit([&](auto&& record) { take(state, std::move(record), at); }, std::move(body));
  state.last_at = at;
}

Result<State> fresh(RunId run, std::string_view entry_payload, Instant entered_at) {
  auto decoded = event::decode(event::Entered::kKind, entry_payload);
  if (!decoded) return std::unexpected(decoded.error());
  State state;
  state.run = run;
  state.name = to_text(run);
  state.session = std::move(decoded->session);
  state.entry = std::get<event::Entered>(std::move(decoded->body));
  state.entered_at = state.last_at = entered_at;
  return state;
}

Result<State> fold(std::span<const port::StoredRecord> records) {
  if (records.empty() || records.front().kind != event::Entered::kKind) return fail(ErrorClass::internal, "a run's records do not begin with its entry");
  auto state = fresh(records.front().run, records.front().payload, records.front().at);
  if (!state) return state;
  auto whole = apply_all(*state, records.subspan(1));
  if (!whole) return std::unexpected(std::move(whole.error()));
  return state;
}

Result<void> apply_all(State& state, std::span<const port::StoredRecord> records, const std::function<void(const event::Body&)>& see) {
  for (const auto& record : records) {
    auto decoded = event::decode(record.kind, record.payload);
    if (!decoded) return std::unexpected(std::move(decoded.error()));
    state.session = std::move(decoded->session);
    if (see) see(decoded->body);
    apply(state, std::move(decoded->body), record.at);
  }
  return {};
}

bool has_ended(std::span<const port::StoredRecord> records) {
  if (records.empty()) return false;
  if (port::is_final(records.front().status)) return true;
  for (const auto& record : records | std::views::reverse) {
    if (record.kind != event::Reviewed::kKind) return record.kind == event::Ended::kKind;
    const auto decoded = event::decode(record.kind, record.payload);
    if (decoded && std::get<event::Reviewed>(decoded->body).what == event::Reviewed::What::retry) return false;
  }
  return false;
}

}  // namespace agentd::run
