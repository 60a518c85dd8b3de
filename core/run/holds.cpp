// Model calls and the budgets of a day: each call holds the most it can come to, from the record that names it to the one that has its
// end. The records say which call begins and which has ended, so the holds follow from them.
#include <algorithm>

#include "core/run/run.hpp"

namespace agentd::run {
namespace {

constexpr std::int64_t kAroundAMessage = 128;  // its role and the ids in it

struct Calls {
  std::optional<std::int64_t> begins;
  std::optional<port::Settle> ends;
  std::optional<port::Spend> embedded;  // spent already
  std::int64_t said = 0;  // bytes that the conversation has grown by, at most
};

class Look {
 public:
  explicit Look(Calls& calls) : calls_(calls) {}
  void operator()(const event::Started& r) {
    grow(r.query.size() + r.params.text.size());
    for (const auto& message : r.recalled) grow(message.text.size());
    if (r.embedding && r.embedding->requests > 0) calls_.embedded = port::Spend{std::max<std::int64_t>(r.embedding->tokens, 0), r.embedding->cost};
    begin(r.call);
  }
  void operator()(const event::Answered& r) {
    grow(r.text.text.size() + r.extra.text.size() + r.note.text.size());
    for (const auto& call : r.calls) grow(call.tool.size() + call.arguments.text.size() + call.content.text.size());
    calls_.ends = port::Settle{r.step, budget::spend_of(r)};
    begin(r.call);
  }
  void operator()(const event::ToolFinished& r) {
    grow(r.content.text.size());
    begin(r.call);
  }
  void operator()(const event::CallFailed& r) {
    calls_.ends = port::Settle{r.step, budget::spend_of(r)};
    if (r.retry_after_ms >= 0) calls_.begins = r.step;
  }
  void operator()(const event::Ended& r) {
    if (r.answer) calls_.ends = port::Settle{r.answer->step, budget::spend_of(*r.answer)};
  }
  template <class Other>
  void operator()(const Other&) {}

 private:
  void begin(const std::optional<event::ModelCall>& call) {
    if (call) calls_.begins = call->step;
  }
  void grow(std::size_t bytes) { calls_.said += static_cast<std::int64_t>(bytes) + kAroundAMessage; }
  Calls& calls_;
};

}  // namespace

void Run::account_for(const Said& said, port::Transition& transition) const {
  if (!agent_ || agent_->day_limits.empty()) return;
  Calls calls;
  Look look(calls);
  for (const auto& one : said) std::visit(look, one.body);
  if (calls.ends) transition.settles.push_back(std::move(*calls.ends));
  const auto day = budget::day_of(around_.world.clock.now());
  // What is spent is not asked whether it fits. Call 0 is no step's, so that it stays until all that is left is settled in full.
  if (calls.embedded)
    for (const auto& limit : agent_->day_limits) transition.holds.push_back({limit.account, day, 0, *calls.embedded, {}});
  if (!calls.begins) return;
  std::int64_t prompt = calls.said + static_cast<std::int64_t>(agent_->tools.offered().size() + agent_->options.size());
  for (const auto& message : state_.messages) prompt += static_cast<std::int64_t>(message.json.size() + message.extra.size());
  for (const auto& call : state_.calls) prompt += static_cast<std::int64_t>(call.content.text.size()) + kAroundAMessage;
  const auto most = budget::most_of(agent_->prices, prompt, agent_->output_tokens);
  for (const auto& limit : agent_->day_limits) transition.holds.push_back({limit.account, day, *calls.begins, most, limit.limit});
}

// Which account has no room for the call; nothing when there is room now: another run has let go of what it held.
std::optional<budget::Exhausted> Run::lacking(const port::Transition& refused) const {
  for (const auto& hold : refused.holds)
    if (auto found = budget::exhausted(around_.ledger.account(hold.account, hold.window), hold.limit, hold.most)) return found;
  return std::nullopt;
}

// The same without the call that it would begin, because an account has no room for it.
void Run::plan_no_call(Said& said, const port::Transition& refused) {
  for (auto& [body, session, traceparent] : said) {
    if (auto* started = std::get_if<event::Started>(&body)) started->call.reset();
    else if (auto* answered = std::get_if<event::Answered>(&body)) answered->call.reset();
    else if (auto* finished = std::get_if<event::ToolFinished>(&body)) finished->call.reset();
    else if (auto* failed = std::get_if<event::CallFailed>(&body)) failed->retry_after_ms = -1;
  }
  hold_ = Hold::over_budget;
  waits_in_vain_ = false;
  refusal_ = event::Fault{ErrorClass::budget, "the budget of the day has no room for the next model call"};
  for (const auto& hold : refused.holds) window_turns_ = budget::end_of(hold.window);
  if (const auto found = lacking(refused)) {
    refusal_ = budget::fault_of(*found);
    waits_in_vain_ = found->fits_no_day();
  }
}

Async<void> Run::leave_over_budget() {
  if (agent_->spec.limits.on_budget == manifest::OnBudget::stop || waits_in_vain_) return fail_attempt({}, std::move(*refusal_), std::nullopt);
  const Millis left = std::max(window_turns_ - around_.world.clock.now(), Millis(1));
  event::Waiting waiting{.what = event::Waiting::For::budget,
                         .delay_ms = left.count(),
                         .reason = "the budget of the day is used up",
                         .fault = std::move(*refusal_),
                         .attempt = state_.attempt};
  return wait({}, std::move(waiting));
}

}  // namespace agentd::run
