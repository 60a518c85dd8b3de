#include "core/manifest/agents.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "core/manifest/agent_check.hpp"
#include "core/manifest/agent_keys.hpp"
#include "core/manifest/toml_text.hpp"

namespace agentd::manifest {
namespace fs = std::filesystem;
namespace {

// Alternatives of which a manifest's own choice pushes the default's aside.
struct Alternatives {
  std::string_view table;
  std::array<std::string_view, 3> keys;
};
constexpr std::array kAlternatives = {Alternatives{"schedule", {"interval", "cron", "at"}}, Alternatives{"task", {"query", "native", ""}}};

void drop(Tree& tree, std::string_view table, std::string_view key) {
  for (auto& entry : std::get<Tree::Table>(tree.value))
    if (entry.key == table && entry.value.table()) std::erase_if(std::get<Tree::Table>(entry.value.value), [&](const auto& e) { return e.key == key; });
}

// The manifest over the defaults, whose places stay those of agentd.toml.
Tree with_defaults(const Tree& manifest, const HostConfig& config) {
  if (!config.defaults || !config.defaults->table()) return manifest;
  Tree tree = *config.defaults;
  for (const auto& [table, keys] : kAlternatives) {
    const auto* own = manifest.find(table);
    if (own && std::ranges::any_of(keys, [&](auto key) { return own->value.find(key) != nullptr; }))
      for (const auto key : keys) drop(tree, table, key);
  }
  merge(tree, manifest);
  return tree;
}

void name_agent(Reader& reader, AgentSpec& spec, const Tree& tree, const std::string& stem) {
  const auto* written = tree.find("agent_id");
  if (!is_agent_id(stem)) {
    reader.problem(written ? written->place : tree.place, "\"" + stem + "\" is not an agent's name: the file's stem must be of [a-z0-9_-], begin with a letter or digit, and have at most 64");
  } else if (written && written->value.text() && spec.agent_id != stem) {
    reader.problem(written->value.place, "\"agent_id\" is \"" + spec.agent_id + "\" but the file is \"" + stem + ".toml\": they must be equal; it may be left out");
  }
  spec.agent_id = stem;
}

std::vector<fs::path> manifests_in(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".toml" && at->path().filename().string().front() != '.') files.push_back(at->path());
  std::ranges::sort(files);
  return files;
}

std::string shown_path(const fs::path& path, const fs::path& working_folder) {
  const auto relative = path.lexically_relative(working_folder);
  return relative.empty() || *relative.begin() == ".." ? path.string() : relative.string();
}

LoadedAgent load_file(const fs::path& file, const std::string& shown, const HostConfig& config, const Checks& checks) {
  const auto text = read_text_file(file.string());
  if (text) return read_agent(*text, file.string(), config, checks, read_text_file, shown);
  return {.file = shown, .agent_id = file.stem().string(), .spec = {}, .problems = {{shown, 0, 0, text.error().message}}, .notes = {}};
}

// An id belongs to the first file that claims it.
void refuse_duplicates(std::vector<LoadedAgent>& agents) {
  std::map<std::string, std::string> owners;
  for (auto& agent : agents) {
    const auto [owner, is_first] = owners.emplace(agent.agent_id, agent.file);
    if (is_first) continue;
    agent.problems.push_back({agent.file, 1, 1, "agent \"" + agent.agent_id + "\" exists already: " + owner->second});
    agent.spec.reset();
  }
}

}  // namespace

LoadedAgent read_agent(std::string_view text, const std::string& file, const HostConfig& config, const Checks& checks, const ReadFile& read_file, std::string shown) {
  const fs::path path(file);
  LoadedAgent out{.file = shown.empty() ? file : std::move(shown), .agent_id = path.stem().string(), .spec = {}, .problems = {}, .notes = {}};
  Reader reader{.read_file = read_file, .canonical = false, .problems = {}, .notes = {}};
  const auto source = std::make_shared<const Source>(out.file, path.parent_path().string());
  const auto tree = parse_toml(text, source, reader.problems);
  if (tree) {
    const Tree merged = with_defaults(*tree, config);
    AgentSpec spec;
    read_table(reader, merged, agent_keys(), &spec);
    name_agent(reader, spec, merged, out.agent_id);
    check_agent(reader, spec, merged, config, checks);
    if (reader.problems.empty()) out.spec = std::move(spec);
  }
  out.problems = std::move(reader.problems);
  out.notes = std::move(reader.notes);
  sort_problems(out.problems);
  sort_problems(out.notes);
  return out;
}

LoadedAgents load_agents(const std::vector<std::string>& folders, const HostConfig& config, const Checks& checks, const std::string& working_folder) {
  LoadedAgents out;
  for (const auto& folder : folders) {
    std::error_code error;
    const auto files = manifests_in(folder, error);
    if (error) out.problems.push_back({shown_path(folder, working_folder), 0, 0, "cannot read the folder of agents: " + error.message()});
    for (const auto& file : files) out.agents.push_back(load_file(file, shown_path(file, working_folder), config, checks));
  }
  refuse_duplicates(out.agents);
  return out;
}

std::vector<Problem> all_problems(const LoadedAgents& loaded) {
  auto all = loaded.problems;
  for (const auto& agent : loaded.agents) all.insert(all.end(), agent.problems.begin(), agent.problems.end());
  sort_problems(all);
  return all;
}

}  // namespace agentd::manifest
