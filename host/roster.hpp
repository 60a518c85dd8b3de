// The agents that this host runs: read from their manifests, each with everything its runs need; and the ones that were refused.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/manifest/agents.hpp"
#include "core/port/ledger.hpp"
#include "core/run/agent.hpp"
#include "core/schedule/schedule.hpp"
#include "host/judge.hpp"
#include "host/ports.hpp"

namespace agentd::host {

struct Member {
  manifest::AgentSpec spec;
  std::string file;                            // as people see it
  std::int64_t revision = 0;
  std::optional<event::AgentChanged::What> change;  // what this start did to it: created or updated
  bool new_schedule = false;                   // and with it another schedule
  run::AgentRef ready;                         // of this revision
  std::optional<schedule::Schedule> schedule;  // nothing: by hand or by triggers only
  std::vector<std::string> tools;              // full names of those it may call
};

struct RefusedAgent {
  std::string agent_id;
  std::string file;
  std::vector<manifest::Problem> problems;
};

// Reads manifests, twice where toolsets are narrowed, so that all problems are told at their place.
Async<manifest::LoadedAgents> read_agents(std::vector<std::string> folders, const manifest::HostConfig& config, const Ports& ports, std::string working_folder);
Async<manifest::LoadedAgent> read_one_agent(std::string file, const manifest::HostConfig& config, const Ports& ports);

// The engine thread only; outlives the worker.
class Roster final : public run::AgentSource {
 public:
  Roster(const manifest::HostConfig& config, const Ports& ports, port::Ledger& ledger) : config_(config), ports_(ports), ledger_(ledger) {}

  // Prepares what was read and keeps each spec as a revision. What cannot be prepared is refused, with reasons.
  Async<void> take(std::vector<manifest::LoadedAgent> agents);

  const std::map<std::string, Member>& members() const { return members_; }
  const std::vector<RefusedAgent>& refused() const { return refused_; }
  const Member* find(const std::string& agent_id) const;

  Async<Result<run::AgentRef>> agent(std::string agent_id, std::int64_t revision) override;

 private:
  static constexpr std::size_t kPastRevisions = 256;
  static constexpr std::size_t kAtOnce = 256;  // agents that are prepared at a time
  using Past = std::pair<std::string, std::int64_t>;

  Async<void> take_one(manifest::LoadedAgent loaded);
  Async<Result<void>> keep(Member& member);
  Async<Result<run::AgentRef>> prepare(manifest::AgentSpec spec);
  Async<Result<tool::Catalog>> tools_for(const manifest::AgentSpec& spec);
  Result<memory::Stores> stores_for(const manifest::AgentSpec& spec) const;
  void refuse(const manifest::LoadedAgent& loaded, std::string why);

  const manifest::HostConfig& config_;
  const Ports& ports_;
  port::Ledger& ledger_;
  std::map<std::string, Member> members_;
  std::vector<RefusedAgent> refused_;
  std::map<Past, run::AgentRef> past_;  // revisions that runs in the ledger still ask for
};

}  // namespace agentd::host
