// What is looked at when a seed is over: whether the rows, the slots, the copies and the memories say what the records say.
#pragma once
#include "tests/sim/watched_ledger.hpp"

namespace agentd::sim {

struct Calendar {
  std::optional<Instant> stopped;  // when no further slot became a run
  bool went_back = false;          // the clock, so that slots may have come again
};

Async<bool> look_at_rows(WatchedLedger& ledger, Witness& witness);
void look_at_slots(const Calendar& calendar, Witness& witness);
void look_at_copies(const Outside& outside, Witness& witness);
void look_at_chains(Witness& witness);
void look_at_digests(Witness& witness);
void look_at_budgets(const port::Ledger& ledger, Witness& witness);
void look_at_memories(const Outside& outside, Witness& witness);

}  // namespace agentd::sim
