#include <algorithm>

#include "core/base/json_text.hpp"
#include "core/run/messages.hpp"
#include "core/run/run.hpp"

namespace agentd::run {

event::CallStart Run::start_of(int index) const {
  const auto& asked = state_.calls[static_cast<std::size_t>(index)].asked;
  return {state_.step, index, asked.tool, asked.effect};
}

// Calls that wait for a place, as many as there are places.
void Run::add_next_starts(std::vector<event::CallStart>& starts) const {
  const auto busy = std::ranges::count_if(state_.calls, is_under_way);
  auto places = agent_->spec.limits.parallel_tools - busy;
  for (std::size_t i = 0; i < state_.calls.size() && places > 0; ++i) {
    if (!may_start(state_.calls[i])) continue;
    starts.push_back(start_of(static_cast<int>(i)));
    --places;
  }
}

Async<void> Run::call_tools() {
  co_await find_out_lost_calls();
  co_await close_questions();
  for (std::size_t i = 0; i < state_.calls.size() && !control_.interrupted(); ++i)
    if (is_under_way(state_.calls[i])) launch(static_cast<int>(i));
  take_answers_of_people();
  while (in_flight_ > 0 || !finished_.empty()) {
    co_await next_finished();
    co_await record_finished();
  }
  launched_.clear();
  co_await ask_people();
}

// Calls of `once` tools that began under a worker that died: never made again unless their tool knows that they did not happen.
Async<void> Run::find_out_lost_calls() {
  for (const int index : std::exchange(lost_calls_, {})) {
    auto request = request_of(index);
    tool::Found found;
    if (request) found = co_await tool::find_out(around_.world, std::move(*request));
    else found.reply = tool::to_reply({port::Status::unknown_outcome, "its tool is no longer there", {}}, port::Effect::once, false, 0);
    if (found.kind == tool::Found::Kind::not_happened) continue;
    finished_.push_back({index, std::move(found.reply)});
    co_await record_finished();
    if (done_) co_return;
  }
}

std::optional<tool::Request> Run::request_of(int index) {
  const auto& asked = state_.calls[static_cast<std::size_t>(index)].asked;
  const auto* tool = agent_->tools.by_name(asked.tool);
  if (!tool || !tool->allowed()) return std::nullopt;
  const auto& limits = agent_->spec.limits;
  const Millis left = remaining();
  std::function<Async<bool>()> look_first;
  if (around_.sharing) look_first = [this] { return may_begin(); };
  return tool::Request{.tool = tool, .call_id = name_call(state_.name, state_.step, index), .agent_id = claim_.agent_id, .run_id = state_.name,
                       .arguments = asked.arguments.text, .timeout = limits.tool_call_timeout > Millis(0) ? std::min(limits.tool_call_timeout, left) : left,
                       .output_limit = limits.tool_output_limit, .cleaner = &around_.cleaner, .dry_run = around_.dry_run, .asks = asked.asks,
                       .may_begin = std::move(look_first)};
}

void Run::launch(int index) {
  if (std::ranges::find(launched_, index) != launched_.end()) return;
  launched_.push_back(index);
  ++in_flight_;
  auto request = request_of(index);
  if (request) return spawn(around_.world.executor, drive(*this, index, std::move(*request)));
  --in_flight_;
  const port::Outcome gone{port::Status::terminal, "this tool is no longer there", {}};
  finished_.push_back({index, tool::to_reply(gone, port::Effect::pure, false, 0)});
}

Async<void> Run::drive(Run& run, int index, tool::Request request) {
  auto reply = co_await tool::call(run.around_.world, std::move(request), run.control_.token());
  --run.in_flight_;
  run.finished_.push_back({index, std::move(reply)});
  if (!run.waiting_for_tool_) co_return;
  auto waiting = std::move(*run.waiting_for_tool_);
  run.waiting_for_tool_.reset();
  waiting.set(true);
}

Async<void> Run::next_finished() {
  if (!finished_.empty()) co_return;
  auto start = [this](Promise<bool> promise) { waiting_for_tool_.emplace(std::move(promise)); };
  auto waiting = suspend<bool>(start);
  co_await std::move(waiting);
}

// Everything that has ended meanwhile, as one transition; its last record names what starts next.
Async<void> Run::record_finished() {
  std::vector<event::Body> bodies;
  struct Ending {
    int index;
    bool parks;
  };
  std::vector<Ending> ending;
  using Policy = manifest::OnUnknownOutcome;
  const auto policy = agent_->spec.tools.on_unknown_outcome;
  while (!finished_.empty()) {
    auto [index, reply] = std::move(finished_.front());
    finished_.pop_front();
    if (reply.undone && control_.why() == Control::Why::released) {
      undone_.push_back(index);
      continue;
    }
    const auto& asked = state_.calls[static_cast<std::size_t>(index)].asked;
    const bool lost = reply.outcome == event::ToolOutcome::unknown && asked.effect == port::Effect::once;
    if (lost && control_.why() == Control::Why::released) continue;  // still under way: who takes the run up finds out, as after a death
    const bool unknown = reply.outcome == event::ToolOutcome::unknown;
    const bool parks = unknown && policy == Policy::park && around_.can_ask;
    if (unknown && policy != Policy::tell_model && !parks)
      tool_fault_ = event::Fault{ErrorClass::unknown_outcome, policy == Policy::fail ? "a tool call may or may not have happened, and tools.on_unknown_outcome is \"fail\""
                                                                                     : "a tool call may or may not have happened, and there is nobody to ask whether to go on"};
    ending.push_back({index, parks});
    bodies.push_back(event::ToolFinished{.step = state_.step, .index = index, .tool = asked.tool, .effect = asked.effect, .outcome = reply.outcome,
                                         .content = std::move(reply.content), .whole = std::move(reply.whole), .duration_ms = reply.duration.count(), .parks = parks});
  }
  if (bodies.empty() || done_) co_return;

  const auto mark = [&](bool ended) {
    for (const auto& [index, parks] : ending) {
      auto& call = state_.calls[static_cast<std::size_t>(index)];
      (parks ? call.unsure : call.finished) = ended;
    }
  };
  mark(true);  // their places are free for the next ones
  auto& last = std::get<event::ToolFinished>(bodies.back());
  const bool complete = std::ranges::all_of(state_.calls, &Call::finished);
  if (!control_.interrupted() && !tool_fault_) {
    add_next_starts(last.starts);
    if (complete) last.call = plan_call(state_.step + 1, state_.totals, state_.unsaid, repeats_with(bodies));
  }
  mark(false);
  const auto starts = last.starts;
  const bool written = co_await write(std::move(bodies), {});
  if (!written) co_return;
  for (const auto& start : starts) launch(start.index);
}

// How many steps in a row have done the same when the step at hand is complete with these.
int Run::repeats_with(const std::vector<event::Body>& finished) const {
  std::vector<Deed> deeds;
  deeds.reserve(state_.calls.size());
  for (const auto& call : state_.calls) deeds.push_back({call.asked.tool, call.asked.arguments.text, call.content.text});
  for (const auto& body : finished) {
    const auto& call = std::get<event::ToolFinished>(body);
    deeds[static_cast<std::size_t>(call.index)].result = call.content.text;
  }
  return state_.repetition.with(deeds);
}

}  // namespace agentd::run
