// The journal's vocabulary: what one row of the ledger says. A run's state is the fold of its records; the events people see are
// expanded from them. Payloads are compact JSON; a member at its default is left out.
//
// A standard run (a model call, a tool call, a model call) is five rows:
//   Entered | Started + first model call starts | Answered + tool call starts | ToolFinished + second model call starts | Ended + its answer
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/event/json_fields.hpp"
#include "core/port/ledger.hpp"
#include "core/port/provider.hpp"

namespace agentd::event {

// Sums over a run. A call whose answer was lost counts in requests and unknown alone.
struct Totals {
  std::int64_t requests = 0, input_tokens = 0, output_tokens = 0, cache_read_tokens = 0, cache_write_tokens = 0, reasoning_tokens = 0;
  std::int64_t unknown = 0;
  NanoDollars cost = 0;
  friend bool operator==(const Totals&, const Totals&) = default;
};

// A model call that starts with the record that names it.
struct ModelCall {
  int step = 0;  // from 1
  std::string provider, model;
  friend bool operator==(const ModelCall&, const ModelCall&) = default;
};

// What was asked of an embedding model before the first model call, so that what is remembered could be found by meaning.
struct Embedding {
  std::string provider, model;
  int requests = 0;              // 0: it was known, or nobody was asked
  std::int64_t tokens = -1;      // -1: the endpoint did not say
  NanoDollars cost = 0;
  std::string error;             // why there is no vector, so that words alone decided; empty: there is one
  friend bool operator==(const Embedding&, const Embedding&) = default;
};

// A tool call that starts with the record that names it, when that is not the record that holds the asking.
struct CallStart {
  int step = 0, index = 0;
  std::string tool;
  port::Effect effect = port::Effect::once;
  friend bool operator==(const CallStart&, const CallStart&) = default;
};

// A budget that has no room for a further model call.
struct Exhausted {
  std::string scope;           // "run", "agent:ID" or "host"
  std::string window;          // "run", or a UTC day: "2026-11-22"
  std::string resource;        // "requests", "tokens" or "cost"
  std::int64_t spent = 0, limit = 0;  // of cost: nano-dollars
  friend bool operator==(const Exhausted&, const Exhausted&) = default;
};

struct Fault {
  ErrorClass error_class = ErrorClass::terminal;
  std::string message;
  std::optional<Exhausted> exhausted = {};
  friend bool operator==(const Fault&, const Fault&) = default;
};

enum class ToolOutcome { ok, error, denied, timeout, unknown };
const char* name(ToolOutcome outcome);

// ---- of a run

// What a replay does again, and how.
struct Replay {
  std::string of;                        // the recorded run's id
  int from_step = 1;                     // the steps before are taken from the record
  std::string provider, model;           // that are asked; empty: the recorded run's
  bool live = false;                     // tools are called; else they are answered from the record
  friend bool operator==(const Replay&, const Replay&) = default;
};

// Where a replay is first not what its record is.
struct Difference {
  enum class What { tool_call, text, finish_reason, tool_result, result, outcome };
  int step = 0;
  What what = What::text;
  Json recorded, replayed;               // none: there is nothing on this side
  friend bool operator==(const Difference&, const Difference&) = default;
};
const char* name(Difference::What what);

// What a run makes of earlier ones, for its agent's memory.
struct Digest {
  enum class What { summary, lessons };  // of a session's older messages; of one run, for later ones
  What what = What::summary;
  std::string of;                        // the run behind whose end it came
  friend bool operator==(const Digest&, const Digest&) = default;
};
const char* name(Digest::What what);

// A run asked for; or, with a final status of its row, a slot that gave none.
struct Entered {
  static constexpr std::int32_t kKind = 0;
  std::string trigger;                   // schedule, start, manual, api, webhook, file, agent, batch, retry, replay, memory
  std::string trigger_name;              // of a [[trigger]]
  std::optional<Instant> scheduled_at;   // of a slot
  std::string query;                     // empty: the manifest's
  Json params;                           // object, laid over the manifest's; none: the manifest's
  std::string session;                   // empty: as the manifest says
  std::string key;
  std::string reason;                    // of skipped, dropped and missed
  std::int64_t count = 0;                // of missed: how many slots this one row stands for
  std::optional<Instant> first, last;    // of missed: the first and the last of them
  std::optional<Instant> into;           // of missed: the slot that runs in their place
  bool gated = false;                    // a gate decides first: it says what became of the slot
  std::optional<Replay> replay;          // trigger = replay
  std::optional<Digest> digest;          // trigger = memory
  std::string traceparent;               // of the request that asked for it, see trace_context.hpp; empty: its trace begins with it
};
// Whether it is none of the agent's own runs: nothing is said of the agent by it, and nobody follows it.
inline bool is_aside(const Entered& entered) { return entered.replay || entered.digest; }

// A worker takes the run up: for the first time, for another attempt, or to go on where it stood.
struct Started {
  static constexpr std::int32_t kKind = 1;
  enum class Why { first, retry, resume_crash, resume_wait, resume_release };
  Why why = Why::first;
  int attempt = 1;
  int crashes = 0;                       // deaths of a worker in this run, this one included
  std::int64_t run_count = 0;            // the agent's, this one included; why = first or retry
  std::string trigger;                   // why = first or retry, like query and params; of a replay always
  std::string query;                     // in force
  Json params;                           // in force; none: {}
  std::vector<Json> recalled;            // messages given to the model before the query; why = first
  std::optional<Embedding> embedding;    // of the query, for what was recalled
  std::vector<std::string> known;        // ids of the memories among what was recalled
  bool summary_due = false;              // the session has messages that will be in no window and are in no summary
  std::int64_t digested_until = 0;      // of a summary: the store's position of the last message in it
  std::optional<ModelCall> call;
  std::optional<ModelCall> unsure;       // its answer was not durable when the worker died: made again, first try's usage unknown
  std::vector<CallStart> starts;         // calls of the last step that start, or start again, now
};

// A tool call as the model asked for it. Its id is call_id(run, step, index).
struct CallAsked {
  std::string tool;                      // full name; of one that does not exist, what the model wrote
  port::Effect effect = port::Effect::once;
  bool known = true;                     // false: no tool has this name
  bool asks = false;                     // a person decides whether it is called
  Json arguments;                        // an object, or a string with what the model wrote
  std::optional<ToolOutcome> refused;    // not called: denied, or error for arguments and names that do not fit
  Json content;                          // with refused: what the model is told, a string
  bool recorded = false;                 // with refused: not called either, outcome and content are those of the run that is replayed
};

// A model's answer, durable before anything acts on it.
struct Answered {
  static constexpr std::int32_t kKind = 2;
  int step = 0;
  std::string provider, model;
  std::int64_t duration_ms = 0;
  std::optional<port::Usage> usage;      // nothing: the endpoint did not say
  NanoDollars cost = 0;
  port::FinishReason finish_reason = port::FinishReason::stop;
  Json text;                             // a string; none: the model said nothing
  Json extra;
  std::string extra_owner;
  std::vector<CallAsked> calls;
  std::vector<int> starts;               // indices of calls that start now; this record is their durable intent
  Json note;                             // a string: what the engine answers the model, as a message of the user's
  std::optional<ModelCall> call;         // the next one, when nothing is left to wait for
};

// A tool call has ended.
struct ToolFinished {
  static constexpr std::int32_t kKind = 3;
  int step = 0, index = 0;
  std::string tool;
  port::Effect effect = port::Effect::once;
  ToolOutcome outcome = ToolOutcome::ok;
  Json content;                          // a string: what the model is given
  Json whole;                            // what the tool answered, where content is a shortened form of it
  std::int64_t duration_ms = 0;
  bool parks = false;                    // of unknown outcome: a person says whether the run goes on
  std::vector<CallStart> starts;         // calls that waited for a place and start now; this record is their durable intent
  std::optional<ModelCall> call;         // the step is complete and this model call starts
};

// A model call has failed.
struct CallFailed {
  static constexpr std::int32_t kKind = 4;
  int step = 0;
  std::string provider, model;
  port::Failure failure = port::Failure::other;
  Fault fault;
  std::int64_t duration_ms = 0;
  int tries = 0;                         // of this step so far, this one included
  std::int64_t retry_after_ms = -1;      // it is made again after so long, by the same worker; -1: see the next record
};

// What a person is asked about a call of the last answer.
struct Question {
  enum class About { call, outcome };    // whether it may be called; whether the run goes on though nobody knows what became of it
  int step = 0, index = 0;
  About about = About::call;
  std::string tool;
  Json arguments;
  std::string arguments_hash;            // what is approved is a call with these arguments and no other
};
const char* name(Question::About about);

// The run is parked until an instant.
struct Waiting {
  static constexpr std::int32_t kKind = 5;
  enum class For { retry, approval, budget, provider };
  For what = For::retry;
  Instant until{};
  std::int64_t delay_ms = 0;
  std::string reason;
  std::optional<Fault> fault;
  int attempt = 1;                       // the one that goes on after the wait; with ends_attempt the one after that which failed
  bool ends_attempt = false;             // the attempt has failed and the next one begins after the wait
  std::int64_t error_count = 0;          // the agent's; with ends_attempt
  std::int64_t active_ms = -1;           // of the attempt so far, by a clock that nobody sets; -1: not said
  std::optional<ModelCall> unsure;       // as in Released
  std::vector<Question> questions;       // what = approval: all that is open in the step; nobody's answer by `until` is a no
};
const char* name(Waiting::For what);

// Given back, to be taken up by any worker.
struct Released {
  static constexpr std::int32_t kKind = 6;
  std::string reason;
  std::vector<int> undone;               // calls of the last answer that were stopped before they happened
  std::int64_t active_ms = -1;           // as in Waiting
  std::optional<ModelCall> unsure;       // it was sent, by this worker or one that died, and nobody has its answer: its usage is unknown
};

// Somebody who is to be told.
struct Recipient {
  std::string sink;                      // an entry of [sinks.*]
  bool if_changed = false;               // not where the result is that of the agent's last completed run
  friend bool operator==(const Recipient&, const Recipient&) = default;
};

struct Ended {
  static constexpr std::int32_t kKind = 7;
  port::RunStatus status = port::RunStatus::completed;
  std::optional<Answered> answer;        // the last one
  Json result;                           // empty: the answer's text
  std::optional<Fault> fault;
  std::string reason;                    // of cancelled and quarantined
  int attempt = 1;
  int steps = 0;
  Totals totals;
  std::optional<ModelCall> unsure;       // as in Released; the totals count it
  std::int64_t duration_ms = 0;          // since it first started
  std::int64_t run_count = 0, error_count = 0;  // the agent's, this run included
  std::vector<Recipient> deliver;        // this record is the durable intent
  std::string replay_of;                 // of a replay: the recorded run. Such an end says nothing of the agent
  std::optional<Difference> difference;  // of a replay; nothing: it went as recorded
  std::optional<Digest> digest;          // of a run for memory. Such an end says nothing of the agent either
  // The result as a JSON value: a text answer is a string. Empty: there is none.
  std::string_view result_json() const { return result ? result.text : answer ? answer->text.text : std::string_view(); }
};

// What a person has said to a question, or that nobody did in time. The first one of a question stands.
struct Decided {
  static constexpr std::int32_t kKind = 8;
  enum class What { approve, deny, timeout };
  What what = What::deny;
  Question question;                     // as it was asked
  std::string by, reason;                // as people say; may be empty
  bool resumes = false;                  // it was the last open question of the run, which goes back into the queue
};
const char* name(Decided::What what);

// What a person has made of a run in quarantine: asked something else of it, let it begin again, or given it up. The first record of
// a run after its end.
struct Reviewed {
  static constexpr std::int32_t kKind = 30;
  enum class What { edit, retry, drop };
  What what = What::drop;
  std::string by, reason;                // as people say; may be empty
  std::string query;                     // of edit: what the run is asked from now on, as in Entered; of the others nothing
  Json params;
};
const char* name(Reviewed::What what);
inline bool is_aside(const Ended& ended) { return !ended.replay_of.empty() || ended.digest; }

// What the agent's gate said to this run, before it began. With proceed = false the run's end comes with it.
struct Gated {
  static constexpr std::int32_t kKind = 10;
  std::string task;
  bool proceed = true;
  std::string reason;                    // of a gate that said no
  Json params;                           // object, laid over the run's; none: {}
  Json state;                            // to be kept when the run completes; none: it left none
  std::optional<Instant> scheduled_at;   // of a slot
  std::int64_t duration_ms = 0;
};

// ---- of an agent or of the host

// A sink has taken what an earlier record is to tell it.
struct Delivered {
  static constexpr std::int32_t kKind = 11;
  std::string sink;
  std::string run_id;                    // empty: what is told is of no run
  Position position = 0;                 // of the record
  int attempt = 1;
};
// It has not.
struct Undelivered {
  static constexpr std::int32_t kKind = 12;
  std::string sink, run_id;
  Position position = 0;
  int attempt = 1;
  std::string error;
  std::int64_t retry_after_ms = -1;      // it is tried again after so long; -1: it was given up
};

struct HostStarted {
  static constexpr std::int32_t kKind = 20;
  std::string version;
};
struct HostStopped {
  static constexpr std::int32_t kKind = 21;
  std::string reason;
};
struct AgentChanged {
  static constexpr std::int32_t kKind = 22;
  enum class What { created, updated, deleted, paused, resumed, stopped, started };
  What what = What::created;
  std::int64_t revision = 0;
  std::string by, reason;
  std::string agent_id;                  // whose it is, where that is not the record's own agent
};
const char* name(AgentChanged::What what);
struct PluginLoaded {
  static constexpr std::int32_t kKind = 23;
  std::string plugin, version, file;
};
struct PluginFailed {
  static constexpr std::int32_t kKind = 24;
  std::string plugin, file, error;
};
struct EventsPruned {
  static constexpr std::int32_t kKind = 25;
  Instant before{};
  std::int64_t count = 0;
};

// Something is not as it should be, or is again. Both name it by rule and subject.
struct AlertRaised {
  static constexpr std::int32_t kKind = 26;
  std::string rule;
  std::string agent_id;                  // whose it is; empty: the host's
  std::string subject;                   // what of it: a provider, a sink; may be empty
  std::string severity;                  // info, warning, critical
  std::string summary;
  std::vector<Recipient> deliver;
  std::optional<Exhausted> budget;       // of the rule "budget": what is nearly used up
};
struct AlertCleared {
  static constexpr std::int32_t kKind = 27;
  std::string rule, agent_id, subject, severity, summary;
  std::vector<Recipient> deliver;
};

// Somebody wants a run to end that another process has in hand.
struct CancelAsked {
  static constexpr std::int32_t kKind = 31;
  std::string run_id, reason;
};

// A run and all its records were removed, because somebody said so. Where a ledger is shared: who has it in memory forgets it.
struct RunForgotten {
  static constexpr std::int32_t kKind = 32;
  std::string run_id;
};

// A person let an account spend more, for one window.
struct BudgetRaised {
  static constexpr std::int32_t kKind = 28;
  std::string scope, window, resource;   // as in Exhausted
  std::int64_t amount = 0;               // of cost: nano-dollars
  std::string by;
};

// Numbers of kinds are never used again for something else.
using Body = std::variant<Entered, Started, Answered, ToolFinished, CallFailed, Waiting, Released, Ended, Decided, Gated, Reviewed, HostStarted, HostStopped, AgentChanged,
                          PluginLoaded, PluginFailed, EventsPruned, BudgetRaised, Delivered, Undelivered, AlertRaised, AlertCleared, CancelAsked, RunForgotten>;

std::int32_t kind(const Body& body);

// session, traceparent: the run's, in every record of it, so that one record is enough to make its events; empty: named like the agent; none.
std::string encode(const Body& body, std::string_view session = {}, std::string_view traceparent = {});
inline port::Record to_record(const Body& body, std::string_view session = {}, std::string_view traceparent = {}) {
  return {kind(body), encode(body, session, traceparent)};
}

struct Decoded {
  Body body;
  std::string session, traceparent;
};
Result<Decoded> decode(std::int32_t kind, std::string_view payload);

}  // namespace agentd::event
