#include <algorithm>
#include <tuple>

#include "core/budget/limits.hpp"
#include "core/run/backoff.hpp"
#include "core/run/clean.hpp"
#include "core/run/digest.hpp"
#include "core/run/messages.hpp"
#include "core/run/run.hpp"

namespace agentd::run {
namespace {

constexpr Millis kAskAgentAgain{30'000};
constexpr Millis kUnlimited = std::chrono::days(1);

}  // namespace

Async<void> Run::story() {
  const bool readable = co_await rebuild();
  if (!readable) co_return;
  auto agent = co_await find_agent();
  if (!agent) {
    event::Fault fault{agent.error().error_class, std::move(agent.error().message)};
    if (fault.error_class == ErrorClass::retryable) {
      event::Waiting waiting{.what = event::Waiting::For::provider, .delay_ms = kAskAgentAgain.count(), .reason = "the agent cannot run now", .fault = std::move(fault),
                             .attempt = state_.attempt};
      co_await wait({}, std::move(waiting));
    } else {
      event::Ended ended{.status = port::RunStatus::failed, .fault = std::move(fault)};
      co_await end(std::move(ended), std::nullopt);
    }
    co_return;
  }
  agent_ = std::move(*agent);
  co_await begin();
  if (!done_ && agent_->task) co_await perform_task();
  else if (!done_) co_await converse();
  around_.world.timers.cancel(alarm_);
}

Async<Result<AgentRef>> Run::find_agent() {
  const auto& [replay, digest] = std::tie(state_.entry.replay, state_.entry.digest);
  if (digest) return around_.agents.agent_with(claim_.agent_id, claim_.revision, [what = *digest](manifest::AgentSpec& spec) { become_digester(spec, what); });
  if (!replay || replay->model.empty()) return around_.agents.agent(claim_.agent_id, claim_.revision);
  return around_.agents.agent_with(claim_.agent_id, claim_.revision, [how = *replay](manifest::AgentSpec& spec) {
    if (!how.provider.empty()) spec.model.provider = how.provider;
    spec.model.model = how.model;
  });
}

// The state from the claim, or from the records where there are some.
Async<bool> Run::rebuild() {
  Result<State> state;
  std::vector<port::StoredRecord> records;
  if (!claim_.has_records) {
    state = fresh(claim_.run, claim_.payload, around_.world.clock.now());
  } else {
    auto loaded = co_await load(claim_.run);
    if (loaded) {
      records = std::move(*loaded);
      state = fold(records);
    } else if (loaded.error().fault == port::LedgerFault::corrupt) {
      state = fail(ErrorClass::internal, std::move(loaded.error().message));
    } else {
      lose(loaded.error().message);
      co_return false;
    }
  }
  if (state && state->entry.replay) {
    state_ = *state;
    auto rebuilding = rebuild_replay(std::move(records));
    state = co_await std::move(rebuilding);
    if (done_) co_return false;
  }
  if (state) {
    state_ = std::move(*state);
    active_ = active_before(state_);
    co_return true;
  }
  state_.run = claim_.run;
  event::Ended ended{.status = port::RunStatus::failed, .fault = event::Fault{state.error().error_class, state.error().message}};
  co_await end(std::move(ended), std::nullopt);
  co_return false;
}

// A replay's own records go on from where the recorded run's leave off. An error: the recorded run cannot be replayed any more.
Async<Result<State>> Run::rebuild_replay(std::vector<port::StoredRecord> records) {
  const auto how = *state_.entry.replay;
  const auto why_not = [&how](const std::string& why) { return fail("run " + how.of + " cannot be replayed: " + why); };
  auto recorded = co_await load(parse_run_id(how.of).value_or(RunId()));
  if (!recorded) {
    const auto fault = recorded.error().fault;
    if (fault == port::LedgerFault::not_found) co_return why_not("it is not there any more");
    if (fault != port::LedgerFault::corrupt) lose(recorded.error().message);
    co_return why_not(recorded.error().message);
  }
  auto recording = Recording::read(*recorded);
  if (!recording) co_return why_not(recording.error().message);
  auto state = fresh(claim_.run, claim_.payload, state_.entered_at);
  if (!state) co_return state;
  replay_ = std::make_unique<Replay>(std::move(*recording), how);
  replay_->begin(*state);
  if (records.empty()) co_return state;
  const auto see = [this](const event::Body& body) { replay_->see(body); };
  auto whole = apply_all(*state, std::span(records).subspan(1), see);
  if (!whole) co_return std::unexpected(std::move(whole.error()));
  co_return state;
}

Async<void> Run::begin() {
  using Scope = manifest::Session::Scope;
  const auto& spec = agent_->spec;
  const auto& asked = state_.entry.session;
  const auto scope = spec.memory.session.scope;
  session_ = !asked.empty() ? asked : scope == Scope::run ? state_.name : scope == Scope::fixed ? spec.memory.session.name : std::string();
  memory_session_ = session_.empty() ? spec.agent_id : asked.empty() && scope == Scope::run ? std::string() : session_;
  if (agent_->system) {
    state_.messages.front() = *agent_->system;
    clean_message(around_.cleaner, state_.messages.front().json);
  }

  if (control_.draining()) co_return co_await release("drain");
  auto started = next_start();
  if (started.crashes > state_.crashes && started.crashes >= spec.limits.max_crashes) {
    event::Ended ended{.status = port::RunStatus::quarantined,
                       .fault = event::Fault{ErrorClass::crash, "the host died " + std::to_string(started.crashes) + " times while it worked on this run"},
                       .reason = "crashes"};
    co_return co_await end(std::move(ended), std::nullopt);
  }
  arm(active_before(state_));
  if (control_.interrupted()) co_return co_await end_interrupted();  // it must not be put off once more
  if (is_gated()) {
    co_await ask_gate();
    if (done_) co_return;
    started = next_start();  // with what the gate gave
  }
  if (agent_->endpoint && !agent_->task && state_.calls.empty() && !state_.final_text) {
    const bool open = co_await wait_for_endpoint();
    if (!open) co_return;
  }
  if (!state_.started && !replay_) {
    auto recalled = co_await recall(started);
    if (!recalled) co_return co_await fail_attempt({}, event::Fault{recalled.error().error_class, recalled.error().message}, recalled.error().retry_after);
    if (state_.entry.digest && started.query.empty()) co_return co_await end(event::Ended{.result = {"null"}}, std::nullopt);
  }
  if (control_.interrupted()) co_return co_await end_interrupted();
  if (!agent_->task && state_.calls.empty() && !state_.final_text) {
    auto used = state_.totals;
    if (started.embedding) budget::add(used, *started.embedding);
    auto unsaid_so_far = state_.unsaid;
    if (started.unsure) {
      budget::add_unknown(used);
      unsaid_so_far = unsaid_so_far + unsaid(state_);
    }
    started.call = plan_call(state_.step + 1, used, unsaid_so_far, state_.repetition.times());
  }
  std::vector<event::Body> bodies;
  bodies.push_back(std::move(started));
  taken_up_ = co_await write(std::move(bodies), {});
}

event::Started Run::next_start() {
  using Why = event::Started::Why;
  const auto& spec = agent_->spec;
  event::Started started;
  started.why = !state_.started ? Why::first : state_.attempt_spent ? Why::retry : state_.held ? Why::resume_crash : state_.released ? Why::resume_release : Why::resume_wait;
  started.attempt = state_.attempt;
  started.crashes = std::max(state_.crashes, claim_.deaths);
  if (state_.held) started.unsure = state_.calling;
  if (replay_) {
    started.trigger = state_.entry.trigger;
    started.query = state_.query;
    started.params.text = state_.params;
  } else if (started.why == Why::first || started.why == Why::retry) {
    started.run_count = around_.ledger.stats(claim_.agent_id).run_count + 1;
    started.trigger = state_.entry.trigger;
    started.query = !state_.entry.query.empty() ? state_.entry.query : state_.entry.digest ? state_.query : spec.task.query;
    started.params.text = lay_over(spec.task.params, state_.entry.params.text);
    if (state_.gate) started.params.text = lay_over(started.params.text, state_.gate->params.text);
    around_.cleaner.clean(started.query);
    around_.cleaner.clean_json(started.params.text);
  }
  for (std::size_t i = 0; i < state_.calls.size(); ++i) {
    const auto& call = state_.calls[i];
    if (!is_under_way(call)) continue;
    const int index = static_cast<int>(i);
    if (call.asked.effect == port::Effect::once) lost_calls_.push_back(index);
    else started.starts.push_back(start_of(index));
  }
  add_next_starts(started.starts);
  return started;
}

memory::Reader Run::reader_of_memory() {
  memory::Reader reader{claim_.agent_id, memory_session_, remaining(), control_.token()};
  if (agent_->endpoint) reader.bytes_per_token = agent_->endpoint->rate(agent_->spec.model.model).bytes_per_token();
  return reader;
}

Async<Result<void>> Run::recall_once(event::Started& started) {
  auto recalled = co_await memory::recall(agent_->memory, agent_->spec.memory, reader_of_memory(), started.query);
  if (!recalled) co_return std::unexpected(std::move(recalled.error()));
  started.recalled = std::move(recalled->messages);
  started.known = std::move(recalled->known);
  started.summary_due = recalled->summary_due;
  started.embedding = std::move(recalled->embedding);
  if (started.embedding) around_.cleaner.clean(started.embedding->error);
  for (auto& message : started.recalled) clean_message(around_.cleaner, message.text);
  co_return Result<void>{};
}

Async<Result<void>> Run::recall(event::Started& started) {
  for (int tries = 1;; ++tries) {
    auto recalling = state_.entry.digest ? gather(started) : recall_once(started);
    const auto recalled = co_await std::move(recalling);
    if (recalled) co_return recalled;
    if (tries == kStepTries || control_.interrupted()) co_return std::unexpected(recalled.error());
    const Millis delay = step_delay(tries, recalled.error().retry_after, around_.world.random.next());
    if (delay > kLongestHeldWait) co_return std::unexpected(recalled.error());
    co_await sleep(around_.world.timers, delay, control_.token());
  }
}

// One alarm for both limits: the attempt's active time and the run's deadline.
void Run::arm(Millis active) {
  const auto& task = agent_->spec.task;
  active_ = active;
  active_since_ = around_.world.clock.tick();
  std::optional<Millis> left;
  auto why = Control::Why::timed_out;
  if (task.timeout > Millis(0)) left = task.timeout - active;
  if (task.deadline) {
    const Millis to_deadline = std::min(state_.entered_at + *task.deadline - around_.world.clock.now(), *task.deadline);  // the clock may have been set back
    if (!left || to_deadline < *left) {
      left = to_deadline;
      why = Control::Why::past_deadline;
    }
  }
  if (!left) return;
  left = std::max(*left, Millis(0));
  until_ = around_.world.clock.tick() + *left;
  if (*left == Millis(0)) return control_.interrupt(why);  // before anything is done that has no time left
  alarm_ = around_.world.timers.after(*left, [this, why] { control_.interrupt(why); });
}

void Run::rest() {
  around_.world.timers.cancel(std::exchange(alarm_, 0));
  active_ = active();
  active_since_.reset();
}

Millis Run::active() const {
  if (!active_since_) return active_;
  return active_ + std::chrono::floor<Millis>(around_.world.clock.tick() - *active_since_);
}

Millis Run::remaining() const {
  if (!until_) return kUnlimited;
  return std::max(std::chrono::ceil<Millis>(*until_ - around_.world.clock.tick()), Millis(1));
}

}  // namespace agentd::run
