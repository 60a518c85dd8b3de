// What a group that is being written will have changed: laid over the mirror, put into it when the group is durable, forgotten when it
// is not. Decisions within the group see what came before them in it.
#pragma once
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mirror.hpp"

namespace agentd::ledger {

// The writer's thread. It takes the mirror's lock by itself, briefly.
class Draft {
 public:
  struct AgentChange {
    Agent* agent = nullptr;
    std::int64_t new_id = 0;
    std::optional<Stats> stats;
    std::optional<std::uint32_t> max_concurrent;
    std::ptrdiff_t live = 0, in_line = 0, asides_in_line = 0;  // more than the mirror knows of
    std::ptrdiff_t& line(bool aside) { return aside ? asides_in_line : in_line; }
    std::int64_t new_newest = 0;          // 0: as the mirror knows it
    bool ended_one = false;               // a run of it became final
    std::int64_t newest() const { return new_newest ? new_newest : agent->newest; }
    std::int64_t id() const { return new_id ? new_id : agent->id; }
  };
  struct RunChange {
    LiveRun run;  // of a run that the mirror knows: without its payload
    bool is_new = false;
    bool known_to_row = true;
  };
  enum class Verdict { accept, skip, full };

  Draft(Mirror& mirror, std::mutex& mutex) : mirror_(mirror), mutex_(mutex) {}
  ~Draft() { release_pins(); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  AgentChange& agent(std::string_view name);
  AgentChange& agent(Agent& agent);
  // The run as this group found or made it, if it lives and is held at this generation; else nothing.
  RunChange* run(const agentd_run_id& id, std::uint64_t generation);
  Verdict judge(const AgentChange& agent, std::int32_t overlap, std::uint32_t queue_size) const;
  std::vector<agentd_run_id> live_runs(const AgentChange& agent) const;
  Stats stats(const AgentChange& agent) const { return agent.stats ? *agent.stats : agent.agent->stats; }

  void enter(AgentChange& agent, LiveRun run);
  bool knows(std::int64_t run) const { return runs_.contains(run); }
  void end_or_park(RunChange& change, std::int32_t status, std::int64_t due, std::int64_t now);  // queued, waiting or final

  // The group is durable. True: a claim may find something that it did not find before.
  // noexcept: it throws only when memory is out, and a ledger that knows less than its disk must not go on.
  bool apply() noexcept;
  const std::vector<Agent*>& touched() const { return touched_; }
  std::unordered_map<Agent*, AgentChange>& agents() { return agents_; }

 private:
  void release_pins();

  Mirror& mirror_;
  std::mutex& mutex_;
  std::unordered_map<Agent*, AgentChange> agents_;
  std::unordered_map<std::int64_t, RunChange> runs_;
  std::vector<Agent*> touched_;        // agents_ in the order they came, so that nothing depends on addresses
  std::vector<std::int64_t> changed_;  // runs_ likewise
  std::vector<std::int64_t> pins_;
};

}  // namespace agentd::ledger
