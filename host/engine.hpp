// The engine as a whole: ledger, journal, agents and the worker that runs them, made in this order and ended in reverse.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/event/copier.hpp"
#include "core/run/worker.hpp"
#include "host/deliverer.hpp"
#include "host/gone_sinks.hpp"
#include "host/deltas.hpp"
#include "host/ground.hpp"
#include "host/journal.hpp"
#include "host/leases.hpp"
#include "host/roster.hpp"

namespace agentd::host {

// The engine thread only.
class Engine {
 public:
  struct Options {
    bool dry_run = false;
    bool can_ask = true;  // people, about calls of tools.ask
    bool delivers = true;
  };
  Engine(Ground& ground, const manifest::HostConfig& config, Options options) : ground_(ground), config_(config), options_(options), deltas_(ground.clock) {}

  // Opens plugins, stores and the ledger. The error says what to do about it.
  Async<Result<void>> open();
  // Reads the manifests of the configuration's folders, and those that came through the API, and takes their agents, part by part.
  Async<void> load_agents(std::vector<std::string> folders, std::string working_folder);
  // Reads them again and takes what has changed, with its records. An error: of the folders themselves, and nothing has changed.
  Async<Result<Changes>> load_agents_again(std::vector<std::string> folders, std::string working_folder);
  // Plugin files that came while the host runs, in its story and in the log.
  Async<void> record(Ports::News news);
  // An agent that came or changed by itself: what is counted and logged of it.
  void know(const Member& member);
  // Takes the agents that can run; the others stay in the roster as refused.
  Async<void> take(std::vector<manifest::LoadedAgent> agents);
  // Records the start with what was loaded, then claims runs.
  Async<Result<void>> start();
  // Lets running steps end, at most so long. What is left is to answer who asks, until the engine is closed.
  Async<void> stop(Millis drain_timeout, std::string reason);
  // Of every port: nobody may ask for anything any more.
  Async<void> close();

  port::Ledger& ledger() { return *ledger_; }
  port::LedgerUpkeep& upkeep() { return *ledger_; }
  port::LedgerSharing& sharing() { return *ledger_; }
  Leases& leases() { return *leases_; }
  Journal& journal() { return *journal_; }
  Deltas& deltas() { return deltas_; }
  Roster& roster() { return *roster_; }
  Modes& modes() { return *modes_; }
  SentAgents& sent() { return *sent_; }
  run::Worker& worker() { return *worker_; }
  const std::vector<std::unique_ptr<event::Copier>>& copiers() const { return copiers_; }

 private:
  static constexpr std::size_t kAtOnce = 1024;  // records of changed agents

  manifest::FoundAgents find_agents(const std::vector<std::string>& folders, const std::string& working_folder) const;
  void know_labels();
  void tell_recall(const manifest::LoadedAgent& loaded);
  void tell_refused(std::size_t known);  // those after so many, each when it is another reason than before
  Async<Result<void>> record_start();
  void know_labels(const Means& means);
  Async<void> record_change(const Member& member, event::AgentChanged::What what);
  Async<void> know_completed(std::vector<std::string> agents);
  Async<void> know_spent();
  Async<Result<void>> hear_of_cancels();
  port::Record record_of(const plugin::Library& library) const;
  port::Record record_of(const plugin::Catalog::Broken& broken) const;  // told in the log, too
  Async<void> copy(event::Copier& copier);
  Async<void> start_deliverers();
  Async<void> let_copies_catch_up();
  Async<void> deliver(Deliverer& deliverer);

  Ground& ground_;
  const manifest::HostConfig& config_;
  const Options options_;
  Deltas deltas_;
  std::unique_ptr<plugin::LedgerPort> ledger_;
  std::optional<Leases> leases_;
  std::optional<Journal> journal_;
  std::optional<Modes> modes_;
  std::optional<SentAgents> sent_;
  std::optional<Roster> roster_;
  std::optional<run::Worker> worker_;
  std::vector<std::unique_ptr<event::Copier>> copiers_;
  std::vector<std::unique_ptr<Sink>> gone_sinks_;
  std::vector<std::unique_ptr<Deliverer>> deliverers_;
  std::map<std::string, std::string> told_;  // of refused agents: why
  std::set<std::string> told_of_recall_;
  std::size_t copying_ = 0;
  std::stop_source stop_copying_;
};

}  // namespace agentd::host
