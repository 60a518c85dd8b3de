#include "core/metrics/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>
#include <unordered_map>

#include "core/metrics/process.hpp"

namespace agentd::metrics {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr std::array kOutcomes = {port::RunStatus::completed, port::RunStatus::failed,  port::RunStatus::timed_out, port::RunStatus::cancelled,
                                  port::RunStatus::quarantined, port::RunStatus::skipped, port::RunStatus::dropped,   port::RunStatus::missed};
constexpr std::array kDispositions = {"started", "skipped", "dropped", "missed", "coalesced", "gated"};
constexpr std::array kToolOutcomes = {event::ToolOutcome::ok, event::ToolOutcome::error, event::ToolOutcome::denied, event::ToolOutcome::timeout, event::ToolOutcome::unknown};
constexpr std::array kTokenTypes = {"input", "output", "cache_read", "cache_write", "reasoning"};
constexpr std::array kRetryReasons = {"rate", "server", "answer", "other", "retryable", "timeout"};  // of calls, then of runs; a rarer one appears when it occurs
constexpr std::array kCallOutcomes = {"ok", "error", "unknown"};

const Histogram::BucketBoundaries kRunBuckets = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};
const Histogram::BucketBoundaries kCallBuckets = {0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};
const Histogram::BucketBoundaries kLatenessBuckets = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 3600};
const Histogram::BucketBoundaries kCommitBuckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};
const Histogram::BucketBoundaries kGroupBuckets = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }
double unix_seconds(Instant at) { return static_cast<double>(at.time_since_epoch().count()) / 1000; }

// What every process that shares a ledger would say alike.
constexpr std::array<std::string_view, 9> kOfFleet = {"agentd_agents", "agentd_queue_depth", "agentd_queue_capacity", "agentd_budget_used_ratio", "agentd_quarantined_runs", "agentd_approvals_pending",
                                                      "agentd_alerts_firing", "agentd_agent_last_completed_timestamp_seconds", "agentd_agent_next_slot_timestamp_seconds"};

// Models and tools may be named by whoever may make an agent: past these bounds, too, the rest are `other`.
constexpr std::size_t kModelLabels = 1000, kToolLabels = 1000, kCostSeries = 4 * Metrics::kAgentLabels;
const std::string kOther = "other";

struct Agent {
  std::array<Counter*, kOutcomes.size()> runs{};
  std::string label;
  std::optional<Instant> last_completed;  // the epoch: there is none; nothing: not known yet, or past the bound
};
struct Tool {
  std::array<Counter*, kToolOutcomes.size()> calls{};
  Histogram* duration = nullptr;
};
struct Model {
  std::array<Counter*, kCallOutcomes.size()> calls{};
  std::array<Counter*, kTokenTypes.size()> tokens{};
  Histogram* duration = nullptr;
};
struct Own {  // a plugin's metric
  Counter* counter = nullptr;
  Gauge* gauge = nullptr;
};

// A family whose series are those of the latest scrape: what is gone (a deleted agent, a slot that does not come) has no value
// that anybody could take for today's.
class Passing {
 public:
  explicit Passing(Family<Gauge>& family) : family_(family) {}
  void set(const prometheus::Labels& labels, double value) {
    auto& gauge = family_.Add(labels);
    gauge.Set(value);
    now_.insert(&gauge);
  }
  void end_scrape() {
    for (auto* gauge : before_)
      if (!now_.contains(gauge)) family_.Remove(gauge);
    before_ = std::exchange(now_, {});
  }

 private:
  Family<Gauge>& family_;
  std::set<Gauge*> before_, now_;
};

}  // namespace

struct Metrics::Families {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();  // the library's own way to hold one
  Family<Counter>& counter(const char* name, const char* help) { return prometheus::BuildCounter().Name(name).Help(help).Register(*registry); }
  Family<Gauge>& gauge(const char* name, const char* help) { return prometheus::BuildGauge().Name(name).Help(help).Register(*registry); }
  Family<Histogram>& histogram(const char* name, const char* help) { return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry); }

  Family<Gauge>& build_info = gauge("agentd_build_info", "Which build this is; always 1.");
  Family<Gauge>& agents = gauge("agentd_agents", "Agents by state.");
  Family<Counter>& runs = counter("agentd_runs_total", "Runs that ended, by outcome.");
  Family<Histogram>& run_duration = histogram("agentd_run_duration_seconds", "From a run's first start to its end.");
  Gauge& in_flight = gauge("agentd_runs_in_flight", "Runs that are being executed.").Add({});
  Passing queue_depth{gauge("agentd_queue_depth", "Runs that wait to be executed.")};
  Passing queue_capacity{gauge("agentd_queue_capacity", "Runs that may wait.")};
  Histogram& lateness = histogram("agentd_schedule_lateness_seconds", "From a slot's instant until its run was durable.").Add({}, kLatenessBuckets);
  Family<Counter>& slots = counter("agentd_slots_total", "Slots of schedules, by what became of them.");
  Family<Counter>& retries = counter("agentd_retries_total", "Model calls and runs that were tried again, by reason.");
  Family<Counter>& tool_calls = counter("agentd_tool_calls_total", "Tool calls that ended; a name no tool has is unknown.");
  Family<Histogram>& tool_duration = histogram("agentd_tool_call_duration_seconds", "Duration of tool calls.");
  Family<Counter>& model_calls = counter("agentd_model_calls_total", "Model calls that ended.");
  Family<Histogram>& model_duration = histogram("agentd_model_call_duration_seconds", "Duration of model calls.");
  Family<Counter>& tokens = counter("agentd_model_tokens_total", "Tokens as the endpoints reported them.");
  Family<Counter>& cost = counter("agentd_cost_usd_total", "US dollars by the configured prices.");
  Passing budget_used{gauge("agentd_budget_used_ratio", "Spent and held of a day's budget; agent is empty for the host's own.")};
  Gauge& quarantined = gauge("agentd_quarantined_runs", "Runs in quarantine.").Add({});
  Gauge& approvals = gauge("agentd_approvals_pending", "Calls that wait for a person.").Add({});
  Histogram& commit_duration = histogram("agentd_ledger_commit_duration_seconds", "Duration of the ledger's commits.").Add({}, kCommitBuckets);
  Histogram& group_size = histogram("agentd_ledger_group_size", "Records in one commit.").Add({}, kGroupBuckets);
  Counter& records = counter("agentd_ledger_records_total", "Records made durable.").Add({});
  Gauge& wal_bytes = gauge("agentd_ledger_wal_bytes", "Size of the ledger's write-ahead log.").Add({});
  Passing lag{gauge("agentd_event_store_lag_seconds", "Age of the oldest event that a store does not have yet.")};
  Passing leases{gauge("agentd_leases", "1 where this replica holds the lease, 0 where another one does what it stands for.")};
  Family<Gauge>& plugins = gauge("agentd_plugins", "Plugin files by state.");
  Family<Counter>& stale = counter("agentd_plugin_stale_finishes_total", "Answers of plugins to operations that had ended.");
  Passing last_completed{gauge("agentd_agent_last_completed_timestamp_seconds", "End of the agent's latest completed run.")};
  Passing next_slot{gauge("agentd_agent_next_slot_timestamp_seconds", "The agent's next slot.")};
  Family<Gauge>& circuit = gauge("agentd_provider_circuit_open", "1 while a provider is taken to be down.");
  Family<Counter>& deliveries = counter("agentd_deliveries_total", "Tries to tell a sink of a result or an alert: delivered, retried or failed for good.");
  Family<Counter>& alerts_raised = counter("agentd_alerts_raised_total", "Alerts that were raised.");
  Family<Gauge>& alerts_firing = gauge("agentd_alerts_firing", "Alerts that are raised and not cleared.");
  Family<Counter>& http_requests = counter("agentd_http_requests_total", "Requests to this host's API.");
  Family<Histogram>& http_duration = histogram("agentd_http_request_duration_seconds", "Duration of requests to this host's API.");
  Gauge& reload_ok = gauge("agentd_config_last_reload_successful", "1 when the configuration in force is the one on disk.").Add({});

  std::array<Counter*, kDispositions.size()> slot{};
  std::array<Histogram*, kOutcomes.size()> duration{};
  std::unordered_map<std::string, Agent> agent_by_id;  // at most kAgentLabels
  std::optional<Agent> other;
  std::unordered_map<std::string, Tool> tool_by_name;
  std::unordered_map<std::string, Model> model_by_name;
  std::unordered_map<std::string, Counter*> cost_by_name;
  std::map<std::string, Family<Counter>*> own_counters;
  std::map<std::string, Family<Gauge>*> own_gauges;
  std::deque<Own> own;

  Agent& agent(const std::string& id);
  void completed(const std::string& id, Instant at);
  Agent labelled(const std::string& label);
  const Tool& tool(const std::string& name);
  const Model& model(const std::string& provider, const std::string& name);
  Counter& cost_of(const std::string& agent, const std::string& model);
  static std::size_t index(port::RunStatus status);
  void show(const std::vector<Snapshot::Agent>& agents_now);
  void model_call(const event::Answered& answered, const std::string& agent);
  void tool_call(const std::string& name, event::ToolOutcome outcome, std::int64_t duration_ms);

  void see(const port::StoredRecord&, const event::Entered&);
  void lost(const std::optional<event::ModelCall>& call);
  void see(const port::StoredRecord&, const event::Started&);
  void see(const port::StoredRecord&, const event::Released&);
  void see(const port::StoredRecord&, const event::Answered&);
  void see(const port::StoredRecord&, const event::ToolFinished&);
  void see(const port::StoredRecord&, const event::CallFailed&);
  void see(const port::StoredRecord&, const event::Waiting&);
  void see(const port::StoredRecord&, const event::Gated&);
  void see(const port::StoredRecord&, const event::Ended&);
  void see(const port::StoredRecord&, const event::Delivered&);
  void see(const port::StoredRecord&, const event::Undelivered&);
  void see(const port::StoredRecord&, const event::AlertRaised&);
  template <class Other>
  void see(const port::StoredRecord&, const Other&) {}  // records that no counter counts
};

Agent& Metrics::Families::agent(const std::string& id) {
  const auto found = agent_by_id.find(id);
  if (found != agent_by_id.end()) return found->second;
  if (agent_by_id.size() < kAgentLabels) return agent_by_id.emplace(id, labelled(id)).first->second;
  if (!other) other = labelled(kOther);
  return *other;
}

void Metrics::Families::completed(const std::string& id, Instant at) {
  auto& known = agent(id);
  if (known.label == id) known.last_completed = at;
}

Agent Metrics::Families::labelled(const std::string& label) {
  Agent added;
  added.label = label;
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) added.runs[i] = &runs.Add({{"agent", label}, {"outcome", port::name(kOutcomes[i])}});
  for (const char* reason : kRetryReasons) retries.Add({{"agent", label}, {"reason", reason}});
  return added;
}

const Tool& Metrics::Families::tool(const std::string& name) {
  const auto found = tool_by_name.find(name);
  if (found != tool_by_name.end()) return found->second;
  if (tool_by_name.size() >= kToolLabels && name != kOther) return tool(kOther);
  Tool added;
  for (std::size_t i = 0; i < kToolOutcomes.size(); ++i) added.calls[i] = &tool_calls.Add({{"tool", name}, {"outcome", event::name(kToolOutcomes[i])}});
  added.duration = &tool_duration.Add({{"tool", name}}, kCallBuckets);
  return tool_by_name.emplace(name, added).first->second;
}

const Model& Metrics::Families::model(const std::string& provider, const std::string& name) {
  std::string key = provider + '\n' + name;
  const auto found = model_by_name.find(key);
  if (found != model_by_name.end()) return found->second;
  if (model_by_name.size() >= kModelLabels && name != kOther) return model(provider, kOther);
  Model added;
  for (std::size_t i = 0; i < kCallOutcomes.size(); ++i)
    added.calls[i] = &model_calls.Add({{"provider", provider}, {"model", name}, {"outcome", kCallOutcomes[i]}});
  for (std::size_t i = 0; i < kTokenTypes.size(); ++i) added.tokens[i] = &tokens.Add({{"provider", provider}, {"model", name}, {"type", kTokenTypes[i]}});
  added.duration = &model_duration.Add({{"provider", provider}, {"model", name}}, kCallBuckets);
  return model_by_name.emplace(std::move(key), added).first->second;
}

Counter& Metrics::Families::cost_of(const std::string& agent_id, const std::string& model_name) {
  const auto& label = agent(agent_id).label;
  std::string key = label + '\n' + model_name;
  const auto known = cost_by_name.find(key);
  if (known != cost_by_name.end()) return *known->second;
  if (cost_by_name.size() >= kCostSeries && model_name != kOther) return cost_of(agent_id, kOther);
  return *cost_by_name.emplace(std::move(key), &cost.Add({{"agent", label}, {"model", model_name}})).first->second;
}

std::size_t Metrics::Families::index(port::RunStatus status) {
  std::size_t i = 0;
  while (i + 1 < kOutcomes.size() && kOutcomes[i] != status) ++i;
  return i;
}

void Metrics::Families::model_call(const event::Answered& a, const std::string& agent_id) {
  const auto& m = model(a.provider, a.model);
  m.calls[0]->Increment();
  m.duration->Observe(seconds(a.duration_ms));
  if (a.usage) {
    const std::array counts = {a.usage->input_tokens, a.usage->output_tokens, a.usage->cache_read_tokens, a.usage->cache_write_tokens, a.usage->reasoning_tokens};
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] > 0) m.tokens[i]->Increment(static_cast<double>(counts[i]));
  }
  if (a.cost > 0) cost_of(agent_id, a.model).Increment(static_cast<double>(a.cost) / 1e9);
}

void Metrics::Families::tool_call(const std::string& name, event::ToolOutcome outcome, std::int64_t duration_ms) {
  const auto& t = tool(name);
  t.calls[static_cast<std::size_t>(outcome)]->Increment();
  t.duration->Observe(seconds(duration_ms));
}

void Metrics::Families::see(const port::StoredRecord& record, const event::Entered& entered) {
  if (port::is_final(record.status)) agent(record.agent_id).runs[index(record.status)]->Increment();
  if (!entered.scheduled_at && entered.count == 0) return;  // of no slot
  const auto stands_for = static_cast<double>(std::max<std::int64_t>(1, entered.count));
  switch (record.status) {
    case port::RunStatus::skipped: return slot[1]->Increment(stands_for);
    case port::RunStatus::dropped: return slot[2]->Increment(stands_for);
    case port::RunStatus::missed: return slot[entered.into ? 4 : 3]->Increment(stands_for);
    default: if (!entered.gated) slot[0]->Increment();
  }
  if (entered.scheduled_at) lateness.Observe(std::max(0.0, seconds((record.at - *entered.scheduled_at).count())));
}

void Metrics::Families::lost(const std::optional<event::ModelCall>& call) {
  if (call) model(call->provider, call->model).calls[2]->Increment();
}

void Metrics::Families::see(const port::StoredRecord&, const event::Started& started) { lost(started.unsure); }
void Metrics::Families::see(const port::StoredRecord&, const event::Released& released) { lost(released.unsure); }

void Metrics::Families::see(const port::StoredRecord& record, const event::Answered& answered) {
  model_call(answered, record.agent_id);
  for (const auto& call : answered.calls)
    if (call.refused && !call.recorded) tool_call(call.known ? call.tool : "unknown", *call.refused, 0);
}

void Metrics::Families::see(const port::StoredRecord&, const event::ToolFinished& finished) { tool_call(finished.tool, finished.outcome, finished.duration_ms); }

void Metrics::Families::see(const port::StoredRecord& record, const event::CallFailed& failed) {
  const auto& m = model(failed.provider, failed.model);
  m.calls[1]->Increment();
  m.duration->Observe(seconds(failed.duration_ms));
  if (failed.retry_after_ms >= 0) retries.Add({{"agent", agent(record.agent_id).label}, {"reason", port::name(failed.failure)}}).Increment();
}

void Metrics::Families::see(const port::StoredRecord& record, const event::Waiting& waiting) {
  lost(waiting.unsure);
  if (!waiting.ends_attempt) return;
  const char* reason = waiting.fault ? name(waiting.fault->error_class) : "retryable";
  retries.Add({{"agent", agent(record.agent_id).label}, {"reason", reason}}).Increment();
}

void Metrics::Families::see(const port::StoredRecord&, const event::Gated& gated) {
  if (gated.scheduled_at) slot[gated.proceed ? 0 : 5]->Increment();
}

void Metrics::Families::see(const port::StoredRecord& record, const event::Ended& ended) {
  if (ended.answer) see(record, *ended.answer);
  lost(ended.unsure);
  const auto i = index(ended.status);
  agent(record.agent_id).runs[i]->Increment();
  duration[i]->Observe(seconds(ended.duration_ms));
  if (ended.status == port::RunStatus::completed && !event::is_aside(ended)) completed(record.agent_id, record.at);
}

void Metrics::Families::see(const port::StoredRecord&, const event::Delivered& delivered) {
  deliveries.Add({{"sink", delivered.sink}, {"outcome", "delivered"}}).Increment();
}

void Metrics::Families::see(const port::StoredRecord&, const event::Undelivered& undelivered) {
  deliveries.Add({{"sink", undelivered.sink}, {"outcome", undelivered.retry_after_ms >= 0 ? "retried" : "failed"}}).Increment();
}

void Metrics::Families::see(const port::StoredRecord&, const event::AlertRaised& alert) {
  alerts_raised.Add({{"rule", alert.rule}, {"severity", alert.severity}}).Increment();
}

void Metrics::Families::show(const std::vector<Snapshot::Agent>& agents_now) {
  std::map<std::string, std::pair<double, double>> queues;  // the agents past the bound share one label
  for (const auto& now : agents_now) {
    const auto& known = agent(now.id);
    queues[known.label].first += static_cast<double>(now.queue_depth);
    queues[known.label].second += static_cast<double>(now.queue_capacity);
    if (known.label != now.id) continue;
    if (known.last_completed) last_completed.set({{"agent", now.id}}, unix_seconds(*known.last_completed));
    if (now.next_slot) next_slot.set({{"agent", now.id}}, unix_seconds(*now.next_slot));
  }
  for (const auto& [label, queue] : queues) {
    queue_depth.set({{"agent", label}}, queue.first);
    queue_capacity.set({{"agent", label}}, queue.second);
  }
  for (auto* family : {&last_completed, &next_slot, &queue_depth, &queue_capacity}) family->end_scrape();
}

Metrics::Metrics(const Build& build) : families_(std::make_unique<Families>()) {
  auto& f = *families_;
  f.build_info.Add({{"version", build.version}, {"revision", build.revision}, {"compiler", build.compiler}}).Set(1);
  for (std::size_t i = 0; i < kDispositions.size(); ++i) f.slot[i] = &f.slots.Add({{"disposition", kDispositions[i]}});
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) f.duration[i] = &f.run_duration.Add({{"outcome", port::name(kOutcomes[i])}}, kRunBuckets);
  f.tool("unknown");
}
Metrics::~Metrics() = default;

void Metrics::know_agent(const std::string& agent_id, const std::string& model) {
  families_->agent(agent_id);
  if (!model.empty()) families_->cost_of(agent_id, model);
}
void Metrics::know_completed(const std::string& agent_id, std::optional<Instant> at) {
  if (!families_->agent(agent_id).last_completed) families_->completed(agent_id, at.value_or(Instant()));
}
void Metrics::know_tool(const std::string& tool) { families_->tool(tool); }
void Metrics::know_sink(const std::string& sink) {
  for (const char* outcome : {"delivered", "failed", "retried"}) families_->deliveries.Add({{"sink", sink}, {"outcome", outcome}});
}
void Metrics::know_alert(const std::string& rule, const std::string& severity) { families_->alerts_raised.Add({{"rule", rule}, {"severity", severity}}); }
void Metrics::know_route(const std::string& route) { families_->http_duration.Add({{"route", route}}, kCallBuckets); }
void Metrics::know_model(const std::string& provider, const std::string& model) { families_->model(provider, model); }

void Metrics::observe(const port::StoredRecord& record, const event::Decoded& decoded) {
  std::visit([&](const auto& body) { families_->see(record, body); }, decoded.body);
}

void Metrics::observe_elsewhere(const port::StoredRecord& record, const event::Decoded& decoded) {
  const auto* ended = std::get_if<event::Ended>(&decoded.body);
  if (ended && !event::is_aside(*ended) && ended->status == port::RunStatus::completed) families_->completed(record.agent_id, record.at);
}

void Metrics::observe_group(const port::Ledger::Vitals& vitals) {
  families_->commit_duration.Observe(vitals.last_commit_seconds);
  families_->group_size.Observe(static_cast<double>(vitals.last_group_size));
  families_->records.Increment(static_cast<double>(vitals.last_group_size));
}

void Metrics::observe_embedding(const EmbeddingCall& call) {
  const auto& model = families_->model(call.provider, call.model);
  model.calls[call.answered ? 0 : 1]->Increment();
  model.duration->Observe(seconds(call.duration.count()));
  if (call.tokens > 0) model.tokens[0]->Increment(static_cast<double>(call.tokens));
  if (call.cost > 0) families_->cost_of(call.agent, call.model).Increment(static_cast<double>(call.cost) / 1e9);
}

void Metrics::observe_http(const std::string& route, std::string_view method, int code, double took) {
  families_->http_requests.Add({{"route", route}, {"method", std::string(method)}, {"code", std::to_string(code)}}).Increment();
  families_->http_duration.Add({{"route", route}}, kCallBuckets).Observe(took);
}

std::uint64_t Metrics::declare(const std::string& component, const std::string& instance, bool gauge, const std::string& name, const std::string& help) {
  auto& f = *families_;
  const std::string full = "agentd_plugin_" + component + '_' + name;
  if (f.own.size() >= 10'000 || full.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != full.npos) return 0;
  Own own;
  if (gauge) {
    if (f.own_counters.contains(full)) return 0;
    auto& family = f.own_gauges[full];
    if (!family) family = &f.gauge(full.c_str(), help.c_str());
    own.gauge = &family->Add({{"instance", instance}});
  } else {
    if (f.own_gauges.contains(full)) return 0;
    auto& family = f.own_counters[full];
    if (!family) family = &f.counter(full.c_str(), help.c_str());
    own.counter = &family->Add({{"instance", instance}});
  }
  f.own.push_back(own);
  return f.own.size();
}

void Metrics::add(std::uint64_t metric, double value) {
  if (metric == 0 || metric > families_->own.size()) return;
  const auto& own = families_->own[metric - 1];
  if (own.gauge) own.gauge->Increment(value);
  else if (value > 0) own.counter->Increment(value);
}

void Metrics::set(std::uint64_t metric, double value) {
  if (metric == 0 || metric > families_->own.size()) return;
  if (const auto& own = families_->own[metric - 1]; own.gauge) own.gauge->Set(value);
}

std::string Metrics::render(const Snapshot& now) {
  auto& f = *families_;
  for (const auto& [state, count] : now.agents_by_state) f.agents.Add({{"state", state}}).Set(count);
  f.in_flight.Set(static_cast<double>(now.runs_in_flight));
  f.quarantined.Set(static_cast<double>(now.quarantined_runs));
  f.approvals.Set(static_cast<double>(now.approvals_pending));
  f.wal_bytes.Set(static_cast<double>(now.wal_bytes));
  f.reload_ok.Set(now.last_reload_successful ? 1 : 0);
  f.show(now.agents);
  for (const auto& budget : now.budgets)
    if (budget.agent.empty() || f.agent(budget.agent).label == budget.agent)  // a ratio of those past the bound together means nothing
      f.budget_used.set({{"agent", budget.agent}, {"window", "day"}, {"resource", budget.resource}}, budget.used_ratio);
  f.budget_used.end_scrape();
  for (const auto& [state, count] : now.plugins_by_state) f.plugins.Add({{"state", state}}).Set(count);
  for (const auto& [plugin, count] : now.stale_finishes) {
    auto& counter = f.stale.Add({{"plugin", plugin}});
    counter.Increment(static_cast<double>(count) - counter.Value());
  }
  for (const auto& [store, lag] : now.event_store_lag_seconds) f.lag.set({{"store", store}}, lag);
  f.lag.end_scrape();
  for (const auto& [name, held] : now.leases) f.leases.set({{"name", name}}, held ? 1 : 0);
  f.leases.end_scrape();
  for (const auto& [provider, open] : now.provider_circuit_open) f.circuit.Add({{"provider", provider}}).Set(open ? 1 : 0);
  for (const auto& [alert, count] : now.alerts_firing) f.alerts_firing.Add({{"rule", alert.first}, {"severity", alert.second}}).Set(count);
  auto collected = f.registry->Collect();
  if (!now.of_fleet) std::erase_if(collected, [](const auto& family) { return std::ranges::find(kOfFleet, family.name) != kOfFleet.end(); });
  for (auto& family : collected)  // as they come from a hash table, they are in another order on every host
    std::ranges::sort(family.metric, [](const auto& a, const auto& b) { return a.label < b.label; });
  return prometheus::TextSerializer().Serialize(collected) + process_metrics();
}

}  // namespace agentd::metrics
