// A seed: a world that begins, goes wrong in every way, becomes kind, and is looked at in the end.
#pragma once
#include <optional>
#include <string>

#include "tests/sim/process.hpp"

namespace agentd::sim {

struct Verdict {
  std::vector<std::string> objections;
  std::vector<std::string> story;  // with an objection: a line a record, and one for every start and end of a process
  std::uint64_t digest = 0;
  std::size_t runs = 0, faults = 0, processes = 0, records = 0;
  Millis lasted{0};
};

// One seed at a time has it.
struct Ground {
  Disk& disk;
  std::filesystem::path folder;  // for what a ledger keeps beside its database
  const host::Log& log;
};

Verdict simulate(std::uint64_t seed, const Ground& ground, Coverage& coverage);

}  // namespace agentd::sim
