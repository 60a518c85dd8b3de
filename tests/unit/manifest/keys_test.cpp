// Nothing is silently ignored: every key that is declared changes what is read, or is refused; every key that the manual shows is declared.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/manifest/agent_keys.hpp"
#include "core/manifest/config_keys.hpp"
#include "core/manifest/toml_text.hpp"

namespace agentd::manifest {
namespace {

using Path = std::vector<std::string>;

Tree fixture(const std::string& name) {
  std::ifstream in(std::string(FIXTURES) + "/" + name);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::vector<Problem> problems;
  auto tree = parse_toml(text, std::make_shared<const Source>(name, "/"), problems);
  EXPECT_TRUE(tree && problems.empty()) << name << (problems.empty() ? "" : ": " + to_text(problems[0]));
  return tree.value_or(Tree{Tree::Table{}, {}});
}

std::string dotted(const Path& path) {
  std::string out;
  for (const auto& p : path) out += (out.empty() ? "" : ".") + p;
  return out;
}

const Tree* value_at(const Tree& tree, const Path& path) {
  const std::vector<std::string_view> views(path.begin(), path.end());
  const auto* entry = find(tree, views);
  return entry ? &entry->value : nullptr;
}

// Visits every key that is not itself a table of keys. Entries of people's own naming are called "x".
template <class Visit>
void each_key(const TableKeys& keys, const Path& at, const Visit& visit) {
  for (const auto& key : keys.keys) {
    Path path = at;
    path.push_back(key.name);
    if (key.name == "defaults") continue;  // the manifest's own keys
    if (key.kind == Kind::table && key.table) each_key(*key.table, path, visit);
    else if (key.kind == Kind::entries && key.table) each_key(*key.table, (path.push_back(key.name == "prices" ? "m" : "x"), path), visit);
    else visit(path, key);
  }
}

struct Outcome {
  Json dump;
  std::vector<Problem> problems;
};

template <class T>
Outcome read(const TableKeys& keys, const Tree& tree, bool canonical) {
  Reader reader{.read_file = [](const std::string&) -> Result<std::string> { return "{}"; }, .canonical = canonical, .problems = {}, .notes = {}};
  T object;
  const T plain;
  read_table(reader, tree, keys, &object);
  return {write_table(keys, &object, &plain, true), reader.problems};
}

bool has(const std::vector<Problem>& problems, const std::string& text) {
  return std::ranges::any_of(problems, [&](const auto& p) { return p.message.find(text) != std::string::npos; });
}

// Each key alone, over what its table requires.
template <class T>
void check_each_key(const TableKeys& keys, const Tree& samples) {
  each_key(keys, {}, [&](const Path& path, const Key&) {
    const auto* sample = value_at(samples, path);
    ASSERT_TRUE(sample) << "no sample for " << dotted(path);
    Tree with{Tree::Table{}, {}}, without{Tree::Table{}, {}};
    put(with, path, *sample);
    if (path.size() > 1) put(without, std::span(path).first(path.size() - 1), Tree{Tree::Table{}, {}});
    const auto set = read<T>(keys, with, false);
    if (has(set.problems, "is not supported yet")) {
      // Refused now; still bound to its field, so that taking the mark away is all it takes.
      EXPECT_NE(read<T>(keys, with, true).dump, read<T>(keys, without, true).dump) << dotted(path);
      return;
    }
    EXPECT_FALSE(has(set.problems, "unknown key")) << dotted(path);
    EXPECT_FALSE(has(set.problems, "must be")) << dotted(path);
    EXPECT_NE(set.dump, read<T>(keys, without, false).dump) << dotted(path) << " is silently ignored";
  });
}

TEST(Keys, OfAManifestChangeWhatIsReadOrAreRefused) { check_each_key<AgentSpec>(agent_keys(), fixture("samples_manifest.toml")); }
TEST(Keys, OfTheConfigurationChangeWhatIsReadOrAreRefused) { check_each_key<HostConfig>(config_keys(), fixture("samples_config.toml")); }

// The keys of tables inside lists: taking one away changes what is read, or is missed.
template <class T>
void check_keys_in_lists(const TableKeys& keys, const Tree& samples) {
  each_key(keys, {}, [&](const Path& path, const Key& key) {
    if (key.kind != Kind::list || !key.table) return;
    const auto whole = *value_at(samples, path);
    for (const auto& inner : key.table->keys) {
      bool is_sampled = false;
      for (std::size_t i = 0; i < whole.list()->size(); ++i) {
        if (!(*whole.list())[i].find(inner.name)) continue;
        is_sampled = true;
        Tree less = whole, with{Tree::Table{}, {}}, without{Tree::Table{}, {}};
        std::erase_if(std::get<Tree::Table>(std::get<Tree::List>(less.value)[i].value), [&](const auto& e) { return e.key == inner.name; });
        put(with, path, whole), put(without, path, less);
        const auto missed = read<T>(keys, without, true);
        EXPECT_TRUE(has(missed.problems, "is missing") || missed.dump != read<T>(keys, with, true).dump) << dotted(path) << "[]." << inner.name;
      }
      EXPECT_TRUE(is_sampled) << "no sample for " << dotted(path) << "[]." << inner.name;
    }
  });
}

TEST(Keys, InListsOfAManifestAreRead) { check_keys_in_lists<AgentSpec>(agent_keys(), fixture("samples_manifest.toml")); }
TEST(Keys, InListsOfTheConfigurationAreRead) { check_keys_in_lists<HostConfig>(config_keys(), fixture("samples_config.toml")); }

// Every key of a tree is declared.
void check_declared(const Tree& tree, const TableKeys& keys, const std::string& at) {
  for (const auto& entry : *tree.table()) {
    const auto* key = keys.find(entry.key);
    EXPECT_TRUE(key || keys.take_rest) << at << entry.key << " is shown but not declared";
    if (!key || !key->table) continue;
    if (key->kind == Kind::table) check_declared(entry.value, *key->table, at + entry.key + ".");
    if (key->kind == Kind::entries)
      for (const auto& item : *entry.value.table()) check_declared(item.value, *key->table, at + entry.key + ".*.");
    if (key->kind == Kind::list)
      for (const auto& item : *entry.value.list()) check_declared(item, *key->table, at + entry.key + "[].");
  }
}

TEST(Keys, ThatTheManualShowsAreDeclared) {
  check_declared(fixture("interface_manifest.toml"), agent_keys(), "");
  check_declared(fixture("interface_config.toml"), config_keys(), "");
}

// What the manual shows is read or refused for one reason only: its feature is not built.
TEST(Keys, ThatTheManualShowsAreReadOrNotSupportedYet) {
  auto manifest = fixture("interface_manifest.toml");
  for (const auto* name : {"cron", "at"}) std::erase_if(std::get<Tree::Table>(const_cast<Tree::Entry*>(manifest.find("schedule"))->value.value), [&](const auto& e) { return e.key == name; });
  for (const auto& p : read<AgentSpec>(agent_keys(), manifest, false).problems) EXPECT_NE(p.message.find("not supported yet"), std::string::npos) << to_text(p);
  for (const auto& p : read<HostConfig>(config_keys(), fixture("interface_config.toml"), false).problems)
    EXPECT_TRUE(p.message.find("not supported yet") != std::string::npos || p.message.find("sha256") != std::string::npos) << to_text(p);
}

TEST(Keys, HaveADescriptionEach) {
  const auto described = [](const Path& path, const Key& key) { EXPECT_FALSE(key.doc.empty()) << dotted(path); };
  each_key(agent_keys(), {}, described);
  each_key(config_keys(), {}, described);
}

// The list that work on later features shortens.
TEST(Keys, NotBuiltYetAreTheseAndNoOthers) {
  std::set<std::string> waiting;
  const std::function<void(const TableKeys&, const std::string&)> collect = [&](const TableKeys& keys, const std::string& at) {
    for (const auto& key : keys.keys) {
      if (!key.is_supported) waiting.insert(at + key.name);
      else if (!key.refused.empty() || !key.accepted.empty()) waiting.insert(at + key.name + "=");
      else if (key.table && key.name != "defaults") collect(*key.table, at + key.name + ".");
    }
  };
  collect(agent_keys(), "");
  EXPECT_EQ(waiting, (std::set<std::string>{"model.fallback", "skills"}));
  waiting.clear();
  collect(config_keys(), "");
  EXPECT_EQ(waiting, (std::set<std::string>{"host.roles=", "mcp", "mcp_files", "plugins.isolation=", "providers.requests_per_minute=",
                                            "providers.tokens_per_minute="}));
}

}  // namespace
}  // namespace agentd::manifest
