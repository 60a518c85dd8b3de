// The journal as it is being written: a window on the last committed records, and readers that follow it from any position.
// Readers are fed from the window while they keep up and from the ledger when they do not, so none of them can slow a run or grow
// without bound, and none misses a record or sees one twice.
#pragma once
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/port/ledger.hpp"

namespace agentd::event {

// The engine thread only. Outlives its readers.
class Live {
 public:
  struct Bounds {
    std::size_t records = 4096;
    std::size_t bytes = 16 << 20;
  };
  Live(World world, port::Ledger& ledger) : Live(world, ledger, Bounds{}) {}
  Live(World world, port::Ledger& ledger, Bounds bounds) : world_(world), ledger_(ledger), bounds_(bounds) {}

  // Takes a committed group; groups come in order.
  void feed(std::span<const port::StoredRecord> group);

  // The records after a position, at most `limit`; waits until there is one, or until stop is asked for: then there may be none.
  Async<Result<std::vector<port::StoredRecord>>> after(Position position, std::size_t limit, std::stop_token stop);

  // Whose records somebody waits for; nothing said: everybody's.
  struct Interest {
    std::string agent_id;
    std::optional<RunId> run;
  };
  // Waits while there is nothing after a position, until a record of interest is coming or stop is asked for. Answers where to go on: no
  // record of interest lies before. Those who wait for others cost nothing meanwhile, however many they are.
  Async<Position> idle(Position position, Interest interest, std::stop_token stop);

  // The window keeps nothing of a run that is forgotten, nor what came before it: readers find that in the ledger.
  void forget(RunId run);

  Position last() const { return last_; }

 private:
  struct Waiter {
    std::optional<Promise<Position>> promise;
  };
  using Waiters = std::list<Waiter*>;
  Async<Position> grown(Waiters& waiters, std::stop_token stop);
  static void wake(Waiters& waiters, Position before);

  World world_;
  port::Ledger& ledger_;
  Bounds bounds_;
  std::deque<port::StoredRecord> window_;
  std::size_t bytes_ = 0;
  Position last_ = 0;
  Waiters waiting_;
  std::map<std::string, Waiters, std::less<>> waiting_for_agent_;
  std::map<RunId, Waiters> waiting_for_run_;
};

}  // namespace agentd::event
