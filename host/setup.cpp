#include "host/setup.hpp"

#include <unistd.h>

#include <array>
#include <ostream>

#include "core/manifest/tree.hpp"
#include "host/places.hpp"

namespace agentd::host {

Result<Setup> read_setup(const cli::Surroundings& asked, const std::string& listen) {
  auto around = surroundings_of(asked, environment_of(environ));
  if (!around) return std::unexpected(around.error());
  if (!listen.empty()) around->flags.push_back({"--listen", "api.listen", {listen}});
  Setup setup{.around = std::move(*around), .loaded = {}, .plugin_folders = {}};
  setup.loaded = manifest::load_config(setup.around);
  setup.plugin_folders = plugin_folders(asked, setup.loaded.config, setup.around.environment);
  return setup;
}

std::expected<Setup, int> usable_setup(const cli::Surroundings& asked, const cli::Output& to, const std::string& listen) {
  auto setup = read_setup(asked, listen);
  if (!setup) {
    to.err << "agentd: " << setup.error().message << '\n';
    return std::unexpected(cli::kUsage);
  }
  if (!setup->loaded.problems.empty()) {
    print(setup->loaded.problems, to);
    return std::unexpected(cli::kUsage);
  }
  return std::move(*setup);
}

std::vector<std::string> agent_folders(const manifest::LoadedConfig& loaded) {
  const auto& folders = loaded.config.host.agent_dirs;
  const bool is_named = manifest::find(*loaded.tree, std::array<std::string_view, 2>{"host", "agent_dirs"}) != nullptr;
  std::error_code error;
  return is_named || std::filesystem::exists(folders.front(), error) ? folders : std::vector<std::string>();
}

std::string no_agents(const manifest::HostConfig& config) {
  std::string folders;
  for (const auto& folder : config.host.agent_dirs) folders += (folders.empty() ? "" : ", ") + folder;
  return "no agents: there is no *.toml in " + folders + "; agentd init writes a first one";
}

void print(const std::vector<manifest::Problem>& problems, const cli::Output& to) {
  for (const auto& problem : problems) to.err << manifest::to_text(problem) << '\n';
}

}  // namespace agentd::host
