#include "core/event/record.hpp"

#include <array>
#include <span>
#include <type_traits>

#include "core/base/json_text.hpp"

namespace agentd::event {
namespace {

// ---- names of enumerations, as they stand in payloads
constexpr std::array kToolOutcomes = {"ok", "error", "denied", "timeout", "unknown"};
constexpr std::array kWhys = {"first", "retry", "resume_crash", "resume_wait", "resume_release"};
constexpr std::array kFors = {"retry", "approval", "budget", "provider"};
constexpr std::array kAbouts = {"call", "outcome"};
constexpr std::array kDecisions = {"approve", "deny", "timeout"};
constexpr std::array kDifferences = {"tool_call", "text", "finish_reason", "tool_result", "result", "outcome"};
constexpr std::array kDigests = {"summary", "lessons"};
constexpr std::array kReviews = {"edit", "retry", "drop"};
constexpr std::array kChanges = {"created", "updated", "deleted", "paused", "resumed", "stopped", "started"};
constexpr std::array kEffects = {"pure", "idempotent", "once"};
constexpr std::array kFinishReasons = {"stop", "tool_calls", "length", "filter"};
constexpr std::array kFailures = {"other", "rate", "credentials", "quota", "context", "server", "answer"};
constexpr std::array kClasses = {"retryable", "terminal", "timeout", "budget", "policy", "schema", "loop", "unknown_outcome", "crash", "internal"};

std::span<const char* const> names(ToolOutcome) { return kToolOutcomes; }
std::span<const char* const> names(Started::Why) { return kWhys; }
std::span<const char* const> names(Waiting::For) { return kFors; }
std::span<const char* const> names(Question::About) { return kAbouts; }
std::span<const char* const> names(Decided::What) { return kDecisions; }
std::span<const char* const> names(Difference::What) { return kDifferences; }
std::span<const char* const> names(Digest::What) { return kDigests; }
std::span<const char* const> names(Reviewed::What) { return kReviews; }
std::span<const char* const> names(AgentChanged::What) { return kChanges; }
std::span<const char* const> names(port::Effect) { return kEffects; }
std::span<const char* const> names(port::FinishReason) { return kFinishReasons; }
std::span<const char* const> names(port::Failure) { return kFailures; }
std::span<const char* const> names(ErrorClass) { return kClasses; }

template <class E>
const char* enum_name(E value) { return names(value)[static_cast<std::size_t>(value)]; }

// ---- the fields of each record: one list for writing and reading
class Out;
class In;

template <class A> void fields(A& a, ModelCall& r) { a("step", r.step, 0); a("provider", r.provider); a("model", r.model); }
template <class A> void fields(A& a, Embedding& r) {
  a("provider", r.provider); a("model", r.model); a("requests", r.requests, 0); a("tokens", r.tokens, -1); a("cost", r.cost, 0); a("error", r.error);
}
template <class A> void fields(A& a, CallStart& r) {
  a("step", r.step, 0); a("index", r.index, 0); a("tool", r.tool); a("effect", r.effect, port::Effect::once);
}
template <class A> void fields(A& a, Exhausted& r) {
  a("scope", r.scope); a("window", r.window); a("resource", r.resource); a("spent", r.spent, 0); a("limit", r.limit, 0);
}
template <class A> void fields(A& a, Fault& r) { a("class", r.error_class, ErrorClass::terminal); a("message", r.message); a("exhausted", r.exhausted); }
template <class A> void fields(A& a, port::Usage& r) {
  a("in", r.input_tokens, -1); a("out", r.output_tokens, -1); a("read", r.cache_read_tokens, -1); a("write", r.cache_write_tokens, -1);
  a("reasoning", r.reasoning_tokens, -1);
}
template <class A> void fields(A& a, Totals& r) {
  a("requests", r.requests, 0); a("in", r.input_tokens, 0); a("out", r.output_tokens, 0); a("read", r.cache_read_tokens, 0);
  a("write", r.cache_write_tokens, 0); a("reasoning", r.reasoning_tokens, 0); a("unknown", r.unknown, 0); a("cost", r.cost, 0);
}
template <class A> void fields(A& a, CallAsked& r) {
  a("tool", r.tool); a("effect", r.effect, port::Effect::once); a("known", r.known, true); a("asks", r.asks, false); a("arguments", r.arguments);
  a("refused", r.refused); a("content", r.content); a("recorded", r.recorded, false);
}
template <class A> void fields(A& a, Replay& r) {
  a("of", r.of); a("from_step", r.from_step, 1); a("provider", r.provider); a("model", r.model); a("live", r.live, false);
}
template <class A> void fields(A& a, Difference& r) {
  a("step", r.step, 0); a("what", r.what, Difference::What::text); a("recorded", r.recorded); a("replayed", r.replayed);
}
template <class A> void fields(A& a, Digest& r) { a("what", r.what, Digest::What::summary); a("of", r.of); }
template <class A> void fields(A& a, Entered& r) {
  a("trigger", r.trigger); a("name", r.trigger_name); a("scheduled_at", r.scheduled_at); a("query", r.query); a("params", r.params);
  a("ask_session", r.session); a("key", r.key); a("reason", r.reason); a("count", r.count, 0); a("first", r.first); a("last", r.last);
  a("into", r.into); a("gated", r.gated, false); a("replay", r.replay); a("digest", r.digest); a("traceparent", r.traceparent);
}
template <class A> void fields(A& a, Started& r) {
  a("why", r.why, Started::Why::first); a("attempt", r.attempt, 1); a("crashes", r.crashes, 0); a("run_count", r.run_count, 0); a("trigger", r.trigger);
  a("query", r.query); a("params", r.params); a("recalled", r.recalled); a("embedding", r.embedding); a("known", r.known);
  a("summary_due", r.summary_due, false); a("digested_until", r.digested_until, 0); a("call", r.call); a("unsure", r.unsure); a("starts", r.starts);
}
template <class A> void fields(A& a, Answered& r) {
  a("step", r.step, 0); a("provider", r.provider); a("model", r.model); a("ms", r.duration_ms, 0); a("usage", r.usage); a("cost", r.cost, 0);
  a("finish", r.finish_reason, port::FinishReason::stop); a("text", r.text); a("extra", r.extra); a("extra_owner", r.extra_owner); a("calls", r.calls);
  a("starts", r.starts); a("note", r.note); a("call", r.call);
}
template <class A> void fields(A& a, ToolFinished& r) {
  a("step", r.step, 0); a("index", r.index, 0); a("tool", r.tool); a("effect", r.effect, port::Effect::once); a("outcome", r.outcome, ToolOutcome::ok);
  a("content", r.content); a("whole", r.whole); a("ms", r.duration_ms, 0); a("parks", r.parks, false); a("starts", r.starts); a("call", r.call);
}
template <class A> void fields(A& a, CallFailed& r) {
  a("step", r.step, 0); a("provider", r.provider); a("model", r.model); a("failure", r.failure, port::Failure::other); a("fault", r.fault);
  a("ms", r.duration_ms, 0); a("tries", r.tries, 0); a("retry_after_ms", r.retry_after_ms, -1);
}
template <class A> void fields(A& a, Question& r) {
  a("step", r.step, 0); a("index", r.index, 0); a("about", r.about, Question::About::call); a("tool", r.tool); a("arguments", r.arguments); a("hash", r.arguments_hash);
}
template <class A> void fields(A& a, Waiting& r) {
  a("for", r.what, Waiting::For::retry); a("until", r.until); a("delay_ms", r.delay_ms, 0); a("reason", r.reason); a("fault", r.fault);
  a("attempt", r.attempt, 1); a("ends_attempt", r.ends_attempt, false); a("error_count", r.error_count, 0);
  a("active_ms", r.active_ms, -1); a("unsure", r.unsure); a("questions", r.questions);
}
template <class A> void fields(A& a, Decided& r) {
  a("what", r.what, Decided::What::deny); a("question", r.question); a("by", r.by); a("reason", r.reason); a("resumes", r.resumes, false);
}
template <class A> void fields(A& a, Released& r) { a("reason", r.reason); a("undone", r.undone); a("active_ms", r.active_ms, -1); a("unsure", r.unsure); }
template <class A> void fields(A& a, Recipient& r) { a("sink", r.sink); a("if_changed", r.if_changed, false); }
template <class A> void fields(A& a, Ended& r) {
  a("status", r.status); a("answer", r.answer); a("result", r.result); a("fault", r.fault); a("reason", r.reason); a("attempt", r.attempt, 1);
  a("steps", r.steps, 0); a("totals", r.totals); a("unsure", r.unsure); a("ms", r.duration_ms, 0); a("run_count", r.run_count, 0); a("error_count", r.error_count, 0);
  a("deliver", r.deliver); a("replay_of", r.replay_of); a("difference", r.difference); a("digest", r.digest);
}
template <class A> void fields(A& a, Reviewed& r) {
  a("what", r.what, Reviewed::What::drop); a("by", r.by); a("reason", r.reason); a("query", r.query); a("params", r.params);
}
template <class A> void fields(A& a, Gated& r) {
  a("task", r.task); a("proceed", r.proceed, true); a("reason", r.reason); a("params", r.params); a("state", r.state); a("scheduled_at", r.scheduled_at);
  a("ms", r.duration_ms, 0);
}
template <class A> void fields(A& a, HostStarted& r) { a("version", r.version); }
template <class A> void fields(A& a, HostStopped& r) { a("reason", r.reason); }
template <class A> void fields(A& a, AgentChanged& r) {
  a("what", r.what, AgentChanged::What::created); a("revision", r.revision, 0); a("by", r.by); a("reason", r.reason); a("agent", r.agent_id);
}
template <class A> void fields(A& a, PluginLoaded& r) { a("plugin", r.plugin); a("version", r.version); a("file", r.file); }
template <class A> void fields(A& a, PluginFailed& r) { a("plugin", r.plugin); a("file", r.file); a("error", r.error); }
template <class A> void fields(A& a, BudgetRaised& r) {
  a("scope", r.scope); a("window", r.window); a("resource", r.resource); a("amount", r.amount, 0); a("by", r.by);
}
template <class A> void fields(A& a, Delivered& r) { a("sink", r.sink); a("run", r.run_id); a("position", r.position, 0); a("attempt", r.attempt, 1); }
template <class A> void fields(A& a, Undelivered& r) {
  a("sink", r.sink); a("run", r.run_id); a("position", r.position, 0); a("attempt", r.attempt, 1); a("error", r.error); a("retry_after_ms", r.retry_after_ms, -1);
}
template <class A> void fields(A& a, AlertRaised& r) {
  a("rule", r.rule); a("agent", r.agent_id); a("subject", r.subject); a("severity", r.severity); a("summary", r.summary); a("deliver", r.deliver);
  a("budget", r.budget);
}
template <class A> void fields(A& a, AlertCleared& r) {
  a("rule", r.rule); a("agent", r.agent_id); a("subject", r.subject); a("severity", r.severity); a("summary", r.summary); a("deliver", r.deliver);
}
template <class A> void fields(A& a, CancelAsked& r) { a("run", r.run_id); a("reason", r.reason); }
template <class A> void fields(A& a, RunForgotten& r) { a("run", r.run_id); }
template <class A> void fields(A& a, EventsPruned& r) { a("before", r.before); a("count", r.count, 0); }

template <class T> std::string write(const T& value);

class Out {
 public:
  void operator()(std::string_view key, const std::string& v) { if (!v.empty()) to_.text(key, v); }
  void operator()(std::string_view key, const Json& v) { if (v) to_.raw(key, v.text); }
  template <class N> requires std::is_same_v<N, int> || std::is_same_v<N, std::int64_t>
  void operator()(std::string_view key, N v, std::int64_t fallback) { if (v != fallback) to_.number(key, v); }
  template <class B> requires std::is_same_v<B, bool>
  void operator()(std::string_view key, B v, bool fallback) { if (v != fallback) to_.flag(key, v); }
  template <class E> requires std::is_enum_v<E>
  void operator()(std::string_view key, E v, E fallback) { if (v != fallback) to_.text(key, enum_name(v)); }
  void operator()(std::string_view key, port::RunStatus v) { to_.text(key, port::name(v)); }
  void operator()(std::string_view key, Instant v) { to_.number(key, v.time_since_epoch().count()); }
  void operator()(std::string_view key, const Totals& v) { to_.raw(key, write(v)); }
  void operator()(std::string_view key, const Fault& v) { to_.raw(key, write(v)); }
  void operator()(std::string_view key, const Question& v) { to_.raw(key, write(v)); }
  template <class T> void operator()(std::string_view key, const std::optional<T>& v) {
    if (!v) return;
    if constexpr (std::is_same_v<T, Instant>) (*this)(key, *v);
    else if constexpr (std::is_enum_v<T>) to_.text(key, enum_name(*v));
    else to_.raw(key, write(*v));
  }
  template <class T> void operator()(std::string_view key, const std::vector<T>& v) {
    if (v.empty()) return;
    std::string array;
    for (const auto& element : v) {
      array += array.empty() ? '[' : ',';
      if constexpr (std::is_same_v<T, int>) array += std::to_string(element);
      else if constexpr (std::is_same_v<T, Json>) array += element.text;
      else if constexpr (std::is_same_v<T, std::string>) array += json_string(element);
      else array += write(element);
    }
    to_.raw(key, array += ']');
  }
  std::string finish() { return to_.finish(); }

 private:
  ObjectWriter to_;
};

template <class T>
std::string write(const T& value) {
  Out out;
  fields(out, const_cast<T&>(value));  // one list of fields serves both ways; Out only reads
  return out.finish();
}

class In {
 public:
  explicit In(const ObjectReader& from) : from_(from) {}
  void operator()(std::string_view key, std::string& v) { v = from_.text(key); }
  void operator()(std::string_view key, Json& v) { v = from_.json(key); }
  template <class N> requires std::is_same_v<N, int> || std::is_same_v<N, std::int64_t>
  void operator()(std::string_view key, N& v, std::int64_t fallback) { v = static_cast<N>(from_.number(key, fallback)); }
  template <class B> requires std::is_same_v<B, bool>
  void operator()(std::string_view key, B& v, bool fallback) { v = from_.has(key) ? from_.flag(key) : fallback; }
  template <class E> requires std::is_enum_v<E>
  void operator()(std::string_view key, E& v, E fallback) {
    v = fallback;
    if (from_.has(key)) find(from_.text(key), v);
  }
  void operator()(std::string_view key, port::RunStatus& v) {
    const auto status = port::run_status(from_.text(key));
    if (status) v = *status;
    else ok_ = false;
  }
  void operator()(std::string_view key, Instant& v) { v = Instant(Millis(from_.number(key))); }
  void operator()(std::string_view key, Totals& v) { read(from_.raw(key), v); }
  void operator()(std::string_view key, Fault& v) { read(from_.raw(key), v); }
  void operator()(std::string_view key, Question& v) { read(from_.raw(key), v); }
  template <class T> void operator()(std::string_view key, std::optional<T>& v) {
    if (!from_.has(key)) return;
    if constexpr (std::is_same_v<T, Instant>) (*this)(key, v.emplace());
    else if constexpr (std::is_enum_v<T>) find(from_.text(key), v.emplace());
    else read(from_.raw(key), v.emplace());
  }
  template <class T> void operator()(std::string_view key, std::vector<T>& v) {
    if (!from_.has(key)) return;
    const auto elements = array_elements(from_.raw(key));
    if (!elements) { ok_ = false; return; }
    v.reserve(elements->size());
    for (const auto element : *elements) {
      if constexpr (std::is_same_v<T, int>) v.push_back(std::atoi(std::string(element).c_str()));
      else if constexpr (std::is_same_v<T, Json>) v.push_back({std::string(element)});
      else if constexpr (std::is_same_v<T, std::string>) v.push_back(string_value(element).value_or(std::string()));
      else read(element, v.emplace_back());
    }
  }
  bool ok() const { return ok_; }

 private:
  template <class E> void find(const std::string& text, E& v) {
    const auto all = names(E{});
    for (std::size_t i = 0; i < all.size(); ++i)
      if (text == all[i]) { v = static_cast<E>(i); return; }
    ok_ = false;
  }
  template <class T> void read(std::string_view text, T& v) {
    const auto object = ObjectReader::open(text);
    if (!object) { ok_ = false; return; }
    In in(*object);
    fields(in, v);
    ok_ = ok_ && in.ok();
  }
  const ObjectReader& from_;
  bool ok_ = true;
};

template <class... T>
std::optional<Body> empty_body(std::int32_t kind, std::variant<T...>*) {
  std::optional<Body> body;
  ((kind == T::kKind ? void(body.emplace(T{})) : void()), ...);
  return body;
}

}  // namespace

const char* name(ToolOutcome outcome) { return enum_name(outcome); }
const char* name(Waiting::For what) { return enum_name(what); }
const char* name(Question::About about) { return enum_name(about); }
const char* name(Decided::What what) { return enum_name(what); }
const char* name(Difference::What what) { return enum_name(what); }
const char* name(Digest::What what) { return enum_name(what); }
const char* name(Reviewed::What what) { return enum_name(what); }
const char* name(AgentChanged::What what) { return enum_name(what); }

std::int32_t kind(const Body& body) {
  return std::visit([]<class T>(const T&) { return T::kKind; }, body);
}

std::string encode(const Body& body, std::string_view session, std::string_view traceparent) {
  Out out;
  if (!session.empty()) out("session", std::string(session));
  if (!traceparent.empty()) out("traceparent", std::string(traceparent));
  std::visit([&]<class T>(const T& record) { fields(out, const_cast<T&>(record)); }, body);
  return out.finish();
}

Result<Decoded> decode(std::int32_t kind, std::string_view payload) {
  auto body = empty_body(kind, static_cast<Body*>(nullptr));
  if (!body) return fail(ErrorClass::internal, "the journal holds a record of kind " + std::to_string(kind) + ", which this version does not know; a newer one wrote it");
  const auto object = ObjectReader::open(payload);
  if (!object) return fail(ErrorClass::internal, "the journal holds a record of kind " + std::to_string(kind) + " that is not a JSON object");
  In in(*object);
  std::visit([&](auto& record) { fields(in, record); }, *body);
  if (!in.ok()) return fail(ErrorClass::internal, "the journal holds a record of kind " + std::to_string(kind) + " with a member that cannot be read");
  return Decoded{std::move(*body), object->text("session"), object->text("traceparent")};
}

}  // namespace agentd::event
