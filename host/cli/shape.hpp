// The command line's own shape, for what is generated from it: completion of shells, the manual page.
#pragma once
#include <string>
#include <vector>

namespace agentd::cli {

struct OptionShape {
  std::string name;  // "--agent"; of a positional one "agent"
  std::string help;
  std::string value;      // what a value is called; empty: it is a flag
  std::string variable;   // of the environment, that is read where it is not given
  bool required = false;
};

struct CommandShape {
  std::string name;
  std::string summary;
  std::string examples;  // lines, each indented
  std::vector<OptionShape> options, positionals;
  std::vector<CommandShape> commands;
};

// What is not supported yet is left out.
CommandShape command_shape();

// A script for "bash", "zsh" or "fish"; empty for another shell.
std::string completion_script(const CommandShape& agentd, const std::string& shell);

// The manual page, in roff.
std::string manual_page(const CommandShape& agentd);

}  // namespace agentd::cli
