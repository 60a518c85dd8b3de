// A child process in a group of its own, with its output read within bounds. Private to the room.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace agentd::runner {

struct ChildEnd {
  std::string output, errors;  // of the errors the last part
  bool timed_out = false;
  int signal = 0;              // that ended it; 0: none
  int exit_code = 0;
};

// argv[0] is the path of the program. Standard input is empty, no descriptor besides 0, 1 and 2 is inherited. Blocks until the child
// has ended or the timeout has killed it; nothing of its process group is left.
Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::chrono::milliseconds timeout);

}  // namespace agentd::runner
