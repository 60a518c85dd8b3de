#include <agentd/abi/provider.h>

#include "core/base/json_text.hpp"
#include "core/base/time.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/host_services.hpp"
#include "core/plugin/outcome.hpp"
#include "core/plugin/ports.hpp"
#include "core/plugin/vector.hpp"

namespace agentd::plugin {
namespace {

// An answer is cleaned, judged, recorded and sent back on the engine thread, which all runs share.
constexpr std::uint64_t kMostCalls = 1024, kLargestCompletion = 4ULL << 20;

struct KeptDelta {
  port::Delta::Kind kind;
  std::size_t index;
  std::string tool, text;
};

// What a completion gathers: deltas for whoever listens, then the answer or the class of its failure.
struct Gathered final : Capture {
  explicit Gathered(const port::Completion& asked) : listen(asked.listen), traced(asked.traceparent) {}
  // What continues the piece before it becomes a part of it: those who listen are called once for what came at once.
  void take(const agentd_delta& d) {
    const bool fits = d.text.size <= room;
    room = fits ? room - d.text.size : 0;
    if (!fits) return;  // so long an answer is refused in the end
    const auto kind = static_cast<port::Delta::Kind>(d.kind);
    if (!arrived.empty() && d.name.size == 0 && arrived.back().kind == kind && arrived.back().index == d.index) {
      arrived.back().text += view(d.text);
    } else {
      arrived.push_back({kind, d.index, std::string(view(d.name)), std::string(view(d.text))});
    }
  }
  void collect() override { on_the_way.swap(arrived); }
  void deliver() override {
    for (const auto& d : on_the_way) listen({d.kind, d.index, d.tool, d.text});
    on_the_way.clear();
  }

  std::string_view traceparent() const override { return traced; }

  const std::function<void(const port::Delta&)>& listen;
  const std::string& traced;
  std::vector<KeptDelta> arrived, on_the_way;
  std::uint64_t room = kLargestCompletion;
  std::optional<port::Answer> answer;
  port::Failure failure = port::Failure::other;
};

// What an embedding gathers: the vectors, or the class of its failure.
struct Placed final : Capture {
  explicit Placed(std::size_t count) : texts(count) {}
  const std::size_t texts;
  std::optional<port::Embedded> embedded;
  port::Failure failure = port::Failure::other;
};

constexpr std::int64_t kMostTokens = 1'000'000'000'000;  // what an endpoint claims beyond this would only overflow sums

// Of the sizes that an answer names. They are only believed one at a time, so that no sum overflows.
class Room {
 public:
  bool takes(const agentd_str& text) {
    if (text.size > left_) return false;
    left_ -= text.size;
    return true;
  }

 private:
  std::uint64_t left_ = kLargestCompletion;
};

const char* const kTooLarge = "an answer of more than 4 MiB: its text, tool calls and extra together may take so much";

// Nothing where it is malformed.
std::optional<port::Usage> read_usage(const agentd_usage& u) {
  if (u.size < sizeof(agentd_usage)) return std::nullopt;
  const auto tokens = [](std::int64_t n) { return std::clamp<std::int64_t>(n, -1, kMostTokens); };
  return port::Usage{tokens(u.input_tokens), tokens(u.output_tokens), tokens(u.cache_read_tokens), tokens(u.cache_write_tokens), tokens(u.reasoning_tokens)};
}

// An error completes "... gave".
std::expected<port::ToolRequest, std::string> read_call(const agentd_tool_request* c, Room& room) {
  if (!c || c->size < sizeof(agentd_tool_request) || !is_sound(c->id) || !is_sound(c->name) || !is_sound(c->arguments)) return std::unexpected("a malformed tool call");
  for (const auto* const text : {&c->id, &c->name, &c->arguments})
    if (!room.takes(*text)) return std::unexpected(kTooLarge);
  return port::ToolRequest{to_utf8(view(c->id)), to_utf8(view(c->name)), to_utf8(view(c->arguments))};
}

std::expected<port::Answer, std::string> read_answer(const agentd_answer* a) {
  if (!a || a->size < sizeof(agentd_answer) || !is_sound(a->text) || !is_sound(a->extra) || !is_sound(a->model)) return std::unexpected("a malformed answer");
  if (a->finish_reason < AGENTD_FINISH_STOP || a->finish_reason > AGENTD_FINISH_FILTER) return std::unexpected("an answer with a finish reason that does not exist: " + std::to_string(a->finish_reason));
  Room room;
  if (!room.takes(a->text) || !room.takes(a->extra) || !room.takes(a->model)) return std::unexpected(kTooLarge);
  if (a->call_count > kMostCalls) return std::unexpected("an answer with " + std::to_string(a->call_count) + " tool calls; at most " + std::to_string(kMostCalls) + " are taken");
  if (a->call_count > 0 && !a->calls) return std::unexpected("a malformed answer");
  port::Answer answer{static_cast<port::FinishReason>(a->finish_reason), to_utf8(view(a->text)), std::string(view(a->extra)), {}, {}, to_utf8(view(a->model))};
  if (!answer.extra.empty() && !is_json(answer.extra)) return std::unexpected("an answer whose extra is not JSON");
  for (std::uint64_t i = 0; i < a->call_count; ++i) {
    auto call = read_call(a->calls[i], room);
    if (!call) return std::unexpected(std::move(call.error()));
    answer.calls.push_back(std::move(*call));
  }
  if (a->usage && !(answer.usage = read_usage(*a->usage))) return std::unexpected("a malformed usage");
  return answer;
}

// Of so many texts. The count is compared before anything is read by it.
std::expected<port::Embedded, std::string> read_vectors(const agentd_vectors* v, std::size_t texts) {
  if (!v || v->size < sizeof(agentd_vectors) || !is_sound(v->model) || v->model.size > kLargestCompletion) return std::unexpected("malformed vectors");
  if (v->count != texts) return std::unexpected(std::to_string(v->count) + " vectors for " + std::to_string(texts) + " texts");
  if (!v->values && v->dimensions > 0) return std::unexpected("malformed vectors");
  port::Embedded embedded{{}, {}, to_utf8(view(v->model))};
  for (std::uint64_t i = 0; i < v->count; ++i) {
    const std::span vector(v->values + (v->dimensions <= AGENTD_MOST_DIMENSIONS ? i * v->dimensions : 0), v->dimensions);
    if (const auto flaw = flaw_of(vector)) return std::unexpected("a vector " + *flaw);
    embedded.vectors.emplace_back(vector.begin(), vector.end());
  }
  if (v->usage && !(embedded.usage = read_usage(*v->usage))) return std::unexpected("a malformed usage");
  return embedded;
}

// ---- agentd.host.completions/1, [any]

std::int32_t emit(agentd_host* host, agentd_op op, const agentd_delta* d) noexcept {
  auto& instance = Instance::of(host);
  if (!d || d->size < sizeof(agentd_delta) || d->kind < AGENTD_DELTA_TEXT || d->kind > AGENTD_DELTA_TOOL_CALL || !is_sound(d->name) || !is_sound(d->text)) return AGENTD_DENIED;
  return instance.gather<Gathered>(op, [d](Gathered& into) {
    if (into.listen) into.take(*d);
  });
}

std::int32_t answer(agentd_host* host, agentd_op op, const agentd_answer* a) noexcept {
  auto& instance = Instance::of(host);
  auto read = read_answer(a);
  if (!read) {
    instance.gather<Gathered>(op, [](Gathered& into) { into.failure = port::Failure::answer; });
    return instance.end(op, failed(AGENTD_TERMINAL, instance.who() + " gave " + read.error())) ? AGENTD_OK : AGENTD_STALE;
  }
  instance.gather<Gathered>(op, [&read](Gathered& into) { into.answer = std::move(*read); });
  return instance.end(op, {}) ? AGENTD_OK : AGENTD_STALE;
}

std::int32_t fail_completion(agentd_host* host, agentd_op op, const agentd_result* result, std::int32_t failure) noexcept {
  auto& instance = Instance::of(host);
  auto how = read_result(instance, result);
  if (how.status == AGENTD_OK) how = failed(AGENTD_TERMINAL, instance.who() + " failed a completion without a reason");
  const bool known = failure >= AGENTD_FAILURE_OTHER && failure <= AGENTD_FAILURE_ANSWER;
  const auto why = known ? static_cast<port::Failure>(failure) : port::Failure::other;
  if (instance.gather<Gathered>(op, [why](Gathered& into) { into.failure = why; }) == AGENTD_DENIED)
    instance.gather<Placed>(op, [why](Placed& into) { into.failure = why; });
  return instance.end(op, std::move(how)) ? AGENTD_OK : AGENTD_STALE;
}

std::int32_t embedded(agentd_host* host, agentd_op op, const agentd_vectors* v) noexcept {
  auto& instance = Instance::of(host);
  std::size_t texts = 0;
  instance.gather<Placed>(op, [&texts](Placed& into) { texts = into.texts; });
  auto read = read_vectors(v, texts);
  if (!read) {
    instance.gather<Placed>(op, [](Placed& into) { into.failure = port::Failure::answer; });
    return instance.end(op, failed(AGENTD_TERMINAL, instance.who() + " gave " + read.error())) ? AGENTD_OK : AGENTD_STALE;
  }
  instance.gather<Placed>(op, [&read](Placed& into) { into.embedded = std::move(*read); });
  return instance.end(op, {}) ? AGENTD_OK : AGENTD_STALE;
}

class CompletionServices final : public Extension {
 public:
  const void* service(std::string_view id) const override {
    static constexpr agentd_host_completions_v1 kCompletions{emit, answer, fail_completion, embedded};
    return id == AGENTD_HOST_COMPLETIONS_1 ? &kCompletions : nullptr;
  }
};

class ProviderPort final : public port::Provider {
 public:
  using Answered = std::expected<port::Answer, port::ModelError>;

  ProviderPort(Instance& instance, const agentd_provider_v1& table, std::size_t max_concurrent) : instance_(instance), table_(table), admission_(max_concurrent) {}

  std::string_view component() const override { return instance_.component().name; }

  Async<Answered> complete(port::Completion completion, std::stop_token stop) override {
    Gathered gathered(completion);
    Instance::Start start = [this, &completion](void* self, agentd_op op, std::int64_t timeout_ms) { send(self, op, timeout_ms, completion); };
    auto asking = ask(std::move(start), completion.timeout, stop, gathered);
    auto asked = co_await std::move(asking);
    if (!asked) co_return std::unexpected(std::move(asked.error()));
    if (!gathered.answer) co_return std::unexpected(without("an answer"));
    co_return std::move(*gathered.answer);
  }

  bool embeds() const override { return table_.embed != nullptr; }

  Async<std::expected<port::Embedded, port::ModelError>> embed(port::Embedding request, std::stop_token stop) override {
    if (request.texts.empty()) co_return port::Embedded{};
    if (!embeds()) co_return std::unexpected(port::ModelError{port::Status::terminal, port::Failure::other, "provider \"" + instance_.name() + "\" turns no texts into vectors", {}});
    Placed placed(request.texts.size());
    Instance::Start start = [this, &request](void* self, agentd_op op, std::int64_t timeout_ms) { send(self, op, timeout_ms, request); };
    auto asking = ask(std::move(start), request.timeout, stop, placed);
    auto asked = co_await std::move(asking);
    if (!asked) co_return std::unexpected(std::move(asked.error()));
    if (!placed.embedded) co_return std::unexpected(without("vectors"));
    co_return std::move(*placed.embedded);
  }

 private:
  // One request, in a place of the provider's. What it gathers outlives it.
  template <class Gathering>
  Async<std::expected<void, port::ModelError>> ask(Instance::Start start, Millis timeout, std::stop_token stop, Gathering& gathering) {
    auto& world = instance_.world();
    const Tick deadline = world.clock.tick() + timeout;
    auto place = admission_.try_enter();
    if (!place) {
      auto waiting = admission_.enter(world.timers, timeout, stop);
      place = co_await std::move(waiting);
    }
    if (!place) co_return std::unexpected(no_place(stop.stop_requested()));
    auto calling = instance_.call(std::move(start), std::chrono::ceil<Millis>(deadline - world.clock.tick()), stop, &gathering);
    auto got = co_await std::move(calling);
    const bool late = world.clock.tick() >= deadline && !stop.stop_requested();
    if (got.status != port::Status::ok) co_return std::unexpected(to_error(std::move(got), gathering.failure, late ? timeout : Millis(0)));
    co_return std::expected<void, port::ModelError>();
  }

  port::ModelError without(const char* what) const { return {port::Status::terminal, port::Failure::answer, instance_.who() + " finished without " + what, {}}; }

  port::ModelError no_place(bool stopped) const {
    if (stopped) return {port::Status::cancelled, port::Failure::other, "stopped before it began", {}};
    return {port::Status::retryable, port::Failure::other, "no place came free in provider \"" + instance_.name() + "\", which takes " + std::to_string(admission_.limit()) + " requests at once", {}};
  }

  // What may have happened may have been charged for, whatever the provider says of it. `late`: it was stopped after so long.
  port::ModelError to_error(port::Outcome got, port::Failure failure, Millis late) const {
    port::ModelError error{got.status, failure, std::move(got.value), got.retry_after};
    const bool was_stopped = got.status == port::Status::cancelled || (got.status == port::Status::unknown_outcome && error.failure != port::Failure::other);
    if (got.status == port::Status::unknown_outcome) error.failure = port::Failure::answer;
    if (late > Millis(0) && was_stopped) error.message = "provider \"" + instance_.name() + "\" timed out: no whole answer within " + format_duration(late);
    return error;
  }

  // What a provider wants back with a message goes to nobody else.
  agentd_message to_abi(const port::Message& m) const {
    const bool mine = m.extra_owner == component();
    return {sizeof(agentd_message), static_cast<std::int32_t>(m.role), str(m.json), mine ? str(m.extra) : agentd_str{}, mine ? str(m.extra_owner) : agentd_str{}};
  }

  void send(void* self, agentd_op op, std::int64_t timeout_ms, const port::Completion& c) const {
    std::vector<agentd_message> messages;
    messages.reserve(c.messages.size());
    std::vector<const agentd_message*> pointers;
    pointers.reserve(c.messages.size());
    for (const auto& m : c.messages) pointers.push_back(&messages.emplace_back(to_abi(m)));
    const std::uint32_t flags = c.listen ? AGENTD_COMPLETION_STREAM : 0;
    const agentd_completion abi{sizeof abi,     flags,        op, timeout_ms, str(c.call_id), str(c.agent_id), str(c.run_id), str(c.model), pointers.data(),
                                pointers.size(), str(c.tools), str(c.options)};
    table_.complete(self, &abi);
  }

  void send(void* self, agentd_op op, std::int64_t timeout_ms, const port::Embedding& e) const {
    std::vector<agentd_str> texts;
    texts.reserve(e.texts.size());
    for (const auto& text : e.texts) texts.push_back(str(text));
    const agentd_embed abi{sizeof abi, 0, op, timeout_ms, str(e.model), texts.data(), texts.size()};
    table_.embed(self, &abi);
  }

  Instance& instance_;
  const agentd_provider_v1& table_;
  Admission admission_;
};

}  // namespace

Async<Result<std::unique_ptr<port::Provider>>> open_provider(Instances& instances, Catalog::Found found, std::string name, std::string settings,
                                                             std::size_t max_concurrent) {
  const auto& table = *static_cast<const agentd_provider_v1*>(found.component->table);
  if (!table.create || !table.destroy || !table.complete) co_return fail("plugin \"" + found.library->name + "\" leaves out a slot that a provider must have");
  const Frame frame{table.create, table.destroy, table.cancel};
  auto opening = instances.open(std::move(name), *found.library, *found.component, frame, std::make_unique<CompletionServices>(), std::move(settings));
  const auto instance = co_await std::move(opening);
  if (!instance) co_return std::unexpected(instance.error());
  co_return std::make_unique<ProviderPort>(**instance, table, max_concurrent);
}

}  // namespace agentd::plugin
