#include "host/ground.hpp"

#include "host/version.hpp"

namespace agentd::host {

Ground::Ground(const manifest::HostConfig& config, const manifest::Environment& environment, std::vector<std::filesystem::path> plugin_folders, std::filesystem::path state_dir)
    : log(config.log, redactor), metrics({kVersion, kRevision, "clang " __clang_version__}), bridge(world.executor, metrics),
      ports(world, io, {config, environment, std::move(plugin_folders), std::move(state_dir)}, redactor, log, bridge) {}

}  // namespace agentd::host
