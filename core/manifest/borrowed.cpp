#include "core/manifest/borrowed.hpp"

#include <algorithm>
#include <array>

#include "core/manifest/overrides.hpp"

namespace agentd::manifest {
namespace {

// A variable whose value is a setting.
struct Direct {
  const char* variable;
  std::array<const char*, 3> path;
  Kind kind;
};
constexpr std::array kDirect = {
    Direct{"LLM_PROVIDER", {"defaults", "model", "provider"}, Kind::text},
    Direct{"MODEL", {"defaults", "model", "model"}, Kind::text},
    Direct{"BG_AGENT_MAX_RETRIES", {"defaults", "retry", "max_retries"}, Kind::integer},
    Direct{"BG_AGENT_TIMEOUT", {"defaults", "task", "timeout"}, Kind::quantity},
    Direct{"BG_AGENT_TOKEN_BUDGET", {"defaults", "limits", "total_tokens_limit"}, Kind::integer},
    Direct{"BG_AGENT_COST_BUDGET", {"defaults", "limits", "cost_limit"}, Kind::number},
};

// A provider that exists because its usual key does.
struct UsualKey {
  const char* variable;
  const char* entry;
  const char* plugin;
  const char* base_url;        // nullptr: the plugin's own
};
constexpr std::array kUsualKeys = {
    UsualKey{"OPENAI_API_KEY", "openai", "openai", nullptr},
    UsualKey{"ANTHROPIC_API_KEY", "anthropic", "anthropic", nullptr},
    UsualKey{"OPENROUTER_API_KEY", "openrouter", "openai", "https://openrouter.ai/api/v1"},
    UsualKey{"GEMINI_API_KEY", "gemini", "gemini", nullptr},
};

// What a choice of store means.
struct StoreChoice {
  const char* variable;
  const char* word;
  const char* plugin;
};
constexpr std::array kStoreChoices = {
    StoreChoice{"MEMORY_STORE_TYPE", "memory", "ram"},      StoreChoice{"MEMORY_STORE_TYPE", "redis", "redis"},
    StoreChoice{"MEMORY_STORE_TYPE", "database", "postgres"}, StoreChoice{"MEMORY_STORE_TYPE", "qdrant", "qdrant"},
    StoreChoice{"MEMORY_STORE_TYPE", "chromadb", "chroma"},  StoreChoice{"EVENT_STORE_TYPE", "memory", "ram"},
    StoreChoice{"EVENT_STORE_TYPE", "redis_stream", "redis"},
};

// A variable that says where a store's server is, or what it is called there.
struct StoreSetting {
  const char* store;
  const char* variable;
  const char* key;
  Kind kind;
};
constexpr std::array kStoreSettings = {
    StoreSetting{"redis", "REDIS_HOST", "host", Kind::text},
    StoreSetting{"redis", "REDIS_PORT", "port", Kind::integer},
    StoreSetting{"redis", "REDIS_DB", "db", Kind::integer},
    StoreSetting{"redis", "REDIS_STREAM_KEY", "stream", Kind::text},
    StoreSetting{"qdrant", "QDRANT_HOST", "host", Kind::text},
    StoreSetting{"qdrant", "QDRANT_PORT", "port", Kind::integer},
    StoreSetting{"chromadb", "CHROMADB_HOST", "host", Kind::text},
    StoreSetting{"chromadb", "CHROMADB_PORT", "port", Kind::integer},
};
// A store on a server, and the variable that its secret is in.
struct ServedStore {
  const char* name;
  const char* plugin;
  const char* secret;
  const char* secret_key;
};
constexpr std::array kServedStores = {
    ServedStore{"redis", "redis", "REDIS_PASSWORD", "password"},
    ServedStore{"qdrant", "qdrant", "QDRANT_API_KEY", "api_key"},
    ServedStore{"chromadb", "chroma", "CHROMADB_API_KEY", "api_key"},
};
constexpr const char* kChromaFolder = "CHROMADB_PERSIST_DIRECTORY";  // of a Chroma that is no server
constexpr const char* kDatabaseUrl = "DATABASE_URL";  // where the store "database" is

class Borrowing {
 public:
  Borrowing(const Environment& environment, const Tree& higher, const std::string& folder, std::vector<Problem>& problems, std::vector<std::string>& notes)
      : environment_(environment), higher_(higher), folder_(folder), problems_(problems), notes_(notes) {}

  Tree settings() {
    state_dir();
    for (const auto& d : kDirect)
      if (const auto* value = set(d.variable)) put_at({d.path[0], d.path[1], d.path[2]}, typed(d.kind, *value, place(d.variable)));
    for (const auto& key : kUsualKeys)
      if (set(key.variable)) provider(key);
    if (const auto* url = set("OPENAI_BASE_URL")) put_at({"providers", "openai", "base_url"}, typed(Kind::text, *url, place("OPENAI_BASE_URL")));
    if (const auto* choice = set("MEMORY_STORE_TYPE")) memory_store(*choice);
    if (const auto* choice = set("EVENT_STORE_TYPE")) event_store(*choice);
    for (const auto& store : kServedStores) served(store);
    if (!is_embedded_)
      if (const auto* folder = set(kChromaFolder)) idle(kChromaFolder, *folder);
    database();
    return std::move(out_);
  }

 private:
  const std::string* set(const char* name) const {
    const auto at = environment_.find(name);
    return at == environment_.end() || at->second.empty() ? nullptr : &at->second;
  }
  Place place(const std::string& name) const { return {std::make_shared<const Source>("env " + name, folder_), 0, 0}; }
  void put_at(const std::vector<std::string>& path, Tree value) { put(out_, path, std::move(value)); }
  bool decided(std::initializer_list<std::string_view> path) const { return find(higher_, std::span(path.begin(), path.size())) != nullptr; }

  void state_dir() {
    if (const auto* dirs = set("STATE_DIRECTORY")) return put_at({"host", "state_dir"}, {dirs->substr(0, dirs->find(':')), place("STATE_DIRECTORY")});
    if (const auto* home = set("XDG_STATE_HOME")) return put_at({"host", "state_dir"}, {*home + "/agentd", place("XDG_STATE_HOME")});
    if (const auto* home = set("HOME")) put_at({"host", "state_dir"}, {*home + "/.local/state/agentd", place("HOME")});
  }

  // A key goes only where it is known to belong: an entry with an address or a plugin of its own says itself what it sends there.
  void provider(const UsualKey& key) {
    const auto* own = find(higher_, std::array<std::string_view, 2>{"providers", key.entry});
    const auto* plugin = own ? own->value.find("plugin") : nullptr;
    const bool other_plugin = plugin && plugin->value.text() && *plugin->value.text() != key.plugin;
    if (own && !own->value.find("api_key") && (own->value.find("base_url") || other_plugin)) {
      notes_.push_back(std::string(key.variable) + " is not sent to [providers." + key.entry + "], which has an address or plugin of its own; to send it, write api_key = \"env:" + key.variable + "\" there");
      return;
    }
    const auto at = place(key.variable);
    put_at({"providers", key.entry, "plugin"}, {std::string(key.plugin), at});
    put_at({"providers", key.entry, "api_key"}, {"env:" + std::string(key.variable), at});
    if (key.base_url) put_at({"providers", key.entry, "base_url"}, {std::string(key.base_url), at});
  }

  // The plugin of a choice; nullptr after a problem.
  const char* chosen(const char* variable, const std::string& word) {
    std::vector<std::string> words;
    for (const auto& choice : kStoreChoices) {
      if (std::string_view(choice.variable) != variable) continue;
      if (word == choice.word) return choice.plugin;
      words.emplace_back(choice.word);
    }
    problems_.push_back(problem_at(place(variable), "must be " + listing(words) + ", not " + quote(word)));
    return nullptr;
  }

  void memory_store(const std::string& word) {
    if (decided({"memory", "store"})) return;
    const auto* plugin = chosen("MEMORY_STORE_TYPE", word);
    if (!plugin) return;
    const auto at = place("MEMORY_STORE_TYPE");
    if (word == "chromadb" && embedded_chroma()) plugin = "sqlite";
    put_at({"stores", word, "plugin"}, {std::string(plugin), at});
    put_at({"memory", "store"}, {word, at});
  }

  void event_store(const std::string& word) {
    if (decided({"events", "stores"})) return;
    const auto* plugin = chosen("EVENT_STORE_TYPE", word);
    if (!plugin) return;
    if (word == "memory") return notes_.push_back("EVENT_STORE_TYPE=memory needs no store: the ledger keeps and streams every event");
    const auto at = place("EVENT_STORE_TYPE");
    put_at({"stores", plugin, "plugin"}, {std::string(plugin), at});
    put_at({"events", "stores"}, {Tree::List{{std::string(plugin), at}}, at});
  }

  // Chroma in a folder is a library of Python's: the embedded store keeps the vectors there in its place.
  bool embedded_chroma() {
    const auto* folder = set(kChromaFolder);
    if (!folder || set("CHROMADB_HOST") || find(higher_, std::array<std::string_view, 2>{"stores", "chromadb"})) return false;
    const auto path = folder->starts_with('/') ? *folder : folder_ + '/' + *folder;
    put_at({"stores", "chromadb", "path"}, {path, place(kChromaFolder)});
    notes_.push_back("MEMORY_STORE_TYPE=chromadb without CHROMADB_HOST: the embedded store (sqlite) keeps memory and vectors in " + path + ", and reads nothing that Chroma wrote there");
    return is_embedded_ = true;
  }

  // One that says itself where its server is takes nothing from here.
  void served(const ServedStore& store) {
    const auto* own = find(higher_, std::array<std::string_view, 2>{"stores", store.name});
    const auto* plugin = own ? own->value.find("plugin") : nullptr;
    const bool is_elsewhere = own && (own->value.find("url") || own->value.find("host") || (plugin && plugin->value.text() && *plugin->value.text() != store.plugin));
    const bool is_other = is_elsewhere || (is_embedded_ && std::string_view(store.name) == "chromadb");
    const bool is_used = !is_other && (own || find(out_, std::array<std::string_view, 2>{"stores", store.name}));
    for (const auto& setting : kStoreSettings) {
      const auto* value = std::string_view(setting.store) == store.name ? set(setting.variable) : nullptr;
      if (!value) continue;
      if (!is_used || is_set_by_orchestrator(setting.variable, *value)) idle(setting.variable, *value);
      else put_at({"stores", store.name, setting.key}, typed(setting.kind, *value, place(setting.variable)));
    }
    if (is_used && set(store.secret)) put_at({"stores", store.name, store.secret_key}, {"env:" + std::string(store.secret), place(store.secret)});
  }

  // One that says itself where its server is takes nothing from here.
  void database() {
    const auto* own = find(higher_, std::array<std::string_view, 2>{"stores", "database"});
    const auto reference = "env:" + std::string(kDatabaseUrl);
    const bool is_chosen = find(out_, std::array<std::string_view, 2>{"stores", "database"}) && !(own && own->value.find("url"));
    if (!set(kDatabaseUrl)) {
      if (is_chosen) problems_.push_back(problem_at(place("MEMORY_STORE_TYPE"), quote("database") + " needs " + kDatabaseUrl));
    } else if (is_chosen) {
      put_at({"stores", "database", "url"}, {reference, place(kDatabaseUrl)});
    } else if (!mentions(higher_, reference)) {
      idle(kDatabaseUrl, *set(kDatabaseUrl));
    }
  }

  static bool mentions(const Tree& tree, const std::string& text) {
    const auto in = [&text](const Tree& part) { return mentions(part, text); };
    if (const auto* table = tree.table()) return std::ranges::any_of(*table, [&in](const Tree::Entry& entry) { return in(entry.value); });
    if (const auto* list = tree.list()) return std::ranges::any_of(*list, in);
    return tree.text() && *tree.text() == text;
  }

  static bool is_set_by_orchestrator(std::string_view name, std::string_view value) { return name.ends_with("_PORT") && value.starts_with("tcp://"); }

  void idle(const std::string& name, const std::string& value) {
    if (is_set_by_orchestrator(name, value)) notes_.push_back(name + " is ignored: an orchestrator set it to " + value);
    else notes_.push_back(name + " is set, and nothing in this configuration uses it");
  }

  bool is_embedded_ = false;  // a Chroma in a folder
  const Environment& environment_;
  const Tree& higher_;
  const std::string& folder_;
  std::vector<Problem>& problems_;
  std::vector<std::string>& notes_;
  Tree out_{Tree::Table{}, {}};
};

}  // namespace

std::string_view usual_key_of(std::string_view provider) {
  for (const auto& key : kUsualKeys)
    if (provider == key.entry) return key.variable;
  return {};
}

Tree borrowed_settings(const Environment& environment, const Tree& higher, const std::string& working_folder, std::vector<Problem>& problems,
                       std::vector<std::string>& notes) {
  return Borrowing(environment, higher, working_folder, problems, notes).settings();
}

}  // namespace agentd::manifest
