#include "host/ground.hpp"

#include "host/version.hpp"

namespace agentd::host {

namespace {

std::filesystem::path base_of(const manifest::HostConfig& config) {
  return config.file.empty() ? std::filesystem::current_path() : std::filesystem::path(config.file).parent_path();
}

void observe(metrics::Metrics& metrics, const memory::EmbeddingCall& call) {
  metrics.observe_embedding({call.agent_id, call.provider, call.model, call.error.empty(), call.usage ? call.usage->input_tokens : -1, call.cost, call.duration});
}

}  // namespace

Ground::Ground(const manifest::LoadedConfig& loaded, const manifest::Environment& environment, std::vector<std::filesystem::path> plugin_folders, std::filesystem::path state_dir,
               plugin::Patience patience)
    : log(loaded.config.log, redactor), metrics({kVersion, kRevision, "clang " __clang_version__}), bridge(world.executor, metrics),
      ports(world, io, {loaded, environment, std::move(plugin_folders), std::move(state_dir), base_of(loaded.config), patience, [this](const memory::EmbeddingCall& call) { observe(metrics, call); }}, redactor, log, bridge) {}

}  // namespace agentd::host
