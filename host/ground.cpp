#include "host/ground.hpp"

#include "host/version.hpp"

namespace agentd::host {

namespace {

std::filesystem::path base_of(const manifest::HostConfig& config) {
  return config.file.empty() ? std::filesystem::current_path() : std::filesystem::path(config.file).parent_path();
}

}  // namespace

Ground::Ground(const manifest::LoadedConfig& loaded, const manifest::Environment& environment, std::vector<std::filesystem::path> plugin_folders, std::filesystem::path state_dir,
               plugin::Patience patience)
    : log(loaded.config.log, redactor), metrics({kVersion, kRevision, "clang " __clang_version__}), bridge(world.executor, metrics),
      ports(world, io, {loaded, environment, std::move(plugin_folders), std::move(state_dir), base_of(loaded.config), patience}, redactor, log, bridge) {}

}  // namespace agentd::host
