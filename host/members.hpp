// Agents at rest, and who runs when a run of another one ends.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/event/record.hpp"
#include "core/manifest/agents.hpp"
#include "core/port/ledger.hpp"
#include "core/schedule/ticker.hpp"

namespace agentd::host {

// What agents work with. Many have the same, and share it.
struct Means {
  std::string provider, model;     // empty: a native task
  std::vector<std::string> tools;  // full names of those it may call
  friend auto operator<=>(const Means&, const Means&) = default;
};

// What people let an agent do. Paused: no slots and no triggers, but runs that are asked for. Stopped: nothing.
enum class Mode : std::uint8_t { active, paused, stopped };

// An agent at rest: what it takes to enter a run, and its manifest as a text. The rest is read and prepared when a run begins, so
// that a hundred thousand agents cost little more than their texts.
struct Member {
  std::string agent_id;
  std::string file;      // as people see it
  std::string manifest;  // canonical
  std::int64_t revision = 0;
  bool enabled = true;
  Mode mode = Mode::active;
  bool run_on_start = false, gated = false, watches_files = false, delivers = false, alerts = false;
  std::optional<event::AgentChanged::What> change;  // what this start did to it: created or updated
  port::Overlap overlap{};
  std::uint32_t queue_size = 0, max_concurrent = 0;
  std::int64_t pause_after_failures = 0;       // 0: never
  port::Spend day_limit;                       // its own; 0: none
  schedule::Policy policy;
  std::optional<schedule::Schedule> schedule;  // nothing: by hand or by triggers only
  const Means* means = nullptr;                // the roster's
  manifest::AgentSpec spec() const;            // read from the text: some ten microseconds
  bool is_sent() const { return file == manifest::kSentFile; }  // it came through the API
  std::string how_to_enable() const;           // what a person does about enabled = false
  bool starts_by_itself() const { return enabled && mode == Mode::active; }
};

// Shared, because an agent may be changed or removed while somebody is still at work with what it was.
using MemberRef = std::shared_ptr<const Member>;

struct Follower {
  std::string agent_id;
  std::string trigger;        // its name
  port::RunStatus outcome{};  // the end that counts
};

// The engine thread only.
class Members {
 public:
  const std::map<std::string, MemberRef>& members() const { return members_; }
  MemberRef find(const std::string& agent_id) const;
  // Agents that a run of this one starts when it ends.
  const std::vector<Follower>& followers(const std::string& agent_id) const;

  void add(Member member);  // or put it in the place of the one of its name; whom it follows stays
  // Where the link's own agent is here and enabled.
  void add(const manifest::ChainLink& link);
  void follow_nobody(const std::string& agent_id);
  void remove(const std::string& agent_id);
  // For an agent that was refused, as its last good revision was: nothing runs it, but what it misses of those that it follows is known.
  void stand_in(Member refused);
  MemberRef find_stand_in(const std::string& agent_id) const;
  // Of every agent but these.
  void drop_stand_ins(const std::set<std::string>& but);

 private:
  std::map<std::string, MemberRef> members_, stand_ins_;
  std::map<std::string, std::vector<Follower>> followers_;  // by the agent that is followed
};

}  // namespace agentd::host
