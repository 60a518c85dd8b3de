// The rules that call a person: what they see goes to the board of alerts.
//
//   silent         an agent has not completed a run for alerts.silent_after           critical
//   failures       alerts.consecutive_failures of its runs have failed in a row       warning
//   budget         alerts.budget_ratio of a budget of the day is used                 warning
//   quarantine     a run of an agent is in quarantine                                 warning
//   undelivered    a sink was not told what it was to be told                         warning
//   event_lag      an event store is minutes behind                                   warning
//   provider_down  a provider refuses its credentials or its quota is used up         critical
//   paused         an agent is paused by its retry.pause_after_failures               warning
//   refused        an agent's manifest is broken: it does not run, or runs as it was  critical
//   stranded       runs wait of an agent that is not here                            warning
//   replicas       some of the replicas that are to be are not there                 warning
//   clock          a replica's clock is not the ledger's                             critical
//   memory         a run for an agent's memory failed: no summary, no lessons          warning
//   plugin_stuck   calls of a plugin ignore their deadline, or disabled it            warning
//
// Alerts of an agent go to its alerts.sinks. Those of the host, and of agents that name none, go to [defaults] alerts.sinks.
#pragma once
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/alert/board.hpp"
#include "core/event/copier.hpp"
#include "core/manifest/host_config.hpp"
#include "host/journal.hpp"
#include "host/leases.hpp"
#include "host/members.hpp"
#include "host/modes.hpp"
#include "host/ports.hpp"
#include "host/roster.hpp"

namespace agentd::host {

// The engine thread only.
class Watch {
 public:
  static constexpr Millis kLookEvery{5'000};
  struct Ground {
    World world;
    port::Ledger& ledger;
    Leases& leases;
    port::LedgerSharing& sharing;
    const manifest::HostConfig& config;
    const Roster& roster;
    const Ports& ports;
    const Modes& modes;
    const std::vector<std::unique_ptr<event::Copier>>& copiers;
    Journal& journal;
    const Log& log;
  };
  explicit Watch(Ground ground);

  // An agent that came or changed while the host runs, or whose mode did.
  void take(const Member& member);
  void leave(const std::string& agent_id);
  void take_defaults();  // of the configuration: they are others now

  // What is firing is known, and what has changed since is being found out.
  Async<Result<void>> start();
  Async<void> stop();
  const alert::Board& board() const { return board_; }
  // Every rule with the severity of its alerts.
  static std::vector<std::pair<const char*, const char*>> rules();

 private:
  struct Watched {
    manifest::Alerts alerts;
    Instant completed_at{};  // its last completed run; of one that has none: since when it is watched
    bool is_known = false;   // completed_at is not just when this host began
  };
  using Deadline = std::pair<Instant, std::string>;
  std::vector<std::string> sinks_of(const std::string& agent_id) const;
  void see(const port::StoredRecord& record, const event::Body& body);
  void see_end(const port::StoredRecord& record, const event::Ended& ended);
  void await_completion(const std::string& agent_id, Instant since);
  Async<void> find_completed(std::string agent_id);
  void find_out(const std::string& agent_id);
  Async<Instant> watched_since(std::string agent_id);
  Async<void> keep_watch(std::optional<Leases::Tenure> tenure);
  Async<Result<void>> begin(const port::Fence& fence);
  Async<void> look_back();
  Async<void> look_again(std::stop_token until);
  void look_at_silence();
  void look_at_digest(const port::StoredRecord& record, const event::Ended& ended);
  void look_at_failures(const std::string& agent_id, const Watched& watched);
  void look_at_budgets();
  void look_at_budget(const std::string& agent_id, const std::string& account, const port::Spend& limit, double ratio);
  void look_at_providers();
  void look_at_paused();
  void look_at_plugins();
  void look_at_refused();
  Async<void> look_at_stranded();
  Async<void> look_at_replicas();
  void look_at_clocks_of(const std::vector<port::WorkerSession>& sessions);
  void look_at_clock();
  // Those of a rule whose subject or agent is there no more.
  template <class Exists>
  void clear_gone(const char* rule, Exists exists);
  Async<void> catch_up();
  Async<void> save();
  void look_at_event_stores();
  void forget_strangers();

  const Ground ground_;
  alert::Board board_;
  manifest::Alerts of_host_;
  std::map<std::string, Watched> watched_;  // agents with alerts
  std::set<Deadline> silence_;              // when each of them has been silent for too long
  std::set<std::string> was_away_;          // paused or stopped: its silence is counted from when it is back
  Position seen_ = 0, saved_ = 0;           // records up to here have been looked at, and by whoever starts next need not be
  Instant last_look_{};
  port::Fence fence_;
  int missing_ = 0;  // looks in a row at which replicas were
  int looking_ = 0;
  std::stop_source stopping_;
};

}  // namespace agentd::host
