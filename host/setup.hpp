// Reading the configuration for a command, or telling why it cannot be used.
#pragma once
#include <expected>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/manifest/config.hpp"
#include "core/plugin/catalog.hpp"
#include "host/cli/client.hpp"

namespace agentd::host {

struct Setup {
  manifest::Surroundings around;
  manifest::LoadedConfig loaded;
  std::vector<std::filesystem::path> plugin_folders;
};

// listen: of --listen; empty: the configuration's. Problems of the configuration are in the setup.
Result<Setup> read_setup(const cli::Surroundings& asked, const std::string& listen = {});
// The same, with every problem printed: then the exit code.
std::expected<Setup, int> usable_setup(const cli::Surroundings& asked, const cli::Output& to, const std::string& listen = {});

// Where agents are looked for. The usual folder need not be there when nobody named it.
std::vector<std::string> agent_folders(const manifest::LoadedConfig& loaded);
// Those of them that cannot be read, where they were named.
std::vector<manifest::Problem> agent_folder_problems(const manifest::LoadedConfig& loaded);
// Whether a plugin of its name is loaded from a folder that is searched earlier: nothing is wrong with a file that this hides.
bool is_hidden(const Setup& setup, const plugin::Catalog& catalog, const plugin::Catalog::Broken& broken);
// That a host could not keep its state where it is to, and what to do about it; nothing: it could.
std::optional<manifest::Problem> state_problem(const manifest::LoadedConfig& loaded);
// What to say when there is none at all.
std::string no_agents(const manifest::HostConfig& config);

void print(const std::vector<manifest::Problem>& problems, const cli::Output& to);

}  // namespace agentd::host
