#include "host/setup.hpp"

#include <unistd.h>

#include <ostream>

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

void print(const std::vector<manifest::Problem>& problems, const cli::Output& to) {
  for (const auto& problem : problems) to.err << manifest::to_text(problem) << '\n';
}

}  // namespace agentd::host
