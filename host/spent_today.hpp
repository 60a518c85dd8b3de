// What model calls have come to on this UTC day, by agent, whether a limit binds them or not. Counted from the records of their answers:
// a call that was cut off, and whose usage nobody knows, is not in it.
#pragma once
#include <map>
#include <stop_token>
#include <string>

#include "core/base/async.hpp"
#include "core/base/clock.hpp"
#include "core/event/record.hpp"
#include "core/port/ledger.hpp"

namespace agentd::host {

// The engine thread only.
class SpentToday {
 public:
  explicit SpentToday(World world) : world_(world) {}

  void see(const port::StoredRecord& record, const event::Body& body);
  // Counts what is in the ledger from before this was made; until it ends the sums are too low. Before the first record of this start.
  Async<port::LedgerResult<void>> find(port::Ledger& ledger, std::stop_token stop);

  port::Spend of(const std::string& agent_id) const;
  port::Spend of_all() const;

 private:
  void begin(std::int64_t day);
  bool is_of_today() const;

  World world_;
  std::int64_t day_ = 0;
  std::map<std::string, port::Spend, std::less<>> spent_;  // by agent; those that have spent something
  port::Spend all_;
};

}  // namespace agentd::host
