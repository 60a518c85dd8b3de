// Every slot of every agent, one by one, and what the ledger's records say became of it.
#pragma once
#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/schedule/schedule.hpp"

namespace agentd::sim::months {

enum class Disposition : std::uint8_t { none, started, gated, skipped, dropped, missed, coalesced, count };
const char* name(Disposition disposition);

// Knows the calendar alone: neither who ticks nor what is asked of the ledger. All that it keeps is made at the start, but for
// runs that are live.
class Calendar {
 public:
  Calendar(const std::vector<manifest::AgentSpec>& agents, Instant begin, Instant end);

  void see(const port::StoredRecord& record);  // each once, in order
  Position seen() const { return seen_; }
  void process_begins();  // slots that are late from now on were missed before
  std::size_t live() const { return live_.size(); }
  std::string most_live() const;  // "12 of a, 3 of b": the agents that have most of them
  // Every slot until then that was to be noticed has what became of it.
  void expect_all_accounted_for(Instant stopped);

  const std::vector<std::string>& objections() const { return objections_; }
  std::array<std::uint64_t, static_cast<std::size_t>(Disposition::count)> sums() const;

 private:
  struct Agent {
    const manifest::AgentSpec* spec;
    schedule::Schedule schedule;
    Millis jitter{0};
    std::vector<Instant> slots;
    std::vector<Disposition> became;
    std::size_t late_starts = 0;  // of this process
  };
  struct Slot {
    Agent* agent;
    std::size_t index;
  };
  void object(std::string what);
  void enter(const port::StoredRecord& record, const event::Entered& entered);
  void enter_one(Agent& agent, const port::StoredRecord& record, Instant slot);
  void enter_stretch(Agent& agent, const port::StoredRecord& record, const event::Entered& entered);
  void expect_in_time(Agent& agent, Instant slot, Instant at);
  std::size_t index_of(const Agent& agent, Instant slot);
  void mark(Agent& agent, std::size_t index, Disposition disposition);

  std::map<std::string, Agent, std::less<>> agents_;
  std::map<RunId, Slot> live_;
  Position seen_ = 0;
  std::vector<std::string> objections_;
};

}  // namespace agentd::sim::months
