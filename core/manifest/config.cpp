#include "core/manifest/config.hpp"

#include <filesystem>

#include "core/manifest/borrowed.hpp"
#include "core/manifest/config_check.hpp"
#include "core/manifest/config_keys.hpp"
#include "core/manifest/overrides.hpp"
#include "core/manifest/settings.hpp"
#include "core/manifest/toml_text.hpp"

namespace agentd::manifest {
namespace fs = std::filesystem;
namespace {

std::string variable(const Environment& environment, const char* name) {
  const auto at = environment.find(name);
  return at == environment.end() ? "" : at->second;
}

std::string user_folder(const Environment& environment) {
  if (const auto folder = variable(environment, "XDG_CONFIG_HOME"); !folder.empty()) return folder;
  const auto home = variable(environment, "HOME");
  return home.empty() ? "" : home + "/.config";
}

// Named by a person, so that it must be there; or empty.
fs::path named_file(const Surroundings& around) {
  const fs::path here(around.working_folder);
  if (!around.config_file.empty()) return here / around.config_file;
  const auto named = variable(around.environment, "AGENTD_CONFIG");
  return named.empty() ? fs::path() : here / named;
}

std::vector<fs::path> usual_files(const Surroundings& around) {
  std::vector<fs::path> files = {fs::path(around.working_folder) / "agentd.toml"};
  if (const auto user = user_folder(around.environment); !user.empty()) files.push_back(fs::path(user) / "agentd" / "agentd.toml");
  files.push_back(fs::path(around.system_folder) / "agentd.toml");
  return files;
}

// Empty: none.
fs::path choose_file(const Surroundings& around) {
  if (auto named = named_file(around); !named.empty()) return named;
  std::error_code ignored;
  for (auto& file : usual_files(around))
    if (fs::exists(file, ignored)) return std::move(file);
  return {};
}

std::string no_file(const Surroundings& around) {
  std::string text = "no configuration file: there is no";
  const char* between = " ";
  for (const auto& file : usual_files(around)) (text += std::exchange(between, ", no ")) += file.string();
  return text + "; the defaults serve";
}

std::string shown(const fs::path& file, const fs::path& here) {
  const auto relative = file.lexically_normal().lexically_relative(here);
  return relative.empty() || *relative.begin() == ".." ? file.string() : relative.string();
}

Tree empty_tree(const Place& place = {}) { return {Tree::Table{}, place}; }

Tree file_tree(const Surroundings& around, LoadedConfig& out, std::vector<Problem>& problems) {
  const auto file = choose_file(around);
  if (file.empty()) {
    out.notes.push_back(no_file(around));
    return empty_tree();
  }
  const auto name = shown(file, around.working_folder);
  const auto text = read_text_file(file.string());
  if (!text) {
    problems.push_back({name, 0, 0, text.error().message});
    return empty_tree();
  }
  out.config.file = file.lexically_normal().string();
  const auto source = std::make_shared<const Source>(name, fs::path(out.config.file).parent_path().string());
  return parse_toml(*text, source, problems).value_or(empty_tree());
}

std::vector<std::string> dotted(const std::string& key) {
  std::vector<std::string> path;
  for (std::size_t at = 0; at <= key.size();) {
    const auto end = std::min(key.find('.', at), key.size());
    path.push_back(key.substr(at, end - at));
    at = end + 1;
  }
  return path;
}

Kind kind_at(const std::vector<std::string>& path) {
  const TableKeys* keys = &config_keys();
  const Key* key = nullptr;
  for (const auto& name : path) {
    key = keys ? keys->find(name) : nullptr;
    keys = key ? key->table : nullptr;
  }
  return key ? key->kind : Kind::text;
}

Tree flag_tree(const Surroundings& around) {
  Tree out = empty_tree();
  for (const auto& flag : around.flags) {
    const Place place{std::make_shared<const Source>(flag.name, around.working_folder), 0, 0};
    const auto path = dotted(flag.key);
    Tree value{std::string(), place};
    if (kind_at(path) == Kind::list) {
      Tree::List items;
      for (const auto& item : flag.values) items.push_back(typed(Kind::text, item, place));
      value.value = std::move(items);
    } else if (!flag.values.empty()) {
      value = typed(kind_at(path), flag.values.back(), place);
    }
    put(out, path, std::move(value));
  }
  return out;
}

// Defaults that depend on where the host is started.
void place_defaults(HostConfig& config, const Tree& tree, const std::string& working_folder) {
  const fs::path base = config.file.empty() ? fs::path(working_folder) : fs::path(config.file).parent_path();
  if (!find(tree, std::array<std::string_view, 2>{"host", "agent_dirs"})) config.host.agent_dirs = {(base / "agents").string()};
  if (!find(tree, std::array<std::string_view, 2>{"host", "state_dir"})) config.host.state_dir = (base / "state").string();
  auto& local = config.stores["local"];
  if (local.plugin.empty()) local.plugin = "sqlite";
  for (auto& [name, store] : config.stores)
    if (store.plugin.empty()) store.plugin = name;
  if (!config.defaults) config.defaults = std::make_shared<const Tree>(empty_tree());
}

// A default was written nowhere.
Problem in_some_file(const LoadedConfig& loaded, Problem problem) {
  if (problem.file.empty()) problem.file = loaded.config.file.empty() ? "agentd.toml" : loaded.config.file;
  return problem;
}

}  // namespace

LoadedConfig load_config(const Surroundings& around) {
  LoadedConfig out;
  Reader reader{.read_file = read_text_file, .canonical = false, .problems = {}, .notes = {}};
  Tree higher = file_tree(around, out, reader.problems);
  const bool has_unread_file = !reader.problems.empty();
  const Tree overrides = environment_overrides(around.environment, config_keys(), higher, around.working_folder, reader.problems);
  merge(higher, overrides);
  merge(higher, flag_tree(around));
  Tree tree = borrowed_settings(around.environment, higher, around.working_folder, reader.problems, out.notes);
  merge(tree, higher);
  read_table(reader, tree, config_keys(), &out.config);
  place_defaults(out.config, tree, around.working_folder);
  if (!has_unread_file) check_config(reader, out.config, tree);  // what an unreadable file declares would seem missing
  out.problems = std::move(reader.problems);
  sort_problems(out.problems);
  out.settings = settings_in_force(out.config, tree);
  out.tree = std::make_shared<const Tree>(std::move(tree));
  return out;
}

Problem problem_at(const LoadedConfig& loaded, std::initializer_list<std::string_view> path, std::string message) {
  const std::span keys(path.begin(), path.size());
  const auto* found = find(*loaded.tree, keys);
  return in_some_file(loaded, problem_at(found && !found->value.table() ? found->value.place : place_of(*loaded.tree, keys), std::move(message)));
}

Problem problem_at(const LoadedConfig& loaded, std::initializer_list<std::string_view> path, const SettingFault& fault) {
  const std::vector<std::string> names(path.begin(), path.end());
  return in_some_file(loaded, problem_of(fault, *loaded.tree, names));
}

}  // namespace agentd::manifest
