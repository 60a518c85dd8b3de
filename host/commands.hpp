// The commands that need no running host (a backup asks it where there is one). Each prints and answers an exit code.
#pragma once
#include "host/cli/client.hpp"
#include "host/cli/command.hpp"

namespace agentd::host {

int perform(const cli::Init& command, const cli::Output& to);
int perform(const cli::RunFile& command, const cli::Output& to);
int perform(const cli::Serve& command, const cli::Output& to);
int perform(const cli::Check& command, const cli::Output& to);
int perform(const cli::Doctor& command, const cli::Output& to);
int perform(const cli::LedgerBackup& command, const cli::Output& to);
int perform(const cli::LedgerRestore& command, const cli::Output& to);
int perform(const cli::Schema& command, const cli::Output& to);
int perform(const cli::ConfigShow& command, const cli::Output& to);
int perform(const cli::PluginsList& command, const cli::Output& to);
int perform(const cli::PluginsInspect& command, const cli::Output& to);
int perform(const cli::PluginsTest& command, const cli::Output& to);
int perform(const cli::PluginsNew& command, const cli::Output& to);
int perform(const cli::ToolsList& command, const cli::Output& to);
int perform(const cli::ToolsCall& command, const cli::Output& to);
int perform(const cli::ScheduleNext& command, const cli::Output& to);

}  // namespace agentd::host
