// Agent manifests: reading one, reading folders of them, and the text that is kept with runs. Any thread; calls share nothing.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/manifest/agent_spec.hpp"
#include "core/manifest/checks.hpp"
#include "core/manifest/host_config.hpp"
#include "core/manifest/problem.hpp"

namespace agentd::manifest {

using ReadFile = std::function<Result<std::string>(const std::string& path)>;
Result<std::string> read_text_file(const std::string& path);

struct LoadedAgent {
  std::string file;                          // as people see it
  std::string agent_id;                      // also of a broken one: the file's stem
  std::optional<AgentSpec> spec;             // nothing when there are problems
  std::vector<Problem> problems;             // in the order of the text
  std::vector<Problem> notes;                // worth saying, no reason to refuse
};

// The text of one manifest. `file` is its path: relative paths in the manifest are relative to its folder, its stem is the agent's
// id. `shown` is the name in messages; empty: the path itself. [defaults] of the configuration serve where the manifest is silent.
LoadedAgent read_agent(std::string_view text, const std::string& file, const HostConfig& config, const Checks& checks,
                       const ReadFile& read_file = read_text_file, std::string shown = {});

struct LoadedAgents {
  std::vector<LoadedAgent> agents;           // by folder, then by name
  std::vector<Problem> problems;             // of the folders themselves
};

// Every *.toml of each folder, not of folders inside it. An id that two files claim is a problem of the later one.
LoadedAgents load_agents(const std::vector<std::string>& folders, const HostConfig& config, const Checks& checks,
                         const std::string& working_folder);

// All problems, by place, each once: one in [defaults] is every agent's, but is told once.
std::vector<Problem> all_problems(const LoadedAgents& loaded);

// The manifest as it is in force, without what is default: JSON that parse_canonical reads back to an equal spec, whatever the
// files it named have become. Equal specs have equal texts.
std::string canonical(const AgentSpec& spec);
Result<AgentSpec> parse_canonical(std::string_view text);

// SHA-256 of the canonical text, in hex: names a revision across hosts, so that it must not collide by design either.
std::string content_hash(std::string_view canonical_text);

// JSON Schemas (2020-12) of what is accepted by this build.
std::string manifest_schema();
std::string config_schema();

}  // namespace agentd::manifest
