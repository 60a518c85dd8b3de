// One agent as its manifest describes it, checked and with every default in place: what the engine schedules and runs.
// Plain values; copied freely, any thread. Open-shaped tables are JSON text. 0 lifts a limit, unless its line says otherwise.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.hpp"
#include "core/port/ledger.hpp"

namespace agentd::manifest {

// "env:NAME", "file:PATH" or "credential:NAME"; empty: none. resolve_secret() of secrets.hpp turns it into its value.
struct SecretRef {
  std::string text;
  friend bool operator==(const SecretRef&, const SecretRef&) = default;
};

struct ModelRef {
  std::string provider;
  std::string model;
  friend bool operator==(const ModelRef&, const ModelRef&) = default;
};

struct Model {
  std::string provider;                      // an entry of HostConfig::providers; empty only with a native task
  std::string model;
  std::optional<double> temperature;         // not set: the model's own
  std::string reasoning_effort;              // empty: not sent
  std::int64_t max_output_tokens = 0;        // 0: the model's own
  std::vector<ModelRef> fallback;
  friend bool operator==(const Model&, const Model&) = default;
};

struct Task {
  std::string query;                         // for a model; empty with a native task
  std::string native;                        // a task component; empty with a query
  std::string params = "{}";                 // JSON object
  std::string output_schema;                 // JSON Schema, the file's content; empty: any answer will do
  std::vector<std::string> require;          // full tool names
  Millis timeout{300'000};                   // active time of one attempt
  std::optional<Millis> deadline;            // everything together
  bool is_native() const { return !native.empty(); }
  friend bool operator==(const Task&, const Task&) = default;
};

struct Gate {
  std::string native;
  std::string params = "{}";
  friend bool operator==(const Gate&, const Gate&) = default;
};

struct Interval {
  Millis every{0};                           // measured from Schedule::start, else from the epoch
  friend bool operator==(const Interval&, const Interval&) = default;
};
struct Cron {
  std::string expression;
  friend bool operator==(const Cron&, const Cron&) = default;
};
struct At {
  Instant at{};
  friend bool operator==(const At&, const At&) = default;
};

enum class Misfire { latest, skip, all };

struct Schedule {
  std::variant<std::monostate, Interval, Cron, At> when;  // monostate: only by hand or by a trigger
  std::string timezone = "UTC";
  std::optional<Instant> start;
  std::optional<Instant> end;
  Millis jitter{0};
  port::Overlap overlap = port::Overlap::skip;
  Misfire misfire = Misfire::latest;
  std::optional<Millis> catchup_window;      // not set: the larger of 1 h and one period, at most 7 d
  bool run_on_start = false;
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

enum class WebhookVerify { standard, github, bearer };
struct WebhookTrigger {
  WebhookVerify verify = WebhookVerify::standard;
  SecretRef secret;
  friend bool operator==(const WebhookTrigger&, const WebhookTrigger&) = default;
};
struct FileTrigger {
  std::string path;                          // absolute
  std::string glob = "*";
  Millis debounce{2'000};
  friend bool operator==(const FileTrigger&, const FileTrigger&) = default;
};
struct AgentTrigger {
  std::string agent;
  std::string outcome = "completed";         // a run status
  friend bool operator==(const AgentTrigger&, const AgentTrigger&) = default;
};
struct Trigger {
  std::string name;
  std::variant<WebhookTrigger, FileTrigger, AgentTrigger> on;
  friend bool operator==(const Trigger&, const Trigger&) = default;
};

enum class Backoff { exponential, fixed };

struct Retry {
  std::int64_t max_retries = 3;              // of the run; 0: none
  Millis delay{60'000};
  Backoff backoff = Backoff::exponential;
  Millis max_delay{900'000};
  double jitter = 0.2;                       // share of the delay, 0 to 1
  std::int64_t pause_after_failures = 0;     // 0: never
  friend bool operator==(const Retry&, const Retry&) = default;
};

enum class OnBudget { stop, park };
inline constexpr NanoDollars kDefaultCostLimit = 1'000'000'000;

struct Limits {
  std::int64_t queue_size = 100;             // at least 1
  std::int64_t max_concurrent = 1;           // at least 1
  std::int64_t max_steps = 15;
  std::int64_t request_limit = 50;
  std::int64_t total_tokens_limit = 50'000;
  std::optional<NanoDollars> cost_limit;     // not set: kDefaultCostLimit where the model has a price
  std::int64_t tokens_per_day = 0;
  NanoDollars cost_per_day = 0;
  OnBudget on_budget = OnBudget::stop;
  std::int64_t max_crashes = 3;              // at least 1
  Millis tool_call_timeout{30'000};
  std::uint64_t tool_output_limit = 64 << 10;
  std::int64_t parallel_tools = 4;           // at least 1
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Session {
  enum class Scope { agent, run, fixed } scope = Scope::agent;
  std::string name;                          // with fixed
  friend bool operator==(const Session&, const Session&) = default;
};

struct Memory {
  std::string store;                         // an entry of HostConfig::stores; empty: HostConfig::memory's
  std::map<std::string, std::string> stores; // by type: "episodic", "long_term", "procedural"
  Session session;
  std::int64_t window = 20;                  // messages; 0: none is read back
  std::int64_t window_tokens = 8'000;
  bool summarize = true;
  std::int64_t recall = 5;                   // 0: nothing is recalled
  std::vector<std::string> learn;            // of "long_term", "procedural"
  friend bool operator==(const Memory&, const Memory&) = default;
};

// The entry of HostConfig::stores that keeps what is of a type ("episodic", ...).
inline const std::string& store_of(const Memory& memory, const std::string& type, const std::string& usual) {
  const auto own = memory.stores.find(type);
  return own != memory.stores.end() ? own->second : memory.store.empty() ? usual : memory.store;
}

enum class OnUnknownOutcome { tell_model, park, fail };

struct Tools {
  std::vector<std::string> allow;            // patterns over full names, "*" any text; deny, then ask, then allow; none: no tools
  std::vector<std::string> ask;
  std::vector<std::string> deny;
  Millis approval_timeout{86'400'000};
  OnUnknownOutcome on_unknown_outcome = OnUnknownOutcome::tell_model;
  std::map<std::string, std::string> toolsets;  // instance -> JSON object that narrows its settings
  friend bool operator==(const Tools&, const Tools&) = default;
};

enum class DeliverWhen { always, changed, reported };

struct Deliver {
  std::vector<std::string> sinks;
  std::vector<std::string> on = {"completed", "failed"};
  DeliverWhen when = DeliverWhen::always;
  friend bool operator==(const Deliver&, const Deliver&) = default;
};

struct Alerts {
  std::optional<Millis> silent_after;
  std::int64_t consecutive_failures = 0;     // 0: never
  double budget_ratio = 0;                   // 0: never
  std::vector<std::string> sinks;
  friend bool operator==(const Alerts&, const Alerts&) = default;
};

struct AgentSpec {
  std::string agent_id;
  std::string description;
  std::string system_instruction;            // the text, also where the manifest names a file
  bool enabled = true;
  bool debug = false;
  std::map<std::string, std::string> labels;
  std::vector<std::string> skills;           // absolute folders
  Model model;
  Task task;
  std::optional<Gate> gate;
  Schedule schedule;
  std::vector<Trigger> triggers;
  Retry retry;
  Limits limits;
  Memory memory;
  Tools tools;
  std::vector<Deliver> deliver;
  Alerts alerts;
  friend bool operator==(const AgentSpec&, const AgentSpec&) = default;
};

}  // namespace agentd::manifest
