// What a command does with plugins, in a process of its own: what ends that one does not end the command.
#pragma once
#include <functional>

#include "core/base/time.hpp"
#include "host/cli/client.hpp"

namespace agentd::host {

struct Apart {
  int exit_code = 0;         // what the work answered
  int signal = 0;            // that ended it; 0: none
  bool interrupted = false;  // somebody asked this process to end meanwhile (SIGINT, SIGTERM)
};

// Does the work in a child, whose output it flushes, and waits for it; there are no threads yet. SIGINT and SIGTERM are passed on; a second
// one, or a child that is still there after `patience`, kills it. No process that it started is left, also not one that left its group.
Apart run_apart(const std::function<int()>& work, const cli::Output& to, Millis patience = Millis(2'000));

}  // namespace agentd::host
