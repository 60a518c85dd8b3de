// The command line. The one place that knows the parser library, which is slow to compile.
#pragma once
#include <variant>

#include "host/cli/command.hpp"

namespace agentd::cli {

// Nothing to do beyond printing: help, version, or what is wrong with the command line.
struct Said {
  int exit_code = kDone;
  std::string text;  // to standard output with kDone, else to standard error
};

std::variant<Command, Said> parse(int argc, const char* const* argv);

}  // namespace agentd::cli
