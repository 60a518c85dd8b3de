// The manual page, from the command line's own shape.
#include "host/cli/shape.hpp"
#include "host/version.hpp"

namespace agentd::cli {
namespace {

// Text as roff takes it: no line of it is a request, no character an escape.
std::string roff(const std::string& text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    out += c == '\\' ? std::string("\\e") : c == '-' ? std::string("\\-") : std::string(1, c);
    begins = c == '\n';
  }
  return out;
}

void add_option(std::string& out, const OptionShape& option) {
  out += ".TP\n.B " + roff(option.name) + (option.value.empty() ? "" : " \\fI" + roff(option.value) + "\\fR") + '\n' + roff(option.help);
  if (!option.variable.empty()) out += " (" + roff(option.variable) + ")";
  out += '\n';
}

// Told once for all commands.
bool is_common(const OptionShape& option) {
  for (const auto* name : {"--help", "--url", "--token", "--cacert", "--json"})
    if (option.name == name) return true;
  return false;
}

const CommandShape* first_client(const CommandShape& agentd) {
  for (const auto& command : agentd.commands)
    if (command.name == "status") return &command;
  return nullptr;
}

void add_command(std::string& out, const CommandShape& command, const std::string& path) {
  if (!command.commands.empty()) {
    for (const auto& sub : command.commands) add_command(out, sub, path + ' ' + sub.name);
    return;
  }
  out += ".SS " + roff(path);
  for (const auto& positional : command.positionals) out += positional.required ? " " + roff(positional.name) : " [" + roff(positional.name) + "]";
  out += '\n' + roff(command.summary) + ".\n";
  for (const auto& option : command.options)
    if (!is_common(option)) add_option(out, option);
  if (!command.examples.empty()) out += ".PP\n.EX\n" + roff(command.examples) + "\n.EE\n";
}

}  // namespace

std::string manual_page(const CommandShape& agentd) {
  std::string out = ".TH AGENTD 1 \"\" \"agentd " + std::string(kVersion) + "\" \"User Commands\"\n.SH NAME\nagentd \\- runs LLM agents in the background\n"
                    ".SH SYNOPSIS\n.B agentd\n.I command\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n" + roff(agentd.summary) + "\n.SH COMMANDS\n";
  for (const auto& command : agentd.commands) add_command(out, command, command.name);
  out += ".SH OPTIONS OF ALL THAT ASK A HOST\n";
  if (const auto* client = first_client(agentd))
    for (const auto& option : client->options)
      if (is_common(option)) add_option(out, option);
  out += ".SH EXIT STATUS\n"
         ".TP\n0\ndone\n.TP\n1\nthe thing asked for failed\n.TP\n2\nwrong usage or configuration\n.TP\n3\nthe host is not reachable\n.TP\n4\nrefused: no token, or one whose role is not enough\n"
         ".SH FILES\n.TP\n.I agentd.toml\nthe configuration: \\-\\-config, AGENTD_CONFIG, the current folder, $XDG_CONFIG_HOME/agentd, /etc/agentd; \\fBagentd schema config\\fR describes every key\n"
         ".TP\n.I agents/*.toml\nthe agents; \\fBagentd schema manifest\\fR describes every key\n"
         ".SH ENVIRONMENT\nAGENTD_URL, AGENTD_API_TOKEN, AGENTD_CACERT, AGENTD_CONFIG, AGENTD_PLUGIN_PATH; AGENTD__SECTION__KEY sets any key of agentd.toml; NO_COLOR\n";
  return out;
}

}  // namespace agentd::cli
