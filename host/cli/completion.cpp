// Scripts that complete the command line: every command, option and, from a host that is running, its agents.
#include <functional>

#include "host/cli/shape.hpp"

namespace agentd::cli {
namespace {

// Calls `tell` with every command and its path: "", "agents", "agents run".
void each(const CommandShape& command, const std::string& path, const std::function<void(const std::string&, const CommandShape&)>& tell) {
  tell(path, command);
  for (const auto& sub : command.commands) each(sub, path.empty() ? sub.name : path + ' ' + sub.name, tell);
}

// In single quotes, for any of the shells.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("’") : std::string(1, c);
  return out + "'";
}

// The first line, without what a list of choices gives a meaning to.
std::string brief(const std::string& help) {
  std::string out;
  for (const char c : help.substr(0, help.find('\n'))) out += c == ':' ? ',' : c;
  return out;
}

std::string paths_of(const CommandShape& agentd) {
  std::string out;
  each(agentd, "", [&](const std::string& path, const CommandShape&) {
    if (!path.empty()) out += (out.empty() ? "" : "|") + quoted(path);
  });
  return out;
}

// What a host says is expanded by a shell: only what can be an agent's name may come that far.
constexpr const char* kAgents = "agentd agents list 2>/dev/null | cut -f1 | grep -x \"[a-z0-9][a-z0-9_-]*\"";

enum class Takes { nothing, agents, files };
Takes takes(const CommandShape& command) {
  for (const auto& each : command.positionals) {
    if (each.name == "agent") return Takes::agents;
    if (each.name == "file" || each.name == "manifest" || each.name == "folder") return Takes::files;
  }
  return Takes::nothing;
}

std::string bash(const CommandShape& agentd) {
  std::string out = "# agentd: completion for bash. Source it, or put it into /etc/bash_completion.d.\n"
                    "_agentd() {\n"
                    "  local current=${COMP_WORDS[COMP_CWORD]} path= i words= files=\n"
                    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "    case \"${path:+$path }${COMP_WORDS[i]}\" in " + paths_of(agentd) + ") path=${path:+$path }${COMP_WORDS[i]} ;; esac\n"
                    "  done\n"
                    "  case $path in\n";
  each(agentd, "", [&](const std::string& path, const CommandShape& command) {
    std::string words;
    for (const auto& sub : command.commands) words += ' ' + sub.name;
    for (const auto& option : command.options) words += ' ' + option.name;
    out += "    " + quoted(path) + ") words=" + quoted(words.substr(words.empty() ? 0 : 1));
    if (takes(command) == Takes::agents) out += "; [[ $current == -* ]] || words+=\" $(" + std::string(kAgents) + ")\"";
    if (takes(command) == Takes::files) out += "; files=1";
    out += " ;;\n";
  });
  return out + "  esac\n"
               "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
               "  [[ -z $files || $current == -* ]] || COMPREPLY+=($(compgen -f -- \"$current\"))\n"
               "}\n"
               "complete -o filenames -F _agentd agentd\n";
}

std::string zsh(const CommandShape& agentd) {
  std::string out = "#compdef agentd\n"
                    "# agentd: completion for zsh. Put it as _agentd into a folder of $fpath.\n"
                    "_agentd() {\n"
                    "  local path_so_far= i\n"
                    "  local -a choices\n"
                    "  for ((i = 2; i < CURRENT; i++)); do\n"
                    "    case \"${path_so_far:+$path_so_far }${words[i]}\" in " + paths_of(agentd) + ") path_so_far=\"${path_so_far:+$path_so_far }${words[i]}\" ;; esac\n"
                    "  done\n"
                    "  case $path_so_far in\n";
  each(agentd, "", [&](const std::string& path, const CommandShape& command) {
    out += "    " + (path.empty() ? std::string("''") : quoted(path)) + ")\n      choices=(";
    for (const auto& sub : command.commands) out += ' ' + quoted(sub.name + ':' + brief(sub.summary));
    for (const auto& option : command.options) out += ' ' + quoted(option.name + ':' + brief(option.help));
    out += " )\n";
    if (takes(command) == Takes::agents) out += "      [[ ${words[CURRENT]} == -* ]] || choices+=( ${(f)\"$(" + std::string(kAgents) + ")\"} )\n";
    if (takes(command) == Takes::files) out += "      [[ ${words[CURRENT]} == -* ]] || _files\n";
    out += "      ;;\n";
  });
  return out + "  esac\n"
               "  _describe agentd choices\n"
               "}\n"
               "if [[ ${funcstack[1]} == _agentd ]]; then _agentd \"$@\"; else compdef _agentd agentd; fi\n";
}

std::string fish(const CommandShape& agentd) {
  std::string out = "# agentd: completion for fish. Put it as agentd.fish into ~/.config/fish/completions.\n"
                    "function __agentd_at\n"
                    "  set -l so_far\n"
                    "  for word in (commandline -opc)[2..-1]\n"
                    "    set -l longer (string trim -- \"$so_far $word\")\n"
                    "    switch $longer\n"
                    "      case ";
  each(agentd, "", [&](const std::string& path, const CommandShape&) {
    if (!path.empty()) out += quoted(path) + ' ';
  });
  out += "\n        set so_far $longer\n    end\n  end\n  test \"$so_far\" = \"$argv[1]\"\nend\ncomplete -c agentd -f\n";
  each(agentd, "", [&](const std::string& path, const CommandShape& command) {
    const auto at = "complete -c agentd -n \"__agentd_at " + quoted(path) + "\"";
    for (const auto& sub : command.commands) out += at + " -a " + quoted(sub.name) + " -d " + quoted(brief(sub.summary)) + '\n';
    for (const auto& option : command.options)
      out += at + " -l " + option.name.substr(2) + (option.value.empty() ? "" : " -r") + " -d " + quoted(brief(option.help)) + '\n';
    if (takes(command) == Takes::agents) out += at + " -a '(" + std::string(kAgents) + ")'\n";
    if (takes(command) == Takes::files) out += at + " -F\n";
  });
  return out;
}

}  // namespace

std::string completion_script(const CommandShape& agentd, const std::string& shell) {
  return shell == "bash" ? bash(agentd) : shell == "zsh" ? zsh(agentd) : shell == "fish" ? fish(agentd) : std::string();
}

}  // namespace agentd::cli
