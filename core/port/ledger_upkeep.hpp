// What keeps a ledger small and safe over years. Beside port::Ledger, because nobody who runs agents has to do with it.
#pragma once
#include "core/port/ledger.hpp"

namespace agentd::port {

struct Prune {
  Instant before{};               // of when a run ended, or a record without a run came in
  Position upto = INT64_MAX;      // nothing whose latest record is later
  std::int64_t window_before = 0; // accounts of windows before this one
  std::size_t most = 256;         // rows that one step looks at or removes
  Fence fence{};
};

struct Pruned {
  std::int64_t runs = 0;     // ended, with all their records
  std::int64_t records = 0;  // without a run
  bool more = false;         // the next step goes on where this one stopped; false: all has been looked at
};

// The engine thread only. Each write is a part of a group, as any other, and small.
class LedgerUpkeep {
 public:
  virtual ~LedgerUpkeep() = default;

  // One step: runs that ended before, whole, and records that belong to no run. Live runs and quarantined ones stay, and what is damaged.
  // Counts of agents, and what was spent in windows that stay, are as they were. Positions are never given again; a key is free
  // again. Space that is free is given back to the disk, step by step.
  virtual Async<LedgerResult<Pruned>> prune(Prune what) = 0;
  // One run and all its records. stale: it has not ended; not_found.
  virtual Async<LedgerResult<void>> forget(RunId run) = 0;
  // A copy of the whole as it is at one instant during it, made while everything goes on. `file` is complete or as it was before.
  // One at a time.
  virtual Async<LedgerResult<void>> backup(std::string file) = 0;
};

}  // namespace agentd::port
