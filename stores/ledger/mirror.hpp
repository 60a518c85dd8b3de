// What is so now, in memory: live runs, each agent's queue and what of it is in flight. Claiming and admission read nothing else.
//
// It knows what is durable and nothing more: a group changes it once it is committed. Not thread-safe; its owner has the lock.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rows.hpp"

namespace agentd::ledger {

inline constexpr std::int64_t kNever = INT64_MAX;

struct Stats {
  std::int64_t run_count = 0, error_count = 0, consecutive_failures = 0;
  std::int64_t last_run = INT64_MIN;  // never
  std::string last_error;
};

struct Agent;

// A run that has not ended.
struct LiveRun {
  std::int64_t id = 0;
  std::uint32_t nonce = 0;
  Agent* agent = nullptr;
  std::int64_t revision = 0;
  std::int64_t body_checksum = 0;
  std::string payload;            // the entry's
  RunState state;                 // now; `last` is its latest record
  std::int64_t since = 0;         // when it was said when it is due
  std::uint64_t generation = 0;   // of its claim; 0: nobody has it
  std::int64_t worker = 0;        // of a ledger that is shared: whose claim it is
  std::int64_t tail = 0;          // its first record that its row does not know of; 0: the row knows all
  bool pinned = false;            // a group that is being written changes it: not to be claimed meanwhile
  bool aside = false;             // beside the agent's own: in a queue and a place of their own, and in no count
  bool has_records() const { return state.last != id; }
};

// The runs of an agent that wait for each other.
struct Lane {
  std::set<std::pair<std::int64_t, std::int64_t>> queue;  // due, run; may be claimed once due: queued and waiting ones
  std::set<std::int64_t> claimed;
  std::size_t queued = 0;  // of the queue, those that are not waiting
  std::size_t live() const { return queue.size() + claimed.size(); }
};

struct Agent {
  std::int64_t id = 0;      // 0: has no row yet
  std::int64_t newest = 0;  // of its runs
  std::size_t index = 0;    // in the order they came to be known
  std::string name;
  Stats stats;
  std::uint32_t max_concurrent = 1;
  bool served = false;
  Lane own, asides;

  Lane& lane(bool aside) { return aside ? asides : own; }
  const Lane& lane(bool aside) const { return aside ? asides : own; }
  std::size_t room(bool aside) const;  // of its lane: how many more may be claimed
  std::size_t queued() const { return own.queued + asides.queued; }
  std::size_t running() const { return own.claimed.size() + asides.claimed.size(); }

 private:
  friend class Mirror;
  enum class Place { none, timeline, ring } place_ = Place::none;
  std::int64_t timeline_due_ = 0;
};

class Mirror {
 public:
  explicit Mirror(std::uint64_t generation) : generation_(generation) {}
  void claims_follow(std::uint64_t generation) { generation_ = generation; }  // the next claim's is larger

  Agent& agent(std::string_view name);  // makes it known
  Agent* find_agent(std::string_view name);
  const Agent* find_agent(std::string_view name) const { return const_cast<Mirror*>(this)->find_agent(name); }
  const std::vector<std::unique_ptr<Agent>>& agents() const { return agents_; }

  LiveRun* find(std::int64_t run);
  // The changes below answer whether a claim may find something that it did not find before.
  bool enter(LiveRun run);
  // What a known run became; its payload stays. With a final status it leaves.
  struct Change {
    RunState state;
    std::int64_t since = 0;
    std::uint64_t generation = 0;
    std::int64_t tail = 0;
  };
  bool change(std::int64_t run, const Change& to);
  // Its claim is over without a record.
  bool abandon(std::int64_t run, std::uint64_t generation);
  bool unpin(std::int64_t run);
  bool serve(Agent& agent, bool can);
  bool limit(Agent& agent, std::uint32_t max_concurrent);

  struct Claims {
    std::vector<const LiveRun*> runs;  // until the next change
    std::vector<std::int64_t> were;    // of each the status before
    std::int64_t next_due = kNever;
  };
  // Round-robin over agents that have a due run and room; O(log) each, whatever else is queued. A wall clock that was set back makes
  // nothing wait for longer than it was to wait when that was said; noticing it costs a look at every live run.
  Claims claim(std::int64_t now, std::size_t n);

  std::int64_t live_from(std::int64_t next_position) const { return runs_.empty() ? next_position : runs_.begin()->first; }
  std::int64_t tail_from(std::int64_t next_position) const { return tails_.empty() ? next_position : *tails_.begin(); }
  const std::map<std::int64_t, LiveRun>& runs() const { return runs_; }

 private:
  struct View {  // of one agent, by a claim
    std::int64_t head = kNever;
    std::size_t room = 0;
  };
  const LiveRun* head_of(const Lane& lane) const;
  const LiveRun* head_of(const Agent& agent) const;
  View view(const Agent& agent) const;
  bool settle(Agent& agent, const View& before);  // puts it where a claim finds it
  void add(const LiveRun& run);
  void take_out(const LiveRun& run);
  LiveRun* next_of(Agent& agent, std::int64_t now);
  void look_at_clock(std::int64_t now);

  std::unordered_map<std::string_view, Agent*> names_;  // views of the agents' own names
  std::vector<std::unique_ptr<Agent>> agents_;
  std::map<std::int64_t, LiveRun> runs_;
  std::set<std::int64_t> tails_;
  std::set<std::pair<std::int64_t, std::size_t>> timeline_;  // agents with room, by their first due run
  std::deque<std::size_t> ring_;                              // agents whose turn comes; may have lost their run or room since
  std::uint64_t generation_;
  std::int64_t seen_ = kNever;                                // the wall's clock at the latest claim; the first one compares
};

}  // namespace agentd::ledger
