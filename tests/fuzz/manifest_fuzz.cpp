// Any bytes as a manifest, as a configuration's [defaults] below one, as a stored manifest and as a .env file. Nothing is read from disk.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "core/manifest/agent_keys.hpp"
#include "core/manifest/agents.hpp"
#include "core/manifest/config_keys.hpp"
#include "core/manifest/environment.hpp"
#include "core/manifest/overrides.hpp"
#include "core/manifest/toml_text.hpp"

namespace {

using namespace agentd;
using namespace agentd::manifest;

HostConfig host() {
  HostConfig config;
  config.stores["local"], config.providers["p"];
  return config;
}

void check(bool holds) {
  if (!holds) std::abort();
}

Result<std::string> nothing(const std::string& path) { return fail("no " + path); }

void read_manifest(std::string_view text, const HostConfig& config) {
  const auto agent = read_agent(text, "/srv/a.toml", config, {}, nothing);
  check(agent.spec.has_value() == agent.problems.empty());
  for (const auto& problem : agent.problems) check(!to_text(problem).empty());
  if (!agent.spec) return;
  const auto stored = canonical(*agent.spec);
  const auto back = parse_canonical(stored);
  check(back && *back == *agent.spec && canonical(*back) == stored);
}

HostConfig read_config(std::string_view text) {
  auto config = host();
  Reader reader{.read_file = nothing, .canonical = false, .problems = {}, .notes = {}};
  if (const auto tree = parse_toml(text, std::make_shared<const Source>("agentd.toml", "/srv"), reader.problems)) read_table(reader, *tree, config_keys(), &config);
  write_table(config_keys(), &config, &config, true).dump();
  return config;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto plain = host();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_manifest(text, plain);
  read_manifest("[task]\nquery = \"q\"\n[model]\nprovider = \"p\"\nmodel = \"m\"\n", read_config(text));
  if (const auto stored = parse_canonical(text)) check(parse_canonical(canonical(*stored)).value() == *stored);
  Environment environment;
  std::vector<Problem> problems;
  add_env_file(text, ".env", environment, problems);
  environment_overrides(environment, config_keys(), Tree{Tree::Table{}, {}}, "/srv", problems);
  return 0;
}
