// The agents while the host runs: what people pause, stop and start, what pauses itself, and manifests that are read anew. Whoever
// works with agents is told of each change here and nowhere else.
#pragma once
#include <functional>
#include <stop_token>
#include <string>

#include "core/base/turns.hpp"
#include "host/engine.hpp"
#include "host/file_triggers.hpp"
#include "host/slots.hpp"
#include "host/watch.hpp"

namespace agentd::host {

// The engine thread only. One change after the other.
class Fleet {
 public:
  struct Ground {
    World world;
    Engine& engine;
    Slots& slots;
    FileTriggers& files;
    Watch& watch;
    const Log& log;
    std::function<void()> look_again;  // manifests are to be read again
  };
  explicit Fleet(Ground ground) : ground_(ground) {}

  // Agents that have failed too often are paused from now on, those too that did before this host started.
  Async<void> start();
  Async<void> stop();  // nothing changes any more when it returns

  // Why an agent cannot be paused, resumed, stopped or started now. Of an unknown agent the message is its id.
  struct Refusal {
    enum class Why { unknown_agent, conflict, ledger } why = Why::conflict;
    std::string message;
    port::LedgerError of_ledger = {};
  };
  struct Wish {
    event::AgentChanged::What what = event::AgentChanged::What::paused;  // paused, resumed, stopped or started
    std::string by, reason;
  };
  // Durable when it answers; asked for again it is done already.
  Async<std::expected<void, Refusal>> set_mode(std::string agent_id, Wish wish);

  // The manifests of these folders, read again.
  Async<Result<Changes>> reload(std::vector<std::string> folders, std::string working_folder);

  // For who changes agents in another way: their turn, in which nobody else changes any, and what everybody is told of it.
  Async<Turns::Turn> turn() { return turns_.take(); }
  Async<void> take(MemberRef member);         // it came or changed
  Async<void> leave(std::string agent_id);

 private:
  void see(const port::StoredRecord& record, const event::Body& body);
  bool has_failed_too_often(const Member& member) const;
  Async<void> pause_by_itself(std::string agent_id);
  void see_elsewhere(const port::StoredRecord& record, const event::AgentChanged& change);
  Async<void> follow_others();
  Async<bool> take_modes();
  Async<port::LedgerResult<void>> change_mode(const Member& member, Modes::Kept to, event::AgentChanged change);
  Async<void> cancel_what_runs(std::string agent_id, std::string reason);

  const Ground ground_;
  Turns turns_;
  int pausing_ = 0;
  bool others_paused_ = false, others_changed_ = false, following_ = false;
  std::stop_source stopping_;
};

}  // namespace agentd::host
