#include "host/setup.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "core/manifest/tree.hpp"
#include "host/doctor/state_folder.hpp"
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

std::vector<manifest::Problem> agent_folder_problems(const manifest::LoadedConfig& loaded) {
  const auto* named = manifest::find(*loaded.tree, std::array<std::string_view, 2>{"host", "agent_dirs"});
  const auto* items = named ? named->value.list() : nullptr;
  const auto folders = agent_folders(loaded);
  std::vector<manifest::Problem> problems;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    std::error_code error;
    const std::filesystem::directory_iterator readable(folders[i], error);
    const auto message = "cannot read the folder of agents " + folders[i] + ": " + error.message();
    if (error) problems.push_back(items && i < items->size() ? manifest::problem_at((*items)[i].place, message) : manifest::problem_at(loaded, {"host", "agent_dirs"}, message));
  }
  return problems;
}

bool is_hidden(const Setup& setup, const plugin::Catalog& catalog, const plugin::Catalog::Broken& broken) {
  const auto turn = [&setup](const std::filesystem::path& file) { return std::ranges::find(setup.plugin_folders, file.parent_path()); };
  return std::ranges::any_of(catalog.libraries(), [&](const auto& library) { return library->name == broken.name && turn(library->file) < turn(broken.file); });
}

std::optional<manifest::Problem> state_problem(const manifest::LoadedConfig& loaded) {
  const auto wrong = doctor::unusable_state(loaded.config.host.state_dir);
  if (wrong.empty()) return std::nullopt;
  return manifest::problem_at(loaded, {"host", "state_dir"}, "state folder: " + wrong.front().found + ". " + wrong.front().advice);
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
