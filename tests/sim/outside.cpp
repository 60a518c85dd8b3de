#include "tests/sim/outside.hpp"

#include <algorithm>
#include <charconv>

#include "core/tool/wire_name.hpp"
#include "tests/sim/agents.hpp"

namespace agentd::sim {
namespace {

using port::Failure;
using port::Outcome;
using port::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Millis kGrace{5'000}, kStoreTakes{2};
const std::stop_token kNever;

int number_after(std::string_view text, std::size_t slash) {
  int number = 0;
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), number);
  return number;
}
// "run/step/index"
Place place_of(std::string_view call_id) {
  const auto first = call_id.find('/');
  return {number_after(call_id, first), number_after(call_id, call_id.find('/', first + 1))};
}

}  // namespace

Outside::Outside(Dice dice, Faults& faults, Witness& witness) : dice_(dice), faults_(faults), witness_(witness) {
  const std::string schema = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})";
  using port::Effect;
  tools_ = std::make_shared<std::vector<port::ToolSpec>>(
      std::vector<port::ToolSpec>{{"look", "Looks", schema, Effect::pure, false},
                                  {"put", "Puts", schema, Effect::idempotent, false},
                                  {"pay", "Pays", schema, Effect::once, false},
                                  {"book", "Books", schema, Effect::once, true},
                                  {"never", "Is denied", schema, Effect::once, false}});
}

bool Outside::goes_wrong(Fault fault, Column column, unsigned percent) {
  if (faults_.outside(fault, column)) return true;
  if (kind_ || !dice_.percent(percent)) return false;
  faults_.happened(fault, column);
  return true;
}

void Outside::note(std::string_view what) {
  for (const char c : what) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  digest_ = (digest_ ^ static_cast<std::uint64_t>(life_->world.clock.tick().time_since_epoch().count())) * 0x100000001b3;
}

// ---- the model

Async<std::expected<port::Answer, port::ModelError>> Outside::complete(port::Completion completion, std::stop_token stop) {
  const port::ModelError stopped{Status::cancelled, Failure::other, "stopped", {}};
  if (life_->dead()) co_return std::unexpected(stopped);
  const auto run = *parse_run_id(completion.run_id);
  const int step = number_after(completion.call_id, completion.call_id.find('/'));
  note(completion.call_id);
  const port::Usage usage{.input_tokens = static_cast<std::int64_t>(20 + dice_.below(80)),
                          .output_tokens = static_cast<std::int64_t>(1 + dice_.below(50))};
  witness_.model_asked(run, step);
  witness_.model_costs(run, step, usage);  // whether its answer is heard or not
  faults_.waiting(Column::answered);
  const bool hangs = goes_wrong(Fault::model_hangs, Column::answered, 1);
  const Millis time =
      hangs ? completion.timeout
            : std::min(completion.timeout, dice_.between(milliseconds(5), dice_.percent(10) ? seconds(20) : seconds(2)));
  const auto waited = co_await pass(time, stop);
  if (waited != Wait::whole) co_return std::unexpected(stopped);
  if (time == completion.timeout)
    co_return std::unexpected(port::ModelError{Status::retryable, Failure::answer, "no answer in time", {}});
  auto answered = answer(completion, step, usage);
  if (!answered) witness_.model_costs_nothing(run, step, usage);
  if (!answered && (answered.error().failure == Failure::credentials || answered.error().failure == Failure::quota))
    witness_.model_refused(run);
  co_return answered;
}

std::expected<port::Answer, port::ModelError> Outside::answer(const port::Completion& completion, int step, port::Usage usage) {
  const auto fail = [](Status status, Failure failure, std::optional<Millis> after = {}) {
    return std::unexpected(port::ModelError{status, failure, "refused", after});
  };
  if (goes_wrong(Fault::model_fails, Column::answered, 8)) {
    if (dice_.percent(20)) return fail(Status::terminal, Failure::other);
    if (dice_.percent(40)) return fail(Status::retryable, Failure::rate, dice_.between(seconds(1), seconds(15)));
    return fail(Status::retryable, Failure::server);
  }
  if (goes_wrong(Fault::model_down, Column::answered, 1))
    return fail(Status::terminal, dice_.of({Failure::credentials, Failure::quota}));
  port::Answer answer;
  if (dice_.percent(75)) answer.usage = usage;
  const bool babbles = goes_wrong(Fault::model_babbles, Column::answered, 5);
  if (babbles && dice_.percent(50)) {  // nothing, or half of something
    if (dice_.percent(50)) answer.text = "an ans", answer.finish_reason = port::FinishReason::length;
  } else if (babbles || (!kind_ && dice_.below(3) >= static_cast<std::uint64_t>(step))) {
    ask_for_tools(answer, babbles);
  } else if (completion.options.contains("memories")) {
    answer.text = R"({"memories":[{"type":"long_term","text":"fact )" + std::to_string(dice_.below(20)) + "\"}]}";
  } else {
    answer.text = "the answer " + completion.call_id;
  }
  return answer;
}

void Outside::ask_for_tools(port::Answer& answer, bool nonsense) {
  answer.finish_reason = port::FinishReason::tool_calls;
  const auto count = 1 + dice_.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    port::ToolRequest request{"call_1",
                              tool::wire_name(std::string(kTools) + '.' + dice_.of<const char*>({"look", "put", "pay", "book"})),
                              "{\"n\":" + std::to_string(i) + '}'};
    if (nonsense) {
      if (dice_.percent(50))
        request.arguments = dice_.of<const char*>({"", "{\"n\":", "[1]", "{\"n\":\"x\"}", "{\"n\":1e999}"});
      else
        request.name = dice_.of<const char*>({"world__never", "", "nobody's", "world__look__twice"});
    }
    answer.calls.push_back(std::move(request));
  }
}

// ---- the tools

Async<Outcome> Outside::call(port::ToolCall call, std::stop_token stop) {
  Outcome stopped{Status::cancelled, "stopped", {}};
  if (life_->dead()) co_return stopped;
  const auto spec = std::ranges::find(*tools_, call.tool, &port::ToolSpec::name);
  const auto id = call.call_id;
  note(id);
  witness_.tool_begins(*parse_run_id(call.run_id), place_of(id), id, *spec);
  faults_.waiting(Column::tool_finished);
  auto outcome = co_await finish_call(std::move(call), stop);
  if (life_->dead()) co_return stopped;
  if (outcome.status == Status::retryable || outcome.status == Status::cancelled) witness_.tool_did_not_happen(id);
  co_return outcome;
}

Async<Outcome> Outside::finish_call(port::ToolCall call, std::stop_token stop) {
  if (goes_wrong(Fault::tool_hangs, Column::tool_finished, 2)) {
    const bool deaf = dice_.percent(50);
    if (deaf) stop = std::stop_token();
    const Millis time = deaf ? call.timeout + kGrace : call.timeout;
    const auto waited = co_await pass(time, stop);
    if (waited == Wait::stopped) co_return Outcome{Status::cancelled, "stopped", {}};
    if (dice_.percent(50)) happened_.insert(call.call_id);
    co_return Outcome{Status::unknown_outcome, "it did not answer", {}};
  }
  const Millis time = std::min(dice_.between(milliseconds(1), dice_.percent(10) ? seconds(4) : milliseconds(400)), call.timeout);
  const auto waited = co_await pass(time, stop);
  if (waited != Wait::whole) co_return Outcome{Status::cancelled, "stopped", {}};
  if (time == call.timeout) co_return Outcome{Status::unknown_outcome, "it did not answer in time", {}};
  if (goes_wrong(Fault::tool_unknown, Column::tool_finished, 2)) {
    if (dice_.percent(50)) happened_.insert(call.call_id);
    co_return Outcome{Status::unknown_outcome, "nobody knows", {}};
  }
  if (goes_wrong(Fault::tool_fails, Column::tool_finished, 8))
    co_return Outcome{dice_.of({Status::terminal, Status::retryable}), "it failed", {}};
  happened_.insert(call.call_id);
  co_return Outcome{Status::ok, "\"done\"", {}};
}

Async<Outcome> Outside::reconcile(port::ToolCall call) {
  if (life_->dead()) co_return Outcome{Status::cancelled, "stopped", {}};
  note(call.call_id);
  const auto waited = co_await pass(kStoreTakes, kNever);
  if (waited == Wait::died) co_return Outcome{Status::cancelled, "stopped", {}};
  if (!kind_ && dice_.percent(10)) co_return Outcome{Status::unknown_outcome, "nobody knows", {}};
  if (happened_.contains(call.call_id)) co_return Outcome{Status::ok, "\"done before\"", {}};
  witness_.tool_did_not_happen(call.call_id);
  co_return Outcome{Status::retryable, "it did not happen", {}};
}

// ---- the task

Async<Outcome> Outside::run(port::TaskRun task, std::stop_token stop) {
  Outcome stopped{Status::cancelled, "stopped", {}};
  if (life_->dead()) co_return stopped;
  note(task.call_id);
  const Millis time = dice_.between(milliseconds(1), seconds(2));
  const auto waited = co_await pass(time, stop);
  if (waited != Wait::whole) co_return stopped;
  if (!kind_ && dice_.percent(10))
    co_return Outcome{dice_.of({Status::terminal, Status::retryable, Status::unknown_outcome}), "it failed", {}};
  const long count = task.state == "null" ? 1 : std::stol(task.state) + 1;
  if (task.call_id.find("/gate/") == task.call_id.npos)
    co_return Outcome{Status::ok, R"({"result":"counted","state":)" + std::to_string(count) + '}', {}};
  if (dice_.percent(25)) co_return Outcome{Status::ok, R"({"proceed":false,"result":"nothing is new"})", {}};
  co_return Outcome{Status::ok, R"({"proceed":true,"params":{"new":true},"state":)" + std::to_string(count) + '}', {}};
}

// ---- the memory

Async<Result<void>> Outside::put(std::vector<port::MemoryEntry> entries, Millis) {
  if (life_->dead()) co_return fail("dead");
  faults_.waiting(Column::ended);
  const auto waited = co_await pass(kStoreTakes, kNever);
  if (waited == Wait::died) co_return fail("dead");
  const bool fails = goes_wrong(Fault::memory_fails, Column::ended, 2);
  if (fails && dice_.percent(50)) co_return fail(ErrorClass::retryable, "the memory is away");
  for (auto& entry : entries) {
    note(entry.id);
    auto& place = memories_[entry.agent_id][entry.id];
    entry.position = place.position > 0 ? place.position : ++remembered_;
    place = std::move(entry);
  }
  if (fails) co_return fail(ErrorClass::retryable, "the answer was lost");
  co_return Result<void>{};
}

Async<Result<std::vector<port::MemoryEntry>>> Outside::list(port::MemoryQuery query) {
  if (life_->dead()) co_return fail("dead");
  faults_.waiting(Column::started);
  const auto waited = co_await pass(kStoreTakes, kNever);
  if (waited == Wait::died) co_return fail("dead");
  if (goes_wrong(Fault::memory_fails, Column::started, 2)) co_return fail(ErrorClass::retryable, "the memory is away");
  std::vector<const port::MemoryEntry*> found;
  for (const auto& [id, entry] : memories_[query.agent_id])
    if (entry.type == query.type && (query.session_id.empty() || entry.session_id == query.session_id) && (query.before == 0 || entry.position < query.before))
      found.push_back(&entry);
  const auto count = std::min(query.limit, found.size());
  std::ranges::partial_sort(found, found.begin() + static_cast<std::ptrdiff_t>(count), std::greater<>(),
                            &port::MemoryEntry::position);
  std::vector<port::MemoryEntry> newest;
  for (std::size_t i = 0; i < count; ++i) newest.push_back(*found[i]);
  co_return newest;
}

Async<Result<std::vector<port::MemoryEntry>>> Outside::search(port::MemoryQuery) { co_return std::vector<port::MemoryEntry>(); }
Async<Result<std::uint64_t>> Outside::remove(port::MemoryQuery) { co_return fail("nobody removes anything here"); }

// ---- the store of events

Async<Result<void>> Outside::append(std::vector<port::Event> events) {
  if (life_->dead()) co_return fail("dead");
  faults_.waiting(Column::cursors);
  const auto waited = co_await pass(kStoreTakes, kNever);
  if (waited == Wait::died) co_return fail("dead");
  const bool fails = goes_wrong(Fault::copy_fails, Column::cursors, 2);
  const auto kept = fails ? dice_.below(events.size()) : events.size();
  for (std::size_t i = 0; i < kept; ++i) {
    const auto& event = events[i];
    const auto [place, is_new] = copies_.emplace(event.id, event.type + event.payload);
    if (!is_new && place->second != event.type + event.payload) witness_.object("the event " + event.id + " is another one now");
  }
  if (fails) co_return fail(ErrorClass::retryable, "the store is away");
  co_return Result<void>{};
}

// ---- the sink

Async<Result<void>> Outside::send(host::Message message, std::stop_token stop) {
  if (life_->dead()) co_return fail("dead");
  faults_.waiting(Column::delivered);
  note(message.id);
  const auto waited = co_await pass(dice_.between(milliseconds(1), dice_.percent(10) ? seconds(5) : milliseconds(300)), stop);
  if (waited != Wait::whole) co_return fail("stopped");
  const bool fails = goes_wrong(Fault::sink_fails, Column::undelivered, 10);
  if (fails && dice_.percent(15)) co_return fail("it takes no such message");
  if (fails && dice_.percent(50))
    co_return std::unexpected(Error{ErrorClass::retryable, "it is away", dice_.between(seconds(1), seconds(60))});
  witness_.told(message.id);
  if (fails) co_return fail(ErrorClass::retryable, "its answer was lost");
  co_return Result<void>{};
}

}  // namespace agentd::sim
