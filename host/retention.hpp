// The ledger does not grow for ever: what ended longer ago than the configuration says is removed.
#pragma once
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/port/ledger_upkeep.hpp"
#include "host/leases.hpp"

namespace agentd::host {

// The engine thread only. A sweep at the start and each hour after, in steps with pauses between them.
class Retention {
 public:
  struct Rules {
    Millis keep{};
    // What event stores that get every event lack, sinks have not been told, and runs for memory have yet to read, stays for as long
    // again, then no longer.
    std::vector<std::string> copies = {}, sinks = {};
  };
  // tell: of what is amiss, for the log.
  Retention(World world, port::Ledger& ledger, port::LedgerUpkeep& upkeep, Rules rules, std::function<void(const std::string&)> tell);

  void start();
  void start(Leases& leases);  // while it is this replica's to do
  void stop() { stopping_.request_stop(); }
  Async<void> sweep();

  // Slots up to here may have left no run in the ledger, and have been dealt with.
  static Async<std::optional<Instant>> dealt_with_until(port::Ledger& ledger);

 private:
  Async<void> follow();
  Async<void> follow(Leases& leases);
  Async<bool> is_believed(Instant now);
  Async<std::optional<Position>> done_with();
  Async<std::optional<Position>> digested();
  Async<std::optional<std::vector<Position>>> positions(std::string kind, std::vector<std::string> names);
  Async<bool> prune(port::Prune what, port::Pruned& all);
  Async<void> tell_lost(Instant before);
  Async<bool> lacks(Position done, Instant before);
  Async<void> record(Instant before, port::Pruned removed);

  World world_;
  port::Ledger& ledger_;
  port::LedgerUpkeep& upkeep_;
  const Rules rules_;
  const std::function<void(const std::string&)> tell_;
  std::stop_source stopping_;
  std::stop_token until_ = stopping_.get_token();  // this replica's turn ends
  port::Fence fence_;
};

}  // namespace agentd::host
