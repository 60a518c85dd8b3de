// Which calls wait for a person now. Only their places: what is asked stands in the ledger.
#pragma once
#include <map>
#include <set>

#include "core/event/record.hpp"
#include "core/port/ledger.hpp"
#include "core/run/decide.hpp"

namespace agentd::host {

// The engine thread only.
class Approvals {
 public:
  // What was asked before this host started. Before anything is claimed.
  Async<Result<void>> find(World world, port::Ledger& ledger);
  // Every committed record.
  void see(const port::StoredRecord& record, const event::Body& body);

  const std::set<run::CallPlace>& open() const { return open_; }

 private:
  void forget(RunId run);

  std::set<run::CallPlace> open_;
};

}  // namespace agentd::host
