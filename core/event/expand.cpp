#include "core/event/expand.hpp"

#include <algorithm>
#include <array>

#include "core/base/json_text.hpp"

namespace agentd::event {
namespace {

constexpr std::array kTypes = std::to_array<std::string_view>({
    "agent_created", "agent_deleted", "agent_paused", "agent_resumed", "agent_stopped", "agent_updated", "alert_cleared", "alert_raised",
    "approval_decided", "approval_requested", "background_agent_status", "background_task_cancelled", "background_task_completed",
    "background_task_dropped", "background_task_edited", "background_task_error", "background_task_gated", "background_task_missed",
    "background_task_quarantined", "background_task_queued", "background_task_resumed", "background_task_retrying",
    "background_task_skipped", "background_task_started", "background_task_waiting", "budget_exhausted", "budget_raised", "budget_warning",
    "events_pruned", "host_started", "host_stopped", "model_call_completed", "model_call_started", "plugin_failed", "plugin_loaded",
    "result_delivered", "result_undelivered", "tool_call_completed", "tool_call_started"});

// A type that the list lacks, so that nobody could ask for it, does not compile.
struct Type {
  consteval Type(const char* its_name) : name(its_name) {
    if (std::ranges::find(kTypes, std::string_view(its_name)) == kTypes.end()) throw "kTypes does not have it";
  }
  const char* name;
};

// Gathers the events of one record.
class Expansion {
 public:
  Expansion(const port::StoredRecord& record, const Decoded& decoded)
      : record_(record), agent_(record.agent_id), run_(to_text(record.run)), session_(record.run && decoded.session.empty() ? record.agent_id : decoded.session),
        traceparent_(decoded.traceparent) {}

  void add(Type type, ObjectWriter payload) {
    if (!traceparent_.empty()) payload.text("traceparent", traceparent_);
    tell(type, std::move(payload));
  }
  // Of a record that is of no run and tells of one, or of another agent than its own.
  void tell_of(std::string agent_id, std::string run_id) {
    agent_ = std::move(agent_id);
    run_ = std::move(run_id);
    if (!run_.empty() && session_.empty()) session_ = agent_;
  }
  // The agent's state after a run that ended here.
  void status(const char* status, std::int64_t run_count, std::int64_t error_count, std::string_view error) {
    ObjectWriter payload;
    payload.text("status", status);
    payload.text("last_run", format_instant(record_.at)).number("run_count", run_count).number("error_count", error_count);
    if (error.empty()) payload.raw("error", "null");
    else payload.text("error", error);
    tell("background_agent_status", std::move(payload));
  }
  // The same where no run ended; what the record does not say is null.
  void status(const char* status, std::int64_t run_count = 0) {
    ObjectWriter payload;
    payload.text("status", status).raw("last_run", "null").raw("run_count", run_count > 0 ? std::to_string(run_count) : "null");
    payload.raw("error_count", "null").raw("error", "null");
    tell("background_agent_status", std::move(payload));
  }
  std::string call(int step, int index) const { return call_id(record_.run, step, index); }
  std::vector<port::Event> take() { return std::move(events_); }
  const port::StoredRecord& record() const { return record_; }

 private:
  void tell(Type type, ObjectWriter payload) {
    events_.push_back({event_id(record_.position, static_cast<int>(events_.size())), type.name, agent_, run_, session_, record_.at, payload.finish()});
  }
  const port::StoredRecord& record_;
  std::string agent_, run_, session_, traceparent_;
  std::vector<port::Event> events_;
};

std::string usage_json(const std::optional<port::Usage>& usage, NanoDollars cost) {
  if (!usage) return "null";
  const auto known = [](std::int64_t tokens) { return tokens < 0 ? 0 : tokens; };
  ObjectWriter out;
  out.number("input_tokens", known(usage->input_tokens)).number("output_tokens", known(usage->output_tokens));
  out.number("cache_read_tokens", known(usage->cache_read_tokens)).number("cache_write_tokens", known(usage->cache_write_tokens));
  out.number("reasoning_tokens", known(usage->reasoning_tokens)).raw("cost", format_dollars(cost));
  return out.finish();
}

std::string_view or_empty_object(const Json& json) { return json ? std::string_view(json.text) : "{}"; }

void instant(ObjectWriter& out, std::string_view key, const std::optional<Instant>& at) {
  if (at) out.text(key, format_instant(*at));
  else out.raw(key, "null");
}

// What every event says that tells of a run's way: why, of which slot, and how long it was or will be put off.
ObjectWriter step_aside(std::string_view why, const std::optional<Instant>& scheduled_at, std::int64_t delay_ms) {
  ObjectWriter payload;
  payload.text("reason", why);
  instant(payload, "scheduled_at", scheduled_at);
  payload.number("delay_ms", delay_ms);
  return payload;
}

void model_started(Expansion& out, const std::optional<ModelCall>& call) {
  if (!call) return;
  ObjectWriter payload;
  payload.number("step", call->step).text("provider", call->provider).text("model", call->model);
  out.add("model_call_started", std::move(payload));
}

void model_completed(Expansion& out, const Answered& a) {
  ObjectWriter payload;
  payload.number("step", a.step).text("provider", a.provider).text("model", a.model).raw("usage", usage_json(a.usage, a.cost));
  payload.text("finish_reason", port::name(a.finish_reason)).number("duration_ms", a.duration_ms);
  out.add("model_call_completed", std::move(payload));
}

void tool_started(Expansion& out, int step, int index, std::string_view tool, port::Effect effect) {
  ObjectWriter payload;
  payload.number("step", step).text("call_id", out.call(step, index)).text("tool", tool).text("effect", port::name(effect));
  out.add("tool_call_started", std::move(payload));
}

void tools_started(Expansion& out, const std::vector<CallStart>& starts) {
  for (const auto& start : starts) tool_started(out, start.step, start.index, start.tool, start.effect);
}

void tool_completed(Expansion& out, int step, int index, std::string_view tool, port::Effect effect, ToolOutcome outcome, std::int64_t duration_ms, bool recorded = false) {
  ObjectWriter payload;
  payload.number("step", step).text("call_id", out.call(step, index)).text("tool", tool).text("effect", port::name(effect));
  payload.text("outcome", name(outcome)).number("duration_ms", duration_ms);
  if (recorded) payload.flag("recorded", true);
  out.add("tool_call_completed", std::move(payload));
}

std::string replay(const Replay& r) {
  ObjectWriter out;
  out.text("of", r.of).number("from_step", r.from_step);
  if (!r.provider.empty()) out.text("provider", r.provider);
  if (!r.model.empty()) out.text("model", r.model);
  return out.flag("live", r.live).finish();
}

std::string difference(const Difference& d) {
  const auto or_null = [](const Json& json) { return json ? std::string_view(json.text) : "null"; };
  ObjectWriter out;
  return out.number("step", d.step).text("what", name(d.what)).raw("recorded", or_null(d.recorded)).raw("replayed", or_null(d.replayed)).finish();
}

std::string digest(const Digest& d) {
  ObjectWriter out;
  return out.text("what", name(d.what)).text("of", d.of).finish();
}

// What a replay does, or a run for memory, is not the agent's doing: nothing is said of the agent's state.
bool is_aside(const Started& started) { return started.trigger == "replay" || started.trigger == "memory"; }

void expand(Expansion& out, const Entered& e) {
  const auto status = out.record().status;
  auto payload = step_aside(reason(e, status), e.scheduled_at, e.scheduled_at ? (out.record().at - *e.scheduled_at).count() : 0);
  payload.text("trigger", e.trigger);
  if (!e.key.empty()) payload.text("key", e.key);
  if (e.replay) payload.raw("replay", replay(*e.replay));
  if (e.digest) payload.raw("digest", digest(*e.digest));
  if (status == port::RunStatus::missed || e.count > 0) {
    payload.number("count", e.count);
    instant(payload, "first", e.first);
    instant(payload, "last", e.last);
    if (e.into) instant(payload, "into", e.into);
  }
  switch (status) {
    case port::RunStatus::skipped: return out.add("background_task_skipped", std::move(payload));
    case port::RunStatus::dropped: return out.add("background_task_dropped", std::move(payload));
    case port::RunStatus::missed: return out.add("background_task_missed", std::move(payload));
    default: return out.add("background_task_queued", std::move(payload));
  }
}

void model_lost(Expansion& out, const std::optional<ModelCall>& call) {
  if (!call) return;
  ObjectWriter payload;
  payload.number("step", call->step).text("provider", call->provider).text("model", call->model).raw("usage", "null");
  payload.text("finish_reason", "unknown").raw("duration_ms", "null");
  out.add("model_call_completed", std::move(payload));
}

const char* reason(Started::Why why) {
  switch (why) {
    case Started::Why::resume_crash: return "crash";
    case Started::Why::resume_wait: return "wait over";
    case Started::Why::resume_release: return "released";
    default: return "";
  }
}

std::string embedding_of(const Embedding& e) {
  ObjectWriter out;
  out.text("provider", e.provider).text("model", e.model);
  if (e.tokens >= 0) out.number("tokens", e.tokens);
  if (e.cost > 0) out.raw("cost", format_dollars(e.cost));
  if (!e.error.empty()) out.text("error", e.error);
  return out.finish();
}

void expand(Expansion& out, const Started& s) {
  if (s.why == Started::Why::first || s.why == Started::Why::retry) {
    ObjectWriter payload;
    payload.number("run_count", s.run_count).number("attempt", s.attempt).text("trigger", s.trigger).text("query", s.query);
    payload.raw("params", or_empty_object(s.params));
    ObjectWriter kwargs;
    kwargs.text("query", s.query).raw("params", or_empty_object(s.params));
    payload.raw("kwargs", kwargs.finish());
    if (s.embedding) payload.raw("embedding", embedding_of(*s.embedding));
    out.add("background_task_started", std::move(payload));
  } else {
    auto payload = step_aside(reason(s.why), {}, 0);
    payload.number("attempt", s.attempt).number("crashes", s.crashes);
    out.add("background_task_resumed", std::move(payload));
  }
  if (!is_aside(s)) out.status("running", s.run_count);
  model_lost(out, s.unsure);
  model_started(out, s.call);
  tools_started(out, s.starts);
}

void expand(Expansion& out, const Answered& a) {
  model_completed(out, a);
  for (std::size_t i = 0; i < a.calls.size(); ++i)
    if (const auto& call = a.calls[i]; call.refused) tool_completed(out, a.step, static_cast<int>(i), call.tool, call.effect, *call.refused, 0, call.recorded);
  for (const int index : a.starts) {
    if (static_cast<std::size_t>(index) >= a.calls.size()) continue;  // a record that is damaged
    const auto& call = a.calls[static_cast<std::size_t>(index)];
    tool_started(out, a.step, index, call.tool, call.effect);
  }
  model_started(out, a.call);
}

void expand(Expansion& out, const ToolFinished& t) {
  tool_completed(out, t.step, t.index, t.tool, t.effect, t.outcome, t.duration_ms);
  tools_started(out, t.starts);
  model_started(out, t.call);
}

void retrying(Expansion& out, std::string_view why, std::int64_t delay_ms, int attempt) {
  auto payload = step_aside(why, {}, delay_ms);
  payload.number("attempt", attempt);
  out.add("background_task_retrying", std::move(payload));
}

void expand(Expansion& out, const CallFailed& f) {
  ObjectWriter payload;
  payload.number("step", f.step).text("provider", f.provider).text("model", f.model).raw("usage", "null");
  payload.text("finish_reason", "error").text("failure", port::name(f.failure)).text("error", f.fault.message).number("duration_ms", f.duration_ms);
  out.add("model_call_completed", std::move(payload));
  if (f.retry_after_ms >= 0) retrying(out, f.fault.message, f.retry_after_ms, f.tries);
}

void tell_budget(Expansion& out, Type type, const Exhausted& budget) {
  const auto amount = [&](std::int64_t value) { return budget.resource == "cost" ? format_dollars(value) : std::to_string(value); };
  ObjectWriter payload;
  payload.text("scope", budget.scope).text("window", budget.window).text("resource", budget.resource).raw("spent", amount(budget.spent)).raw("limit", amount(budget.limit));
  out.add(type, std::move(payload));
}

void exhausted(Expansion& out, const std::optional<Fault>& fault) {
  if (fault && fault->exhausted) tell_budget(out, "budget_exhausted", *fault->exhausted);
}

void task_error(Expansion& out, const Fault& fault, std::int64_t error_count, int attempt, bool will_retry) {
  ObjectWriter payload;
  payload.text("error", fault.message).text("error_class", name(fault.error_class)).number("error_count", error_count);
  payload.number("attempt", attempt).flag("will_retry", will_retry);
  out.add("background_task_error", std::move(payload));
}

ObjectWriter question(const Expansion& out, const Question& q) {
  ObjectWriter payload;
  payload.number("step", q.step).text("call_id", out.call(q.step, q.index)).text("about", name(q.about)).text("tool", q.tool);
  payload.raw("arguments", or_empty_object(q.arguments)).text("arguments_hash", q.arguments_hash);
  return payload;
}

void expand(Expansion& out, const Waiting& w) {
  model_lost(out, w.unsure);
  exhausted(out, w.fault);
  if (w.ends_attempt) {
    if (w.fault) task_error(out, *w.fault, w.error_count, w.attempt - 1, true);
    return retrying(out, w.fault ? w.fault->message : w.reason, w.delay_ms, w.attempt);
  }
  auto payload = step_aside(w.reason, {}, w.delay_ms);
  payload.text("waiting_for", name(w.what)).text("until", format_instant(w.until));
  out.add("background_task_waiting", std::move(payload));
  for (const auto& asked : w.questions) {
    auto requested = question(out, asked);
    requested.text("expires_at", format_instant(w.until));
    out.add("approval_requested", std::move(requested));
  }
}

void expand(Expansion& out, const Decided& d) {
  auto payload = question(out, d.question);
  payload.text("decision", name(d.what)).text("by", d.by).text("reason", d.reason);
  out.add("approval_decided", std::move(payload));
  if (d.resumes) out.add("background_task_queued", step_aside("decided", {}, 0));
}

void expand(Expansion& out, const Released& r) {
  model_lost(out, r.unsure);
  out.add("background_task_queued", step_aside(r.reason, {}, 0));
}

void tell_end(Expansion& out, const Ended& e) {
  const Fault none;
  const auto& fault = e.fault ? *e.fault : none;
  ObjectWriter payload;
  switch (e.status) {
    case port::RunStatus::completed:
      payload.number("run_count", e.run_count).raw("result", e.result_json().empty() ? "null" : e.result_json());
      payload.number("duration_ms", e.duration_ms).raw("usage", usage_json(e.totals));
      if (!e.replay_of.empty()) payload.text("replay_of", e.replay_of).raw("difference", e.difference ? difference(*e.difference) : "null");
      if (e.digest) payload.raw("digest", digest(*e.digest));
      return out.add("background_task_completed", std::move(payload));
    case port::RunStatus::skipped:  // the gate's record has told why
      return;
    case port::RunStatus::cancelled:
      return out.add("background_task_cancelled", step_aside(e.reason, {}, 0));
    case port::RunStatus::quarantined:
      return out.add("background_task_quarantined", step_aside(e.reason.empty() ? fault.message : e.reason, {}, 0));
    default:
      return task_error(out, fault, e.error_count, e.attempt, false);
  }
}

bool is_well(port::RunStatus status) {
  return status == port::RunStatus::completed || status == port::RunStatus::skipped || status == port::RunStatus::cancelled;
}

void expand(Expansion& out, const Ended& e) {
  if (e.answer) model_completed(out, *e.answer);
  model_lost(out, e.unsure);
  exhausted(out, e.fault);
  tell_end(out, e);
  if (is_aside(e)) return;
  if (is_well(e.status)) out.status("idle", e.run_count, e.error_count, {});
  else out.status("error", e.run_count, e.error_count, e.fault ? std::string_view(e.fault->message) : std::string_view());
}

void expand(Expansion& out, const Gated& g) {
  if (!g.proceed) out.add("background_task_gated", step_aside(g.reason, g.scheduled_at, 0));
}

Type review_event(Reviewed::What what) {
  switch (what) {
    case Reviewed::What::edit: return "background_task_edited";
    case Reviewed::What::retry: return "background_task_queued";
    default: return "background_task_dropped";
  }
}

void expand(Expansion& out, const Reviewed& r) {
  const std::string_view usual = r.what == Reviewed::What::edit ? "edited in quarantine" : r.what == Reviewed::What::retry ? "retried from quarantine" : "dropped from quarantine";
  auto payload = step_aside(r.reason.empty() ? usual : r.reason, {}, 0);
  payload.text("by", r.by);
  if (r.what == Reviewed::What::edit) payload.text("query", r.query).raw("params", or_empty_object(r.params));
  out.add(review_event(r.what), std::move(payload));
}

void expand(Expansion& out, const HostStarted& h) {
  ObjectWriter payload;
  payload.text("version", h.version);
  out.add("host_started", std::move(payload));
}

void expand(Expansion& out, const HostStopped& h) {
  ObjectWriter payload;
  payload.text("reason", h.reason);
  out.add("host_stopped", std::move(payload));
}

Type change_event(AgentChanged::What what) {
  switch (what) {
    case AgentChanged::What::created: return "agent_created";
    case AgentChanged::What::updated: return "agent_updated";
    case AgentChanged::What::deleted: return "agent_deleted";
    case AgentChanged::What::paused: return "agent_paused";
    case AgentChanged::What::stopped: return "agent_stopped";
    default: return "agent_resumed";  // paused or stopped before
  }
}

void expand(Expansion& out, const AgentChanged& a) {
  if (!a.agent_id.empty()) out.tell_of(a.agent_id, {});
  ObjectWriter payload;
  payload.number("revision", a.revision).text("by", a.by).text("reason", a.reason);
  out.add(change_event(a.what), std::move(payload));
  switch (a.what) {
    case AgentChanged::What::paused: return out.status("paused");
    case AgentChanged::What::stopped: return out.status("stopped");
    case AgentChanged::What::resumed:
    case AgentChanged::What::started: return out.status("idle");
    default: return;
  }
}

void expand(Expansion& out, const PluginLoaded& p) {
  ObjectWriter payload;
  payload.text("plugin", p.plugin).text("version", p.version).text("file", p.file);
  out.add("plugin_loaded", std::move(payload));
}

void expand(Expansion& out, const PluginFailed& p) {
  ObjectWriter payload;
  payload.text("plugin", p.plugin).text("file", p.file).text("error", p.error);
  out.add("plugin_failed", std::move(payload));
}

void expand(Expansion& out, const BudgetRaised& b) {
  ObjectWriter payload;
  payload.text("scope", b.scope).text("window", b.window).text("resource", b.resource);
  payload.raw("amount", b.resource == "cost" ? format_dollars(b.amount) : std::to_string(b.amount)).text("by", b.by);
  out.add("budget_raised", std::move(payload));
}

void expand(Expansion& out, const Delivered& d) {
  out.tell_of(out.record().agent_id, d.run_id);
  ObjectWriter payload;
  payload.text("sink", d.sink).number("attempt", d.attempt).raw("error", "null");
  out.add("result_delivered", std::move(payload));
}

void expand(Expansion& out, const Undelivered& u) {
  out.tell_of(out.record().agent_id, u.run_id);
  ObjectWriter payload;
  payload.text("sink", u.sink).number("attempt", u.attempt).text("error", u.error).flag("will_retry", u.retry_after_ms >= 0);
  if (u.retry_after_ms >= 0) payload.number("delay_ms", u.retry_after_ms);
  out.add("result_undelivered", std::move(payload));
}

template <class Alert>
void alert(Expansion& out, Type type, const Alert& a) {
  out.tell_of(a.agent_id, {});
  ObjectWriter payload;
  payload.text("rule", a.rule).text("severity", a.severity).text("summary", a.summary);
  if (!a.subject.empty()) payload.text("subject", a.subject);
  out.add(type, std::move(payload));
}

void expand(Expansion& out, const AlertRaised& a) {
  alert(out, "alert_raised", a);
  if (a.budget) tell_budget(out, "budget_warning", *a.budget);
}
void expand(Expansion& out, const AlertCleared& a) { alert(out, "alert_cleared", a); }

void expand(Expansion&, const CancelAsked&) {}  // what comes of it has an event of its own
void expand(Expansion&, const RunForgotten&) {}

void expand(Expansion& out, const EventsPruned& p) {
  ObjectWriter payload;
  payload.text("before", format_instant(p.before)).number("count", p.count);
  out.add("events_pruned", std::move(payload));
}

}  // namespace

std::span<const std::string_view> types() { return kTypes; }

std::string reason(const Entered& entered, port::RunStatus status) {
  if (!entered.reason.empty()) return entered.reason;
  if (status == port::RunStatus::skipped) return "a run of the agent was alive, and overlap = \"skip\"";
  if (status == port::RunStatus::dropped) return "the agent's queue was full";
  return entered.trigger;
}

std::vector<port::Event> expand(const port::StoredRecord& record, const Decoded& decoded) {
  Expansion out(record, decoded);
  std::visit([&out](const auto& body) { expand(out, body); }, decoded.body);
  return out.take();
}

Result<std::vector<port::Event>> expand(const port::StoredRecord& record) {
  const auto decoded = decode(record.kind, record.payload);
  if (!decoded) return fail(ErrorClass::internal, "the ledger's record " + std::to_string(record.position) + " cannot be read: " + decoded.error().message);
  return expand(record, *decoded);
}

std::string to_json(const port::Event& event) {
  ObjectWriter out;
  out.text("id", event.id).text("type", event.type).text("agent_id", event.agent_id).text("agent_name", event.agent_id);
  const auto or_null = [&out](std::string_view key, const std::string& value) {
    if (value.empty()) out.raw(key, "null");
    else out.text(key, value);
  };
  or_null("run_id", event.run_id);
  or_null("session_id", event.session_id);
  out.text("timestamp", format_instant(event.timestamp)).raw("payload", event.payload);
  return out.finish();
}

std::string usage_json(const Totals& t) {
  ObjectWriter out;
  out.number("requests", t.requests).number("input_tokens", t.input_tokens).number("output_tokens", t.output_tokens);
  out.number("cache_read_tokens", t.cache_read_tokens).number("cache_write_tokens", t.cache_write_tokens);
  out.number("reasoning_tokens", t.reasoning_tokens).raw("cost", format_dollars(t.cost));
  return out.finish();
}

}  // namespace agentd::event
