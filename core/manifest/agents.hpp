// Agent manifests: reading one, reading folders of them, and the text that is kept with runs. Any thread; calls share nothing.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/manifest/agent_spec.hpp"
#include "core/manifest/chains.hpp"
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
  std::vector<ChainLink> links = {};         // to agents that it follows
};

// The text of one manifest. `file` is its path: relative paths in the manifest are relative to its folder, its stem is the agent's
// id. `shown` is the name in messages; empty: the path itself. [defaults] of the configuration serve where the manifest is silent.
LoadedAgent read_agent(std::string_view text, const std::string& file, const HostConfig& config, const Checks& checks,
                       const ReadFile& read_file = read_text_file, std::string shown = {});

// A manifest that comes without a file: paths in it are absolute. Its problems are told where they stand in the text: by line and column
// in TOML, by pointer in JSON.
struct SentManifest {
  std::shared_ptr<const Tree> tree;          // null: it cannot be read at all
  std::string agent_id;                      // as the text has it; empty: it has none
  std::string document;                      // the same as JSON, without what is null: parse_sent reads it again
  std::vector<Problem> problems;
};
enum class SentAs { json, toml };
SentManifest parse_sent(std::string_view text, SentAs form);
// `document` changed by a merge patch (RFC 7396), both JSON objects.
std::string patched(const std::string& document, const std::string& patch);
inline constexpr const char* kSentFile = "api";  // what stands for the file of such an agent
// agent_id: the name that it is to have.
LoadedAgent read_sent(const SentManifest& sent, const std::string& agent_id, const HostConfig& config, const Checks& checks, const ReadFile& read_file = read_text_file);

// The manifests of folders, found and not yet read: a host reads a hundred thousand of them part by part.
struct FoundAgents {
  struct Folder {
    std::string path;
    std::string shown;                       // as people see it; empty: the working folder
    std::vector<std::string> stems;          // of its *.toml, sorted; not of folders inside it
  };
  std::vector<Folder> folders;
  std::vector<Problem> problems;             // of the folders themselves
  std::vector<std::string> sent;             // ids that belong to agents without a file, sorted
};
FoundAgents find_agents(const std::vector<std::string>& folders, const std::string& working_folder);

// At most `count` agents of one of the folders. An id that an earlier folder has is a problem of this one; so is following an agent that
// none has.
std::vector<LoadedAgent> load_agents(const FoundAgents& found, std::size_t folder, std::size_t first, std::size_t count, const HostConfig& config, const Checks& checks);

// Following an agent that none has is a problem.
void refuse_unknown_agents(const FoundAgents& found, LoadedAgent& agent);

struct LoadedAgents {
  std::vector<LoadedAgent> agents;           // by folder, then by name
  std::vector<Problem> problems;             // of the folders themselves
};

// All of them at once, and so with chains that never end as problems: who loads them part by part looks for cycles() at the end.
LoadedAgents load_agents(const std::vector<std::string>& folders, const HostConfig& config, const Checks& checks,
                         const std::string& working_folder);

// All problems, by place, each once: one in [defaults] is every agent's, but is told once.
std::vector<Problem> all_problems(const LoadedAgents& loaded);

// The manifest as it is in force, without what is default: JSON that parse_canonical reads back to an equal spec, whatever the
// files it named have become. Equal specs have equal texts.
std::string canonical(const AgentSpec& spec);
Result<AgentSpec> parse_canonical(std::string_view text);
// The agent of a file as such a text has it, and whether it could run now: what it needs may have gone since.
LoadedAgent read_canonical(std::string_view text, const std::string& file, const HostConfig& config, const Checks& checks);

// SHA-256 of the canonical text, in hex: names a revision across hosts, so that it must not collide by design either.
std::string content_hash(std::string_view canonical_text);

// JSON Schemas (2020-12) of what is accepted by this build.
std::string manifest_schema();
std::string config_schema();

}  // namespace agentd::manifest
