// A step that needs a person: its calls wait until everything else of it has ended, then the run is parked with all of its
// questions.
#include <algorithm>

#include "core/base/json_text.hpp"
#include "core/base/time.hpp"
#include "core/run/run.hpp"
#include "core/tool/arguments_hash.hpp"

namespace agentd::run {
namespace {

using What = event::Decided::What;

std::string said_by(const event::Decided& decided) {
  const auto who = decided.by.empty() ? std::string("a person") : decided.by;
  return who + (decided.reason.empty() ? "" : ", who says: " + decided.reason);
}

std::string denial(const Call& call, Millis timeout) {
  if (!call.decision) return "denied: this call needs a person's approval, and there is nobody to ask; it was not made";
  switch (call.decision->what) {
    case What::approve:
      return "denied: the approval was given for other arguments; this call was not made";
    case What::timeout:
      return "denied: nobody decided within " + format_duration(timeout) + "; this call was not made";
    default:
      return "denied by " + said_by(*call.decision) + "; this call was not made";
  }
}

event::Fault given_up(const Call& call, Millis timeout) {
  std::string why = "there is nobody to ask whether to go on";
  if (call.decision)
    why = call.decision->what == What::timeout ? "nobody decided within " + format_duration(timeout) + " whether to go on"
                                               : "the run was given up by " + said_by(*call.decision);
  return {ErrorClass::unknown_outcome, "a call of " + call.asked.tool + " may or may not have happened; " + why};
}

}  // namespace

event::Question Run::question_of(int index) const {
  using About = event::Question::About;
  const auto& call = state_.calls[static_cast<std::size_t>(index)];
  return {.step = state_.step,
          .index = index,
          .about = call.unsure ? About::outcome : About::call,
          .tool = call.asked.tool,
          .arguments = call.asked.arguments,
          .arguments_hash = tool::arguments_hash(call.asked.arguments.text)};
}

// Nothing but the last answer or the end of its time makes a parked run due: what is open when it is taken up again was not
// decided in time.
Async<void> Run::close_questions() {
  if (control_.interrupted() || done_) co_return;
  std::vector<event::Body> bodies;
  for (std::size_t i = 0; i < state_.calls.size(); ++i) {
    const auto& call = state_.calls[i];
    if (!call.put_to_people || call.decision || call.finished) continue;
    bodies.push_back(event::Decided{.what = What::timeout, .question = question_of(static_cast<int>(i)), .by = {}, .reason = {}});
  }
  if (!bodies.empty()) co_await write(std::move(bodies), {});
}

void Run::take_answers_of_people() {
  if (done_) return;
  const auto timeout = agent_->spec.tools.approval_timeout;
  for (std::size_t i = 0; i < state_.calls.size(); ++i) {
    const auto& call = state_.calls[i];
    const bool refused = call.decision ? !call.permitted : !around_.can_ask;
    if (call.finished || is_under_way(call) || !refused) continue;
    if (call.unsure)
      tool_fault_ = given_up(call, timeout);
    else if (needs_person(call.asked))
      finished_.push_back(
          {static_cast<int>(i),
           {.outcome = event::ToolOutcome::denied, .content = {json_string(denial(call, timeout))}, .whole = {}}});
  }
}

Async<void> Run::ask_people() {
  if (done_ || tool_fault_ || control_.interrupted()) co_return;
  event::Waiting waiting{.what = event::Waiting::For::approval,
                         .delay_ms = agent_->spec.tools.approval_timeout.count(),
                         .reason = "a person is asked about ",
                         .fault = {},
                         .attempt = state_.attempt};
  for (std::size_t i = 0; i < state_.calls.size(); ++i) {
    const auto& call = state_.calls[i];
    const bool asks = call.unsure || (needs_person(call.asked) && !call.started && !call.finished);
    if (!asks || call.finished || call.decision) continue;
    if (!waiting.questions.empty()) waiting.reason += ", ";
    waiting.reason += call.asked.tool;
    waiting.questions.push_back(question_of(static_cast<int>(i)));
  }
  if (waiting.questions.empty()) co_return;
  co_await wait({}, std::move(waiting));
}

}  // namespace agentd::run
