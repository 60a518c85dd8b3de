// What Prometheus sees: counters are fed by committed records, gauges are read when somebody asks. Names, labels and units are a
// contract with dashboards.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/event/record.hpp"
#include "core/port/ledger.hpp"

namespace agentd::metrics {

struct Build {
  std::string version, revision, compiler;
};

// What is so at the moment of a scrape.
struct Snapshot {
  struct Agent {
    std::string id;
    std::size_t queue_depth = 0, queue_capacity = 0;
    std::optional<Instant> next_slot;
  };
  std::vector<Agent> agents;
  struct Budget {
    std::string agent;     // empty: the host's
    std::string resource;  // tokens or cost, of the UTC day
    double used_ratio = 0; // spent and held, of the limit
  };
  std::vector<Budget> budgets;
  std::map<std::string, int> agents_by_state;   // idle, running, error, paused, stopped
  std::size_t runs_in_flight = 0;
  std::size_t quarantined_runs = 0;
  std::size_t approvals_pending = 0;
  std::map<std::string, int> plugins_by_state;  // loaded, failed
  std::map<std::string, std::uint64_t> stale_finishes;        // by plugin
  std::map<std::string, double> event_store_lag_seconds;      // by store
  std::map<std::string, bool> provider_circuit_open;          // by provider
  std::map<std::pair<std::string, std::string>, int> alerts_firing;  // by rule and severity
  std::map<std::string, bool> leases;                         // by name, whether this process holds it; none where no ledger is shared
  bool of_fleet = true;  // what is so of all processes that share the ledger is exported here: false where another one exports it
  std::uint64_t wal_bytes = 0;
  bool last_reload_successful = true;
};

// The engine thread only. The `agent` label is bounded: past the first 1,000 agents the rest are `other`, never for timestamps.
class Metrics {
 public:
  static constexpr std::size_t kAgentLabels = 1000;

  explicit Metrics(const Build& build);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Label values that are known before anything happens are exported as 0 from then on.
  void know_agent(const std::string& agent_id, const std::string& model);
  // Its last completed run before this process began, or that there is none: until then its timestamp is not shown, for 0 would be
  // a lie. One that was seen since counts more.
  void know_completed(const std::string& agent_id, std::optional<Instant> at);
  void know_tool(const std::string& tool);
  void know_sink(const std::string& sink);
  void know_model(const std::string& provider, const std::string& model);
  void know_alert(const std::string& rule, const std::string& severity);
  void know_route(const std::string& route);  // of the API; with which code it answers is not known

  void observe(const port::StoredRecord& record, const event::Decoded& decoded);
  // A record that another process wrote into the same ledger: it has counted it.
  void observe_elsewhere(const port::StoredRecord& record, const event::Decoded& decoded);
  void observe_group(const port::Ledger::Vitals& vitals);
  // A request for vectors: told beside the records, which name what it came to for a run, and for a run alone.
  struct EmbeddingCall {
    const std::string& agent;
    const std::string& provider;
    const std::string& model;
    bool answered = false;
    std::int64_t tokens = -1;  // -1: not said
    NanoDollars cost = 0;
    Millis duration{0};
  };
  void observe_embedding(const EmbeddingCall& call);
  void observe_http(const std::string& route, std::string_view method, int code, double seconds);

  // A plugin's own metric: agentd_plugin_<component>_<name>{instance}. A handle, or 0 when the name is bad or taken with another kind.
  std::uint64_t declare(const std::string& component, const std::string& instance, bool gauge, const std::string& name, const std::string& help);
  void add(std::uint64_t metric, double value);
  void set(std::uint64_t metric, double value);

  // The exposition format, version 0.0.4. What is told of one agent, its counters aside, is told while the snapshot has it.
  std::string render(const Snapshot& now);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace agentd::metrics
