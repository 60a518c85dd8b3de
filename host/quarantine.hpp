// Which runs are in quarantine now. Only their ids: what became of them stands in the ledger.
#pragma once
#include <set>

#include "core/event/record.hpp"
#include "core/port/ledger.hpp"

namespace agentd::host {

// The engine thread only.
class Quarantine {
 public:
  // What came into it before this host started. Before anything is claimed.
  Async<Result<void>> find(World world, port::Ledger& ledger);
  // Every committed record.
  void see(const port::StoredRecord& record, const event::Body& body);

  void forget(RunId run) { runs_.erase(run); }  // it is gone from the ledger

  const std::set<RunId>& runs() const { return runs_; }

 private:
  std::set<RunId> runs_;
};

// What a person's word does to a run whose latest record this is. Anything later makes it stale.
port::Transition review(RunId run, Position latest, const event::Reviewed& reviewed, const std::string& session, Instant now);

}  // namespace agentd::host
