// The agents that this host runs: read from their manifests, each with everything its runs need; and the ones that were refused.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/manifest/agents.hpp"
#include "core/manifest/chains.hpp"
#include "core/port/ledger.hpp"
#include "core/run/agent.hpp"
#include "core/schedule/ticker.hpp"
#include "host/judge.hpp"
#include "host/members.hpp"
#include "host/modes.hpp"
#include "host/ports.hpp"
#include "host/prepared.hpp"
#include "host/sent_agents.hpp"

namespace agentd::host {

struct RefusedAgent {
  std::string agent_id;
  std::string file;
  std::vector<manifest::Problem> problems;
};

// What reading the manifests again came to. Those that were removed are as they were.
struct Changes {
  std::vector<MemberRef> created, updated, removed;
};

// Reads manifests, twice where toolsets are narrowed, so that all problems are told at their place.
Async<manifest::LoadedAgents> read_agents(std::vector<std::string> folders, const manifest::HostConfig& config, const Ports& ports, std::string working_folder);
// The next agents of those that were found: a bounded number; none: there are no more. `at` is where they begin, and moves on.
struct PlaceInFolders {
  std::size_t folder = 0, first = 0;
};
Async<std::vector<manifest::LoadedAgent>> read_some_agents(const manifest::FoundAgents& found, PlaceInFolders& at, const manifest::HostConfig& config, Judge& judge);
// The same of agents that came through the API, after one id; an empty id: from the first. None: there are no more.
Async<std::vector<manifest::LoadedAgent>> read_some_sent(const SentAgents& sent, std::string after, const manifest::FoundAgents& found, const manifest::HostConfig& config, Judge& judge);
Async<manifest::LoadedAgent> read_one_agent(std::string file, const manifest::HostConfig& config, const Ports& ports);

// The cursor with the last revision of an agent that was removed: what has its name later does not go back to it.
std::string removed_cursor(const std::string& agent_id);

// The engine thread only; outlives the worker.
class Roster final : public run::AgentSource, public Members {
 public:
  // is_shared: other processes have the ledger open too, with manifests of their own that may be newer or older than what is here.
  Roster(const manifest::HostConfig& config, const Ports& ports, port::Ledger& ledger, const Modes& modes, bool is_shared = false)
      : config_(config), ports_(ports), ledger_(ledger), modes_(modes), is_shared_(is_shared) {}

  // Keeps the specs of what was read as revisions, all in one transaction. What cannot be prepared for a run is refused, with reasons.
  Async<void> take(std::vector<manifest::LoadedAgent> agents);

  const std::vector<RefusedAgent>& refused() const { return refused_; }
  // Some were refused for what is not in their text: a file that cannot be read now, a ledger that takes nothing.
  bool may_pass() const;
  const std::set<Means>& means() const { return means_; }
  // Takes out the agents whose chains lead back to themselves. All are here.
  void refuse_cycles();
  // What is broken in a file runs by its last good revision, where the ledger has it and what it needs is here; not what was removed
  // since, nor what is one of these, which came through the API. Answers with what the log says of each. All are here; before cycles
  // are refused.
  struct WentBack {
    std::string agent_id, told;
  };
  Async<std::vector<WentBack>> go_back_for_refused(std::vector<std::string> sent);
  // Refused agents follow whom they followed when they were last taken. All are here.
  Async<void> stand_in_for_refused();

  // The manifests are read again, part by part: what is as it was is left alone, what is gone is removed, and of what is broken now the
  // last good revision stays. One story of these at a time.
  void begin_again();
  void look_again(std::vector<manifest::LoadedAgent> agents);
  Async<Changes> end_again();
  // Another process has a newer revision of it: what is here is compared with that when manifests are read again.
  void moved_on(const std::string& agent_id) { moved_on_.insert(agent_id); }
  // What is not as the files here say, for the log; each once.
  std::vector<std::string> news() { return std::exchange(news_, {}); }
  // As the modes say now.
  void take_mode(const std::string& agent_id);

  // One agent while the host runs. What it would be; the revision it has is not kept yet. An error: why it could not run.
  Async<Result<Member>> make_member(const manifest::LoadedAgent& loaded);
  // What is wrong with whom it follows: a chain that would never end.
  std::optional<manifest::Problem> cycle_with(const manifest::LoadedAgent& loaded) const;
  // From now on it is this. It is not refused any more.
  MemberRef adopt(Member member, std::vector<manifest::ChainLink> links);
  // Runs that begin from now on have what plugins offer now.
  void prepare_anew() { prepared_.clear(); }
  // It is gone; also where it was refused.
  void drop(const std::string& agent_id);

  Async<Result<run::AgentRef>> agent(std::string agent_id, std::int64_t revision) override;
  Async<Result<run::AgentRef>> agent_with(std::string agent_id, std::int64_t revision, Change change) override;
  // Where the agent remembers, by type; an error names a store that cannot be used.
  Result<memory::Stores> stores_for(const manifest::AgentSpec& spec) const;

 private:
  static constexpr std::size_t kPrepared = 1024;

  using Links = std::map<std::string, std::vector<manifest::ChainLink>>;  // by the agent that follows
  struct Again {
    std::set<std::string> seen;
    std::vector<manifest::LoadedAgent> changed;
    Links links;
    std::vector<RefusedAgent> refused;
  };
  static bool refuse_a_cycle(Again& again, const Links& before);
  Async<void> consider(const manifest::LoadedAgent& loaded, std::vector<Member>& fit);
  Async<void> keep(std::vector<Member> members);
  bool is_newest(const Member& member) const;
  Async<void> go_on_with(Member member, port::KeptSpec current);
  Async<Result<std::string>> text_of(std::string agent_id, std::int64_t revision);
  Async<Result<manifest::AgentSpec>> spec_of(std::string agent_id, std::int64_t revision);
  Async<Result<run::AgentRef>> prepare(manifest::AgentSpec spec);
  Async<Result<tool::Catalog>> tools_for(const manifest::AgentSpec& spec);
  const std::string& store_of(const manifest::AgentSpec& spec, const char* type) const;
  void know_followed(const manifest::LoadedAgent& loaded);
  Async<Result<void>> go_back(std::string file, port::SpecRevision kept);
  void tell_of_no_way_back();
  Async<void> mark_removed(std::vector<MemberRef> removed, std::vector<MemberRef> created);
  void refuse(const std::string& agent_id, const std::string& file, std::string why);

  const manifest::HostConfig& config_;
  const Ports& ports_;
  port::Ledger& ledger_;
  const Modes& modes_;
  std::vector<RefusedAgent> refused_;
  std::set<Means> means_;
  const bool is_shared_;
  std::set<std::string> moved_on_;
  std::map<std::string, std::string> superseded_;  // by agent, what its file here says, which another process has superseded
  std::set<std::string> missing_;  // agents whose files were here
  std::vector<std::string> news_;
  Links links_;
  std::map<std::string, std::string> no_way_back_;  // of refused agents: why the last good revision does not run either
  Again again_;
  Prepared prepared_{kPrepared};  // of the current revisions, and of earlier ones that runs in the ledger still ask for
};

}  // namespace agentd::host
