#include "tests/sim/witness.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/ids.hpp"
#include "core/budget/days.hpp"
#include "core/budget/limits.hpp"
#include "core/schedule/ticker.hpp"
#include "host/deliverer.hpp"
#include "tests/sim/agents.hpp"

namespace agentd::sim {

using port::RunStatus;

namespace {

port::Spend spend_of(const port::Usage& usage) {
  return {usage.input_tokens + usage.output_tokens, budget::cost(kPrices, usage)};
}

bool passes(const port::Spend& spend, const Purse& purse) {
  const auto& [tokens, cost] = purse.limit;
  return (tokens > 0 && spend.tokens > tokens + purse.raised.tokens) || (cost > 0 && spend.cost > cost + purse.raised.cost);
}

bool asks_people(const manifest::AgentSpec& spec, const port::ToolSpec& tool) {
  return std::ranges::find(spec.tools.ask, std::string(kTools) + '.' + tool.name) != spec.tools.ask.end();
}

std::string to_text(const port::Spend& spend) {
  return std::to_string(spend.tokens) + " tokens and " + format_dollars(spend.cost) + " dollars";
}

}  // namespace

Witness::Witness(const std::vector<manifest::AgentSpec>& agents, NanoDollars host_limit) : host_limit_(host_limit) {
  for (const auto& agent : agents) {
    specs_[agent.agent_id] = &agent;
    slots_[agent.agent_id];
  }
}

void Witness::object(std::string what) { objections_.push_back(std::move(what)); }
void Witness::object(const RunFacts& run, const std::string& what) {
  object("run " + to_text(run.run) + " of " + run.agent + ": " + what);
}

RunFacts* Witness::facts(RunId run) {
  const auto found = runs_.find(run.position);
  return found == runs_.end() || found->second.run != run ? nullptr : &found->second;
}

std::vector<std::string> Witness::story() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i <= records_.size(); ++i) {
    const auto [first, last] = notes_.equal_range(i);
    for (auto note = first; note != last; ++note) lines.push_back("-- " + note->second);
    if (i == records_.size()) break;
    const auto& record = records_[i];
    const auto run = record.run ? to_text(record.run) : std::string();
    lines.push_back(std::to_string(record.position) + ' ' + format_instant(record.at) + ' ' + record.agent_id + ' ' + run + ' ' +
                    std::to_string(record.kind) + (record.kind ? "" : std::string(" ") + port::name(record.status)) + ' ' +
                    record.payload);
  }
  return lines;
}

// ---- records

void Witness::found(const std::vector<port::StoredRecord>& all) {
  for (const auto& record : all) see(record);
  if (all.size() < records_.size())
    object("of " + std::to_string(records_.size()) + " records that were durable " + std::to_string(all.size()) + " are left");
}

void Witness::see(const port::StoredRecord& record) {
  const auto known = static_cast<Position>(records_.size());
  if (record.position <= 0 || record.position > known + 1)
    return object("after record " + std::to_string(known) + " comes " + std::to_string(record.position));
  if (record.position <= known) {
    const auto& before = records_[static_cast<std::size_t>(record.position - 1)];
    if (before.payload != record.payload || before.kind != record.kind || before.run != record.run || before.at != record.at)
      object("record " + std::to_string(record.position) + " is another one now");
    return;
  }
  records_.push_back(record);
  auto decoded = event::decode(record.kind, record.payload);
  if (!decoded) return object("record " + std::to_string(record.position) + " cannot be read: " + decoded.error().message);
  if (auto* entered = std::get_if<event::Entered>(&decoded->body)) return take(record, *entered);
  if (const auto* raised = std::get_if<event::BudgetRaised>(&decoded->body)) return take(*raised);
  if (const auto* delivered = std::get_if<event::Delivered>(&decoded->body)) return take(*delivered);
  if (const auto* undelivered = std::get_if<event::Undelivered>(&decoded->body)) return take(*undelivered);
  if (!record.run) return;
  auto* run = facts(record.run);
  if (!run) return object("record " + std::to_string(record.position) + " is of a run that nobody brought in");
  const bool reviewed = record.kind == event::Reviewed::kKind && run->in_quarantine();
  if ((run->ended && !reviewed) || !run->accepted())
    object(*run, "has ended, and yet record " + std::to_string(record.position) + " of kind " + std::to_string(record.kind) +
                     " follows");
  ++run->records;
  unclaimed_[run->agent].erase(run->run.position);
  std::visit([&](const auto& body) { take(*run, body); }, decoded->body);
  const auto* ended = std::get_if<event::Ended>(&decoded->body);
  if (ended && !ended->deliver.empty()) tidings_[record.position], ++untold_;
}

void Witness::take(const port::StoredRecord& record, event::Entered& entered) {
  auto& run = runs_[record.position];
  run.run = record.run;
  run.agent = record.agent_id;
  run.entered_as = record.status;
  run.of_batch = entered.trigger == "batch";
  run.aside = event::is_aside(entered);
  run.unasked = !run.of_batch && entered.trigger != "api" && !run.aside;
  const auto& schedule = spec(run.agent).schedule;
  const Millis slack = schedule::kMisfireAfter + schedule::jitter_of(run.agent, schedule.jitter);
  run.made_up_for =
      schedule.misfire == manifest::Misfire::all && entered.scheduled_at && record.at > *entered.scheduled_at + slack;
  if (!entered.key.empty() && !keys_.emplace(std::pair(run.agent, entered.key), run.run).second)
    object(run, "has the key " + entered.key + ", as a run before it has");
  if (run.accepted()) {
    ++accepted_, ++live_;
    if (!run.aside) unclaimed_[run.agent].insert(record.position);
  }
  if (entered.trigger != "schedule") return;
  const bool ran = run.accepted() || run.entered_as == RunStatus::skipped || run.entered_as == RunStatus::dropped;
  if (entered.scheduled_at)
    slots_.at(run.agent).push_back({*entered.scheduled_at, *entered.scheduled_at, 1, ran});
  else if (entered.first && entered.last)
    slots_.at(run.agent).push_back({*entered.first, *entered.last, entered.count, false});
  else
    object(run, "is of no slot");
}

void Witness::intend(RunFacts& run, Place place) {
  if (run.finished.contains(place)) object(run, "begins a tool call that has ended");
  run.intents.insert(place);
}

void Witness::take(RunFacts& run, const event::Started& r) {
  using Why = event::Started::Why;
  if (r.why == Why::first && run.started) object(run, "starts for the first time twice");
  if (r.why == Why::retry && !run.spent) object(run, "begins another attempt though none has failed");
  if (r.why != Why::retry && run.spent) object(run, "goes on with an attempt that has failed");
  if (r.attempt != run.attempt)
    object(run, "is in attempt " + std::to_string(r.attempt) + " after " + std::to_string(run.attempt - 1) + " failed ones");
  if (r.crashes > run.deaths) object(run, "counts " + std::to_string(r.crashes) + " crashes of " + std::to_string(run.deaths));
  run.started = run.attempt_open = true;
  run.open.clear();
  run.spent = false;
  run.planned = r.call ? r.call->step : 0;
  for (const auto& start : r.starts) intend(run, {start.step, start.index});
}

void Witness::take(RunFacts& run, const event::Answered& r) {
  if (!run.answered.insert(r.step).second) object(run, "has two answers of step " + std::to_string(r.step));
  run.asking = 0;
  run.holds.clear();
  for (const int index : r.starts) intend(run, {r.step, index});
  run.planned = r.call ? r.call->step : 0;
}

void Witness::take(RunFacts& run, const event::ToolFinished& r) {
  const bool denied =
      r.outcome == event::ToolOutcome::denied && run.questions.contains({{r.step, r.index}, event::Question::About::call});
  if (!denied && !run.intents.contains({r.step, r.index})) object(run, "ends a tool call that did not begin");
  if (!run.finished.insert({r.step, r.index}).second) object(run, "ends a tool call twice");
  for (const auto& start : r.starts) intend(run, {start.step, start.index});
  run.planned = r.call ? r.call->step : 0;
}

void Witness::take(RunFacts& run, const event::CallFailed&) {
  run.asking = 0;
  run.holds.clear();
}

void Witness::take(RunFacts& run, const event::Gated& r) {
  if (run.gated || run.started) object(run, "is asked about at its gate again");
  run.gated = true;
  if (r.proceed && r.state.text.empty()) object(run, "has passed a gate that left no state");
}

void Witness::take(RunFacts& run, const event::Decided& r) {
  const Place place{r.question.step, r.question.index};
  const auto asked = run.questions.find({place, r.question.about});
  if (asked == run.questions.end()) return object(run, "has an answer to a question that nobody was asked");
  if (std::exchange(asked->second, true)) object(run, "has two answers to one question");
  run.open.erase(place);
  if (r.what == event::Decided::What::approve && r.question.about == event::Question::About::call) run.approved.insert(place);
}

void Witness::take(RunFacts& run, const event::Waiting& r) {
  run.planned = 0;
  run.holds.clear();
  for (const auto& question : r.questions) {
    const Place place{question.step, question.index};
    if (!run.questions.try_emplace({place, question.about}, false).second) object(run, "asks people the same again");
    run.open.insert(place);
  }
  if (!r.ends_attempt) return;
  if (!run.attempt_open && run.started) object(run, "ends an attempt twice");
  if (r.attempt != run.attempt + 1)
    object(run, "ends attempt " + std::to_string(run.attempt) + " and goes on with " + std::to_string(r.attempt));
  if (r.attempt - run.past_attempts > specs_.at(run.agent)->retry.max_retries + 1) object(run, "is tried more often than it may");
  run.attempt_open = false;
  run.spent = run.started;
  run.attempt = r.attempt;
}

void Witness::take(RunFacts& run, const event::Released&) {
  run.planned = run.asking = 0;
  run.holds.clear();
}

void Witness::take(RunFacts& run, const event::Ended& r) {
  if (r.answer) take(run, *r.answer);
  if (r.status == RunStatus::completed)
    for (const auto& place : run.intents)
      if (!run.finished.contains(place)) object(run, "is completed while a tool call has no end");
  run.ended = true;
  run.ended_as = r.status;
  ++run.ends;
  if (run.of_batch && (r.status == RunStatus::failed || r.status == RunStatus::timed_out))
    object(run, "is of a batch and was given up");
  if (r.status == RunStatus::cancelled) expect_overtaken(run, r.reason);
  const auto told = run.aside ? std::vector<event::Recipient>() : recipients(run.agent, r.status);
  if (told != r.deliver) object(run, "does not say who is to be told");
  run.open.clear();
  run.holds.clear();
  run.attempt_open = false;
  run.planned = 0;
  --live_;
  // What was refused for the account's sake is not known when the process died over it, so it may count.
  if (r.totals.requests < run.requests)
    object(run, "counts " + std::to_string(r.totals.requests) + " requests of " + std::to_string(run.requests));
}

// Whom "overtaken by run ..." names has come in behind it, and by itself.
void Witness::expect_overtaken(const RunFacts& run, const std::string& reason) {
  constexpr std::string_view kOvertaken = "overtaken by run ";
  if (!reason.starts_with(kOvertaken)) return;
  const auto by = parse_run_id(reason.substr(kOvertaken.size()));
  const auto* other = by ? facts(*by) : nullptr;
  if (!other || other->agent != run.agent || other->run.position < run.run.position || !other->unasked || other->made_up_for ||
      spec(run.agent).schedule.overlap != port::Overlap::cancel_previous)
    object(run, "was " + reason + ", which has no right to that");
}

void Witness::take(RunFacts& run, const event::Reviewed& r) {
  using What = event::Reviewed::What;
  if (r.what == What::drop) run.ended_as = RunStatus::dropped;
  if (r.what != What::retry) return;
  ++live_;
  run.ended = run.started = run.spent = false;
  run.past_attempts = run.attempt++;
  run.past_requests = run.requests;
  run.deaths = run.asking = 0;
  run.intents = run.finished;  // what had no end then has none now
}

void Witness::expect_all_over() {
  for (const auto& [position, run] : runs_) {
    if (!run.accepted()) continue;
    if (!run.ended) object(run, "has not ended");
    if (run.attempt_open) object(run, "has an attempt that did not end");
  }
  for (const auto& [position, tiding] : tidings_)
    if (!tiding.over) object("of record " + std::to_string(position) + " nobody was told");
}

// ---- the world outside

void Witness::model_asked(RunId id, int step) {
  auto* run = facts(id);
  if (!run) return object("a model is asked for a run that nobody brought in");
  if (run->ended) object(*run, "has ended and asks a model");
  if (run->answered.contains(step))
    object(*run, "asks again for the answer of step " + std::to_string(step) + ", which is durable");
  if (run->planned != step) object(*run, "asks for step " + std::to_string(step) + " before that is durable");
  if (run->asking) object(*run, "asks for step " + std::to_string(step) + " again though nobody died");
  run->asking = step;
  if (!run->holds.contains(step) && !budget::day_limits(spec(run->agent), host_limit_).empty())
    object(*run, "asks for step " + std::to_string(step) + " and holds nothing of its budgets");
  const auto limit = specs_.at(run->agent)->limits.request_limit;
  if (++run->requests - run->past_requests > limit && limit > 0)
    object(*run, "asks more often than request_limit " + std::to_string(limit));
}

void Witness::model_refused(RunId id) {
  if (auto* run = facts(id)) --run->requests;
}

void Witness::tool_begins(RunId id, Place place, const std::string& call_id, const port::ToolSpec& tool) {
  auto* run = facts(id);
  if (!run) return object("a tool is called for a run that nobody brought in");
  if (run->ended) object(*run, "has ended and calls a tool");
  if (!run->intents.contains(place)) object(*run, "makes the call " + call_id + " before its intent is durable");
  if (run->finished.contains(place)) object(*run, "makes the call " + call_id + " again, whose end is durable");
  if (asks_people(spec(run->agent), tool) && !run->approved.contains(place))
    object(*run, "makes the call " + call_id + ", which no person has approved");
  if (tool.effect == port::Effect::once && !maybe_done_.insert(call_id).second)
    object(*run, "makes the call " + call_id + " again, which may have happened");
}

// ---- the sink

std::vector<event::Recipient> Witness::recipients(const std::string& agent, RunStatus status) const {
  for (const auto& deliver : spec(agent).deliver)
    if (std::ranges::find(deliver.on, port::name(status)) != deliver.on.end())
      return std::vector{event::Recipient{deliver.sinks.front(), false}};
  return {};
}

void Witness::told(const std::string& event_id) {
  Position position = 0;
  std::from_chars(event_id.data(), event_id.data() + event_id.find('-'), position, 16);
  const auto tiding = tidings_.find(position);
  if (tiding == tidings_.end()) return object("the sink is told of " + event_id + ", which is durable for nobody");
  if (tiding->second.over) object("the sink is told of " + event_id + " again, and that it was told is durable");
  told_.insert(position);
}

Tiding* Witness::next_try(Position position, int attempt) {
  const auto found = tidings_.find(position);
  if (found == tidings_.end() || found->second.over) {
    object("a try to tell of record " + std::to_string(position) + " is durable, which nobody was to be told of any more");
    return nullptr;
  }
  auto& tiding = found->second;
  if (attempt != ++tiding.tries || attempt > host::Deliverer::kMostTries)
    object("try " + std::to_string(attempt) + " to tell of record " + std::to_string(position) + " comes after " +
           std::to_string(tiding.tries - 1));
  return &tiding;
}

void Witness::take(const event::Delivered& r) {
  auto* tiding = next_try(r.position, r.attempt);
  if (!tiding) return;
  if (!told_.contains(r.position))
    object("record " + std::to_string(r.position) + " is said to be told, and the sink has not heard of it");
  tiding->over = true, --untold_;
}

void Witness::take(const event::Undelivered& r) {
  auto* tiding = next_try(r.position, r.attempt);
  if (!tiding || r.retry_after_ms >= 0) return;
  tiding->over = true, --untold_;
}

// ---- budgets

void Witness::take(const event::BudgetRaised& r) {
  auto& purse = purses_[{r.scope, r.window}];
  purse.window = budget::day_of(*parse_instant(r.window + "T00:00:00Z"));
  auto& raised = purse.raised;
  (r.resource == "cost" ? raised.cost : raised.tokens) += r.amount;
}

void Witness::holds(const port::Ledger& ledger, RunId id, const std::vector<port::Hold>& holds) {
  auto* run = facts(id);
  for (const auto& hold : holds) {
    const PurseName name(hold.account, budget::format_day(hold.window));
    auto& purse = purses_[name];
    purse.window = hold.window;
    purse.limit = hold.limit;
    if (run) run->holds[hold.call].push_back(name);
    const auto account = ledger.account(hold.account, hold.window);
    const port::Spend used{account.spent.tokens + account.held.tokens, account.spent.cost + account.held.cost};
    if (passes(used, purse)) object(hold.account + " has " + to_text(used) + " spent or held, which is more than it may");
  }
}

void Witness::pay(RunId id, int step, port::Spend spend) {
  auto* run = facts(id);
  if (!run) return;
  for (const auto& name : run->holds[step]) {
    auto& purse = purses_.at(name);
    purse.paid.tokens += spend.tokens, purse.paid.cost += spend.cost;
    if (passes(purse.paid, purse))
      object(name.first + " has paid " + to_text(purse.paid) + " on " + name.second + ", which is more than it may");
  }
}

void Witness::model_costs(RunId run, int step, port::Usage usage) { pay(run, step, spend_of(usage)); }
void Witness::model_costs_nothing(RunId run, int step, port::Usage usage) {
  const auto spend = spend_of(usage);
  pay(run, step, {-spend.tokens, -spend.cost});
}

void Witness::expect_nothing_held(const port::Ledger& ledger) {
  for (const auto& [name, purse] : purses_) {
    const auto held = ledger.account(name.first, purse.window).held;
    if (held != port::Spend{}) object(to_text(held) + " of " + name.first + " are held, and nothing is in flight");
  }
}

// ---- the process

void Witness::process_died(const std::set<RunId>& held, bool claimed_more) {
  for (auto& [position, run] : runs_)
    if (held.contains(run.run) || (claimed_more && run.accepted() && !run.ended)) ++run.deaths;
  process_left();
}

void Witness::process_left() {
  for (auto& [position, run] : runs_) {
    run.holds.clear();
    run.asking = 0;
  }
}

void Witness::admitted(const std::string& agent, const std::string& key, const port::Admission& admission) {
  using Kind = port::Admission::Kind;
  if (admission.kind == Kind::duplicate) {
    const auto first = keys_.find({agent, key});
    if (first == keys_.end() || first->second != admission.run)
      object("the key " + key + " of " + agent + " is a duplicate of " + to_text(admission.run));
    return;
  }
  if (admission.kind != Kind::accepted) return;
  // What a run pushes aside makes room for it, and leaves the queue a little later.
  const bool makes_room = specs_.at(agent)->schedule.overlap == port::Overlap::cancel_previous;
  if (!makes_room && std::cmp_greater(unclaimed_[agent].size(), specs_.at(agent)->limits.queue_size))
    object("the queue of " + agent + " holds " + std::to_string(unclaimed_[agent].size()));
  if (!facts(admission.run)) object("the run " + to_text(admission.run) + " of " + agent + " was accepted and is not there");
}

// The first one counts: it is there for every start that follows.
void Witness::cursors_kept(const std::vector<port::Cursor>& cursors) {
  constexpr std::string_view kSchedule = "schedule:";
  for (const auto& cursor : cursors)
    if (cursor.name.starts_with(kSchedule))
      began_.emplace(cursor.name.substr(kSchedule.size()), Instant(Millis(cursor.position)));
}

void Witness::claimed(RunId id) {
  auto* run = facts(id);
  if (!run) return object("a run is claimed that nobody brought in");
  if (run->ended) object(*run, "has ended and is claimed");
  unclaimed_[run->agent].erase(id.position);
}

}  // namespace agentd::sim
