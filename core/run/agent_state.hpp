// The one state that an agent keeps between runs: its native task's, and beside it its gate's where it has one.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agentd::run {

// Their parts of what is kept, as JSON; "null" where there is none yet.
std::string task_state(std::string_view kept);
std::string gate_state(std::string_view kept);

// The gate's state as a run left it: of two runs the later one's counts, whichever ends last.
struct GateLeft {
  std::string_view state;
  std::int64_t run = 0;  // its position
};
// What is kept of an agent with a gate. A part that is not there stays as it was.
std::string state_with_gate(std::string_view kept, std::optional<std::string_view> task, std::optional<GateLeft> gate);

}  // namespace agentd::run
