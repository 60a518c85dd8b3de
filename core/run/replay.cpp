#include "core/run/replay.hpp"

#include <algorithm>

#include "core/base/json_text.hpp"
#include "core/tool/arguments_hash.hpp"
#include "core/tool/wire_name.hpp"

namespace agentd::run {
namespace {

using Differs = event::Difference::What;

constexpr std::size_t kLongestSide = 4096;  // bytes of JSON; whole it stands in its run

// A side of a difference: what is long is cut and becomes a string.
event::Json side(std::string json) {
  if (json.size() <= kLongestSide) return {std::move(json)};
  const auto text = event::string_value(json);
  return {json_string(std::string(clip_utf8(text ? *text : json, kLongestSide)) + "...")};
}

event::Json call_side(std::string_view tool, const event::Json& arguments) {
  return side(
      event::ObjectWriter().text("tool", tool).raw("arguments", arguments ? std::string_view(arguments.text) : "null").finish());
}

event::Json result_side(std::string_view tool, event::ToolOutcome outcome, const event::Json& content) {
  return side(event::ObjectWriter()
                  .text("tool", tool)
                  .text("outcome", event::name(outcome))
                  .raw("content", content ? std::string_view(content.text) : "null")
                  .finish());
}

event::Json outcome_side(const event::Ended& end) {
  event::ObjectWriter out;
  out.text("status", port::name(end.status));
  if (end.fault) out.text("error_class", name(end.fault->error_class)).text("error", end.fault->message);
  return side(out.finish());
}

// What was said at a place of an answer: the call, or where there are no calls at all the text.
template <class Calls>
event::Json said(const Calls& calls, const event::Json& text, std::size_t index) {
  if (index < calls.size()) return call_side(calls[index].tool, calls[index].arguments);
  return calls.empty() && text ? side(text.text) : event::Json{};
}

// A tool that is there no more is named as the model calls it.
bool is_same(const Recording::Call& recorded, const event::CallAsked& asked, const std::string& hash) {
  return recorded.arguments_hash == hash && tool::wire_name(recorded.tool) == tool::wire_name(asked.tool);
}
bool is_same(const Recording::Call& recorded, const event::CallAsked& asked) {
  return is_same(recorded, asked, tool::arguments_hash(asked.arguments.text));
}

// An object or an array is compared as JSON; any other text byte by byte.
bool is_same_text(const event::Json& a, const event::Json& b) {
  if (a == b) return true;
  const auto x = event::string_value(a.text), y = event::string_value(b.text);
  const auto is_structured = [](const auto& text) { return text && (text->starts_with('{') || text->starts_with('[')); };
  return is_structured(x) && is_structured(y) && tool::arguments_hash(*x) == tool::arguments_hash(*y);
}

bool has_failed(port::RunStatus status) {
  return status == port::RunStatus::failed || status == port::RunStatus::timed_out || status == port::RunStatus::quarantined;
}

// Of a batch what failed is in quarantine, and a replay never is.
bool is_same_outcome(const event::Ended& a, const event::Ended& b) {
  const bool same_class = a.fault && b.fault && a.fault->error_class == b.fault->error_class;
  return has_failed(a.status) && has_failed(b.status) ? same_class : a.status == b.status;
}

// Of which step a record has the answer; 0: of none.
int answered_step(const event::Body& body) {
  if (const auto* answered = std::get_if<event::Answered>(&body)) return answered->step;
  if (const auto* ended = std::get_if<event::Ended>(&body); ended && ended->answer) return ended->answer->step;
  return 0;
}

}  // namespace

void Recording::take(const event::Answered& answered) {
  auto& step = steps_[answered.step];
  step = {answered.text, answered.finish_reason, {}};
  for (const auto& call : answered.calls)
    step.calls.push_back({call.tool, tool::arguments_hash(call.arguments.text), call.arguments, call.refused, call.content});
}

void Recording::take(const event::Body& body) {
  if (const auto* answered = std::get_if<event::Answered>(&body)) take(*answered);
  if (const auto* finished = std::get_if<event::ToolFinished>(&body)) {
    const auto step = steps_.find(finished->step);
    if (step == steps_.end() || finished->index < 0 || std::cmp_greater_equal(finished->index, step->second.calls.size())) return;
    auto& call = step->second.calls[static_cast<std::size_t>(finished->index)];
    call.outcome = finished->outcome;
    call.content = finished->content;
  }
  if (const auto* ended = std::get_if<event::Ended>(&body)) {
    if (ended->answer) take(*ended->answer);
    end_ = *ended;
  }
  if (const auto* reviewed = std::get_if<event::Reviewed>(&body); reviewed && reviewed->what == event::Reviewed::What::retry)
    steps_.clear();
}

Result<Recording> Recording::read(std::span<const port::StoredRecord> records) {
  Recording recording;
  for (const auto& record : records) {
    auto decoded = event::decode(record.kind, record.payload);
    if (!decoded) return fail("its record " + std::to_string(record.position) + " cannot be read: " + decoded.error().message);
    if (const auto* entered = std::get_if<event::Entered>(&decoded->body); entered && entered->replay)
      return fail("it is a replay itself; replay run " + entered->replay->of);
    recording.take(decoded->body);
    recording.bodies_.emplace_back(std::move(decoded->body), record.at);
  }
  if (!has_ended(records)) return fail("it has not ended");
  if (recording.steps_.empty()) return fail("no model answered in it, so there is nothing to replay");
  return recording;
}

void Recording::tell_until(int step, State& state) const {
  State told;
  told.name = state.name;
  for (const auto& [body, at] : bodies_) {
    if (answered_step(body) >= step) break;
    apply(told, body, at);
  }
  state.query = std::move(told.query);
  state.params = std::move(told.params);
  state.messages = std::move(told.messages);
  state.step = step - 1;
  state.past.steps = first_step() - 1;
  state.notes = told.notes;
  state.succeeded = std::move(told.succeeded);
  state.nothing_new = told.nothing_new;
  state.repetition = std::move(told.repetition);
}

std::vector<std::optional<Replay::Place>> Replay::places_of(int step, const std::vector<event::CallAsked>& calls) const {
  std::vector<std::optional<Place>> places(calls.size());
  std::vector<std::string> hashes;
  auto used = used_;
  const auto take = [&](std::size_t i, const Place& place) {
    const auto& recorded = at(place);
    if (places[i] || !recorded.outcome || used.contains(place) || !is_same(recorded, calls[i], hashes[i])) return;
    places[i] = place;
    used.insert(place);
  };
  const auto own = recording_.steps().find(step);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    hashes.push_back(tool::arguments_hash(calls[i].arguments.text));
    if (own != recording_.steps().end() && i < own->second.calls.size()) take(i, {step, static_cast<int>(i)});
  }
  for (std::size_t i = 0; i < calls.size(); ++i)
    for (auto at = recording_.steps().lower_bound(how_.from_step); at != recording_.steps().end() && !places[i]; ++at)
      for (std::size_t index = 0; index < at->second.calls.size(); ++index) take(i, {at->first, static_cast<int>(index)});
  return places;
}

void Replay::answer(event::Answered& answered) const {
  if (how_.live) return;
  const auto places = places_of(answered.step, answered.calls);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!places[i]) continue;
    const auto& recorded = at(*places[i]);
    auto& call = answered.calls[i];
    call.tool = recorded.tool;
    call.known = true;
    call.refused = recorded.outcome;
    call.content = recorded.content;
    call.recorded = true;
  }
}

void Replay::see(const event::Body& body) {
  if (const auto* answered = std::get_if<event::Answered>(&body)) {
    if (!difference_) difference_ = compare(*answered);
    for (const auto& place : places_of(answered->step, answered->calls))
      if (place) used_.insert(*place);
    if (!how_.live) is_at_its_end_ = std::ranges::any_of(answered->calls, [](const auto& call) { return !call.refused; });
  }
  if (const auto* finished = std::get_if<event::ToolFinished>(&body); finished && !difference_) difference_ = compare(*finished);
}

std::optional<event::Difference> Replay::compare(const event::Answered& answered) const {
  const auto found = recording_.steps().find(answered.step);
  if (found == recording_.steps().end())
    return event::Difference{answered.step, Differs::outcome, outcome_side(recording_.end()),
                             said(answered.calls, answered.text, 0)};
  const auto& recorded = found->second;
  for (std::size_t i = 0; i < std::max(recorded.calls.size(), answered.calls.size()); ++i) {
    if (i < recorded.calls.size() && i < answered.calls.size() && is_same(recorded.calls[i], answered.calls[i])) continue;
    return event::Difference{answered.step, Differs::tool_call, said(recorded.calls, recorded.text, i),
                             said(answered.calls, answered.text, i)};
  }
  if (!is_same_text(recorded.text, answered.text))
    return event::Difference{answered.step, Differs::text, side(recorded.text.text), side(answered.text.text)};
  if (recorded.finish_reason != answered.finish_reason)
    return event::Difference{answered.step,
                             Differs::finish_reason,
                             {json_string(port::name(recorded.finish_reason))},
                             {json_string(port::name(answered.finish_reason))}};
  return std::nullopt;
}

std::optional<event::Difference> Replay::compare(const event::ToolFinished& finished) const {
  const auto step = recording_.steps().find(finished.step);
  if (step == recording_.steps().end() || finished.index < 0 || std::cmp_greater_equal(finished.index, step->second.calls.size()))
    return std::nullopt;
  const auto& recorded = step->second.calls[static_cast<std::size_t>(finished.index)];
  if (!recorded.outcome || (recorded.outcome == finished.outcome && is_same_text(recorded.content, finished.content)))
    return std::nullopt;
  return event::Difference{finished.step, Differs::tool_result, result_side(recorded.tool, *recorded.outcome, recorded.content),
                           result_side(finished.tool, finished.outcome, finished.content)};
}

std::optional<event::Difference> Replay::compare_ends(const event::Ended& end) const {
  const auto& recorded = recording_.end();
  if (!is_same_outcome(recorded, end))
    return event::Difference{end.steps, Differs::outcome, outcome_side(recorded), outcome_side(end)};
  const auto was = recorded.result_json(), is = end.result_json();
  if (was == is || tool::arguments_hash(was) == tool::arguments_hash(is)) return std::nullopt;
  return event::Difference{end.steps, Differs::result, side(std::string(was)), side(std::string(is))};
}

std::optional<event::Difference> Replay::difference(const event::Ended& end) const {
  if (difference_ || is_at_its_end_ || end.status == port::RunStatus::cancelled) return difference_;
  if (end.answer)
    if (auto found = compare(*end.answer)) return found;
  return compare_ends(end);
}

}  // namespace agentd::run
