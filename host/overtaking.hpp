// overlap = "cancel_previous": a run that came in by itself pushes aside those that came in by themselves before.
#pragma once
#include <stop_token>
#include <string>

#include "core/run/worker.hpp"
#include "host/log.hpp"
#include "host/members.hpp"

namespace agentd::host {

// The engine thread only. It goes by what is durable, so that it works alike for slots, files and chains, and finishes after a
// death what an earlier host began.
class Overtaking {
 public:
  Overtaking(World world, port::Ledger& ledger, const Members& members, run::Worker& worker, const Log& log);

  // Once: the live runs that were overtaken before this host started.
  Async<void> start();
  // Of every run that has come in, once it is durable.
  void see(const port::StoredRecord& record, const event::Entered& entered);
  void stop() { stopping_.request_stop(); }

 private:
  struct Newest;
  bool overtakes(const std::string& agent_id, const event::Entered& entered, Instant entered_at) const;
  Async<void> look_at(port::RunStatus status, Newest& newest);
  Async<void> push_aside(std::string agent_id, RunId by);
  Async<bool> cancel_earlier(const std::string& agent_id, port::RunStatus status, RunId by);

  World world_;
  port::Ledger& ledger_;
  const Members& members_;
  run::Worker& worker_;
  const Log& log_;
  std::stop_source stopping_;
};

}  // namespace agentd::host
