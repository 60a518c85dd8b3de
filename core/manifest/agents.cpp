#include "core/manifest/agents.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "core/base/json_numbers.hpp"
#include "core/base/json_text.hpp"
#include "core/manifest/agent_check.hpp"
#include "core/manifest/agent_keys.hpp"
#include "core/manifest/nearest.hpp"
#include "core/manifest/setting_paths.hpp"
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

void name_sent(Reader& reader, AgentSpec& spec, const Tree& tree, const std::string& agent_id) {
  const auto* written = tree.find("agent_id");
  const auto place = written ? written->value.place : tree.place;
  if (agent_id.empty()) reader.problem(place, "\"agent_id\" is missing");
  else if (!is_agent_id(agent_id)) reader.problem(place, quote(agent_id) + " is not an agent's name: it must be of [a-z0-9_-], begin with a letter or digit, and have at most 64");
  else if (written && written->value.text() && spec.agent_id != agent_id) reader.problem(place, "\"agent_id\" is " + quote(spec.agent_id) + " but the agent is " + quote(agent_id) + ": it cannot be changed, and may be left out");
  spec.agent_id = agent_id;
}

constexpr std::string_view kExtension = ".toml";

std::vector<std::string> stems_in(const fs::path& folder, std::error_code& error) {
  std::vector<std::string> stems;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (name.ends_with(kExtension) && name.front() != '.') stems.push_back(name.substr(0, name.size() - kExtension.size()));
  }
  std::ranges::sort(stems);
  return stems;
}

std::string shown_path(const fs::path& path, const fs::path& working_folder) {
  const auto relative = path.lexically_relative(working_folder);
  return relative.empty() || *relative.begin() == ".." ? path.string() : relative.string();
}

std::string file_in(const std::string& folder, const std::string& stem) { return folder.empty() ? stem + ".toml" : (fs::path(folder) / (stem + ".toml")).string(); }

LoadedAgent load_file(const FoundAgents::Folder& folder, const std::string& stem, const HostConfig& config, const Checks& checks) {
  const auto path = file_in(folder.path, stem);
  auto shown = file_in(folder.shown, stem);
  const auto text = read_text_file(path);
  if (text) return read_agent(*text, path, config, checks, read_text_file, std::move(shown));
  return {.file = shown, .agent_id = stem, .spec = {}, .problems = {{shown, 0, 0, text.error().message}}, .notes = {}};
}

// An id belongs to the first folder that claims it.
void refuse_a_duplicate(const FoundAgents& found, std::size_t folder, LoadedAgent& agent) {
  const auto earlier = std::span(found.folders).first(folder);
  const auto owner = std::ranges::find_if(earlier, [&](const auto& f) { return std::ranges::binary_search(f.stems, agent.agent_id); });
  const bool is_sent = std::ranges::binary_search(found.sent, agent.agent_id);
  if (owner == earlier.end() && !is_sent) return;
  const auto where = is_sent ? "it came through the API; name this file otherwise, or: agentd agents delete " + agent.agent_id : file_in(owner->shown, agent.agent_id);
  agent.problems.push_back({agent.file, 1, 1, "agent \"" + agent.agent_id + "\" exists already: " + where});
  agent.spec.reset();
}

void refuse(LoadedAgent& agent, Problem problem) {
  agent.problems.push_back(std::move(problem));
  sort_problems(agent.problems);
  agent.spec.reset();
}

std::vector<ChainLink> links_of(const AgentSpec& spec, const Tree& tree) {
  std::vector<ChainLink> links;
  const auto* written = tree.find("trigger");
  for (std::size_t i = 0; i < spec.triggers.size(); ++i) {
    const auto* on = std::get_if<AgentTrigger>(&spec.triggers[i].on);
    if (!on || on->agent.empty()) continue;
    const auto* table = written && written->value.list() && i < written->value.list()->size() ? &(*written->value.list())[i] : &tree;
    const auto* key = table->find("agent");
    links.push_back({spec.agent_id, spec.triggers[i].name, on->outcome, on->agent, problem_at(key ? key->value.place : table->place, "")});
  }
  return links;
}

// Each folder once, whatever names lead to it.
std::vector<std::string> distinct(const std::vector<std::string>& folders) {
  std::vector<std::string> out;
  std::vector<fs::path> seen;
  for (const auto& folder : folders) {
    std::error_code error;
    const auto real = fs::canonical(folder, error);
    if (!error && std::ranges::find(seen, real) != seen.end()) continue;
    seen.push_back(real);
    out.push_back(folder);
  }
  return out;
}

}  // namespace

namespace {

using Naming = void (*)(Reader&, AgentSpec&, const Tree&, const std::string&);

LoadedAgent read(LoadedAgent out, const Tree* tree, Reader reader, const HostConfig& config, const Checks& checks, Naming name) {
  if (tree) {
    const Tree merged = with_defaults(*tree, config);
    AgentSpec spec;
    read_table(reader, merged, agent_keys(), &spec);
    name(reader, spec, merged, out.agent_id);
    make_toolset_paths_absolute(reader, spec.tools, merged, checks);
    make_native_paths_absolute(reader, spec, merged);
    check_agent(reader, spec, merged, config, checks);
    out.links = links_of(spec, merged);
    if (reader.problems.empty()) out.spec = std::move(spec);
  }
  out.problems = std::move(reader.problems);
  out.notes = std::move(reader.notes);
  sort_problems(out.problems);
  sort_problems(out.notes);
  return out;
}

// What is null is left out, as a merge patch has it.
Json without_nulls(const Json& patch) {
  Json document = Json::object();
  document.merge_patch(patch);
  return document;
}

// A list's nulls have no such meaning, and TOML has none.
void refuse_nulls(const Tree& tree, std::vector<Problem>& problems) {
  if (const auto* table = tree.table())
    for (const auto& entry : *table) refuse_nulls(entry.value, problems);
  if (const auto* list = tree.list()) {
    for (const auto& item : *list) {
      if (std::holds_alternative<std::monostate>(item.value)) problems.push_back(problem_at(item.place, "a list holds no null"));
      refuse_nulls(item, problems);
    }
  }
}

constexpr std::size_t kLongestInteger = 64;  // bytes of it that are told

// TOML's are signed. What is between those and 64 bits would become a text.
void refuse_wide_integers(const Json& json, std::vector<Problem>& problems) {
  const auto flat = json.flatten();
  for (const auto& [pointer, value] : flat.items())
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) problems.push_back({kSentFile, 0, 0, value.dump() + " is above 9223372036854775807, the largest whole number there is here", pointer});
}

std::optional<Tree> parse_document(std::string_view text, std::vector<Problem>& problems) {
  const auto json = is_json(text) ? Json::parse(text, nullptr, false) : Json();
  if (!json.is_object()) {
    problems.push_back({kSentFile, 0, 0, is_json(text) ? "must be a JSON object" : "is not JSON: one document in UTF-8, at most 64 deep, no name twice in an object"});
    return std::nullopt;
  }
  if (const auto integer = wide_integer(text); !integer.empty()) {
    problems.push_back({kSentFile, 0, 0, "is JSON with the integer " + std::string(clip_utf8(integer, kLongestInteger)) + ", which is beyond 64 bits"});
    return std::nullopt;
  }
  const auto source = std::make_shared<Source>(Source{.name = kSentFile, .folder = "", .is_sent = true});
  auto tree = from_document(without_nulls(json), source);
  refuse_nulls(tree, problems);
  refuse_wide_integers(json, problems);
  return tree;
}

}  // namespace

LoadedAgent read_agent(std::string_view text, const std::string& file, const HostConfig& config, const Checks& checks, const ReadFile& read_file, std::string shown) {
  const fs::path path(file);
  LoadedAgent out{.file = shown.empty() ? file : std::move(shown), .agent_id = path.stem().string(), .spec = {}, .problems = {}, .notes = {}};
  Reader reader{.read_file = read_file, .canonical = false, .problems = {}, .notes = {}};
  const auto source = std::make_shared<const Source>(out.file, path.parent_path().string());
  const auto tree = parse_toml(text, source, reader.problems);
  return read(std::move(out), tree ? &*tree : nullptr, std::move(reader), config, checks, name_agent);
}

SentManifest parse_sent(std::string_view text, SentAs form) {
  SentManifest sent;
  const auto source = std::make_shared<const Source>(Source{.name = kSentFile, .folder = "", .is_sent = true});
  auto tree = form == SentAs::toml ? parse_toml(text, source, sent.problems) : parse_document(text, sent.problems);
  if (!tree) return sent;
  sent.document = to_json(*tree).dump();
  if (const auto* id = tree->find("agent_id"); id && id->value.text()) sent.agent_id = *id->value.text();
  sent.tree = std::make_shared<const Tree>(std::move(*tree));
  return sent;
}

std::string patched(const std::string& document, const std::string& patch) {
  auto changed = Json::parse(document);
  changed.merge_patch(Json::parse(patch));
  return changed.dump();
}

LoadedAgent read_sent(const SentManifest& sent, const std::string& agent_id, const HostConfig& config, const Checks& checks, const ReadFile& read_file) {
  LoadedAgent out{.file = kSentFile, .agent_id = agent_id, .spec = {}, .problems = {}, .notes = {}};
  Reader reader{.read_file = read_file, .canonical = false, .problems = sent.problems, .notes = {}};
  return read(std::move(out), sent.tree.get(), std::move(reader), config, checks, name_sent);
}

LoadedAgent read_canonical(std::string_view text, const std::string& file, const HostConfig& config, const Checks& checks) {
  LoadedAgent out{.file = file, .agent_id = {}, .spec = {}, .problems = {}, .notes = {}};
  Reader reader{.read_file = {}, .canonical = true, .problems = {}, .notes = {}};
  const auto source = std::make_shared<const Source>(Source{.name = file, .folder = ""});
  if (is_json(text)) {
    const auto tree = from_json(Json::parse(text), {source, 0, 0});
    AgentSpec spec;
    read_table(reader, tree, agent_keys(), &spec);
    check_agent(reader, spec, tree, config, checks);
    out.agent_id = spec.agent_id;
    out.links = links_of(spec, tree);
    if (reader.problems.empty()) out.spec = std::move(spec);
  } else {
    reader.problems.push_back({file, 0, 0, "a stored manifest is not JSON"});
  }
  out.problems = std::move(reader.problems);
  return out;
}

void refuse_unknown_agents(const FoundAgents& found, LoadedAgent& agent) {
  for (const auto& link : agent.links) {
    const auto has = [&](const auto& folder) { return std::ranges::binary_search(folder.stems, link.followed); };
    if (std::ranges::any_of(found.folders, has) || std::ranges::binary_search(found.sent, link.followed)) continue;
    auto names = found.sent;
    for (const auto& folder : found.folders) names.insert(names.end(), folder.stems.begin(), folder.stems.end());
    auto problem = link.at;
    problem.message = "there is no agent " + quote(link.followed) + did_you_mean(link.followed, names);
    refuse(agent, std::move(problem));
  }
}

FoundAgents find_agents(const std::vector<std::string>& folders, const std::string& working_folder) {
  FoundAgents found;
  for (const auto& path : distinct(folders)) {
    std::error_code error;
    auto shown = shown_path(path, working_folder);
    auto stems = stems_in(path, error);
    if (error) found.problems.push_back({shown, 0, 0, "cannot read the folder of agents: " + error.message()});
    if (shown == ".") shown.clear();
    found.folders.push_back({path, std::move(shown), std::move(stems)});
  }
  return found;
}

std::vector<LoadedAgent> load_agents(const FoundAgents& found, std::size_t folder, std::size_t first, std::size_t count, const HostConfig& config, const Checks& checks) {
  const auto& from = found.folders[folder];
  std::vector<LoadedAgent> agents;
  for (auto i = first; i < std::min(from.stems.size(), first + count); ++i) {
    auto& agent = agents.emplace_back(load_file(from, from.stems[i], config, checks));
    refuse_a_duplicate(found, folder, agent);
    refuse_unknown_agents(found, agent);
  }
  return agents;
}

LoadedAgents load_agents(const std::vector<std::string>& folders, const HostConfig& config, const Checks& checks, const std::string& working_folder) {
  const auto found = find_agents(folders, working_folder);
  LoadedAgents out{.agents = {}, .problems = found.problems};
  for (std::size_t folder = 0; folder < found.folders.size(); ++folder)
    std::ranges::move(load_agents(found, folder, 0, found.folders[folder].stems.size(), config, checks), std::back_inserter(out.agents));
  std::vector<ChainLink> links;
  for (const auto& agent : out.agents) links.insert(links.end(), agent.links.begin(), agent.links.end());
  for (auto& [agent_id, problem] : cycles(links))
    for (auto& agent : out.agents)
      if (agent.agent_id == agent_id && agent.file == problem.file) refuse(agent, problem);
  return out;
}

std::vector<Problem> all_problems(const LoadedAgents& loaded) {
  auto all = loaded.problems;
  for (const auto& agent : loaded.agents) all.insert(all.end(), agent.problems.begin(), agent.problems.end());
  sort_problems(all);
  return all;
}

}  // namespace agentd::manifest
