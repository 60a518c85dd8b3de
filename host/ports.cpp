#include "host/ports.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/manifest/config_keys.hpp"
#include "core/manifest/key.hpp"
#include "core/manifest/nearest.hpp"
#include "core/manifest/secrets.hpp"
#include "core/manifest/tree.hpp"
#include "core/plugin/load.hpp"
#include "core/tool/schema.hpp"
#include "host/setting_faults.hpp"
#include "host/setting_paths.hpp"
#include "host/tools/memory_tools.hpp"
#include "host/tools/report_tools.hpp"
#include "host/version.hpp"

namespace agentd::host {
namespace {

constexpr Millis kSlowToLoad{2'000};

Level to_level(plugin::LogLevel level) {
  switch (level) {
    case plugin::LogLevel::debug: return Level::debug;
    case plugin::LogLevel::info: return Level::info;
    case plugin::LogLevel::warn: return Level::warn;
    case plugin::LogLevel::error: return Level::error;
  }
  return Level::info;
}

Result<void> check_settings(std::string_view schema, std::string_view settings) {
  const auto compiled = tool::Schema::compile(schema);
  if (!compiled) return fail("its settings schema cannot be used: " + compiled.error().message);
  const auto value = tool::parse_strict(settings);
  if (!value) return std::unexpected(value.error());
  return compiled->check(*value);
}

plugin::Services services(boost::asio::io_context& io, const Log& log, net::Client& http, plugin::MetricsSink& metrics, const std::filesystem::path& state_dir,
                          const port::Cleaner& cleaner) {
  return {.log = [&log](plugin::LogLevel level, std::string_view instance, std::string_view text) { log.write(to_level(level), instance, text); },
          .http = &http,
          .metrics = &metrics,
          .io = &io,
          .kv_folder = state_dir / "kv",
          .cleaner = &cleaner};
}

template <class Map>
auto pick(const Ports& ports, const Map& map, const std::string& table, const std::string& name, const std::string& what) -> Result<decltype(map.begin()->second->get())> {
  const auto found = map.find(name);
  if (found == map.end()) return fail("there is no " + what + " \"" + name + "\"");
  if (!found->second) return fail(found->second.error().error_class, what + " \"" + name + "\" cannot be used: " + ports.why_not(table, name, found->second.error()));
  return found->second->get();
}

constexpr std::array kStoreKinds = {plugin::Kind::memory, plugin::Kind::events, plugin::Kind::ledger};

std::vector<std::string> components_of(const plugin::Catalog& catalog, plugin::Kind kind) {
  std::vector<std::string> names;
  for (const auto& library : catalog.libraries())
    for (const auto& component : library->components)
      if (component->kind == kind) names.push_back(component->name);
  return names;
}

// A library's own code runs as it is loaded, and may hang or end the process: the log then ends with its name.
auto loader(const Log& log) {
  return [&log](const std::filesystem::path& file, const std::string& digest) {
    log.debug("plugins", "loading " + file.string());
    const auto begin = std::chrono::steady_clock::now();
    auto library = plugin::load(file, digest);
    const auto took = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin);
    if (took > kSlowToLoad) log.warn("plugins", file.string() + " took " + format_duration(took) + " to load");
    return library;
  };
}

}  // namespace

std::map<std::string, std::string> digests(const manifest::HostConfig& config) {
  std::map<std::string, std::string> all;
  for (const auto& [name, trust] : config.plugins)
    if (!trust.sha256.empty()) all.emplace(name, trust.sha256);
  return all;
}

Ports::Ports(World world, boost::asio::io_context& io, Options options, Redactor& redactor, const Log& log, plugin::MetricsSink& metrics)
    : world_(world), options_(std::move(options)), redactor_(redactor), log_(log), http_(world, net::Settings{.user_agent = std::string("agentd/") + kVersion}),
      catalog_({.folders = options_.plugin_folders, .sha256 = digests(options_.loaded.config), .load = loader(log)}),
      instances_(world, services(io, log, http_, metrics, options_.state_dir, redactor), {.patience = options_.patience, .make_workers = {}, .check_settings = check_settings}) {}

Ports::~Ports() = default;

Async<void> Ports::open(Stores stores) {
  catalog_.scan();
  co_await make_toolsets([](const std::string&) { return true; });
  co_await open_tasks();
  co_await open_providers();
  open_sinks();
  look_at_stores();
  if (stores == Stores::opened) co_await open_stores();
  clean_reasons();
}

Async<void> Ports::open_toolsets(Wanted wanted) {
  know_secrets();
  catalog_.scan();
  co_await make_toolsets(std::move(wanted));
  clean_reasons();
}

// Of entries that are not made too: a tool may come upon any of them.
void Ports::know_secrets() {
  const auto& config = options_.loaded.config;
  const auto add_all = [this](const auto& entries) {
    for (const auto& [name, entry] : entries) {
      const auto resolved = manifest::resolve_settings(entry.settings, options_.environment);
      if (!resolved) continue;  // told when it is made
      for (const auto& secret : resolved->secrets) redactor_.add(secret);
    }
  };
  add_all(config.toolsets), add_all(config.providers), add_all(config.stores), add_all(config.sinks);
  for (const auto& token : config.api.tokens) (void)secret(token.token);
  if (!config.heartbeat.url.text.empty()) (void)secret(config.heartbeat.url);
}

Async<Ports::News> Ports::load_new() {
  const auto known = catalog_.libraries().size();
  const auto failed = catalog_.broken();
  catalog_.scan();
  News news;
  for (std::size_t i = known; i < catalog_.libraries().size(); ++i) news.loaded.push_back(catalog_.libraries()[i].get());
  for (const auto& broken : catalog_.broken())
    if (std::ranges::none_of(failed, [&](const auto& before) { return before.file == broken.file && before.reason == broken.reason; })) news.broken.push_back(broken);
  for (const auto* library : news.loaded)
    for (const auto& component : library->components) co_await open_what_waits_for(*component, news);
  clean_reasons();
  co_return news;
}

Async<void> Ports::open_what_waits_for(const plugin::Component& component, News& news) {
  const auto& config = options_.loaded.config;
  const auto is_missing = [](const auto& named, const std::string& name) {
    const auto found = named.find(name);
    return found == named.end() || !found->second;
  };
  if (component.kind == plugin::Kind::task) co_await open_tasks();
  if (component.kind == plugin::Kind::toolset) {
    auto wanted = config.toolsets;
    wanted.try_emplace(component.name, manifest::ToolsetEntry{component.name, "{}"});
    for (const auto& [name, entry] : wanted) {
      if (entry.plugin != component.name || !is_missing(toolsets_, name)) continue;
      problems_.erase(Entry("toolsets", name));
      co_await open_toolset(name, entry.plugin, entry.settings);
    }
  }
  for (const auto& [name, entry] : config.providers) {
    if (component.kind != plugin::Kind::provider || entry.plugin != component.name || !is_missing(endpoints_, name)) continue;
    problems_.erase(Entry("providers", name));
    co_await open_provider(name);
    open_embedder();
  }
  for (const auto& [name, entry] : config.stores) {
    if (entry.plugin != component.name) continue;
    if (component.kind == plugin::Kind::memory && is_missing(memories_, name)) {
      problems_.erase(Entry("stores", name));
      co_await open_memory(name);
    }
    const bool is_copied_to = std::ranges::find(config.events.stores, name) != config.events.stores.end();
    if (component.kind == plugin::Kind::events && is_copied_to && is_missing(events_, name)) news.needs_restart.push_back("events.stores");
  }
}

// What a plugin says when it cannot be made may repeat what it was given.
void Ports::clean_reasons() {
  const auto clean = [this](auto& named) {
    for (auto& [name, made] : named)
      if (!made) redactor_.clean(made.error().message);
  };
  clean(toolsets_), clean(endpoints_), clean(tasks_), clean(memories_), clean(events_), clean(sinks_);
}

Result<plugin::Catalog::Found> Ports::component(plugin::Kind kind, const std::string& name) const {
  auto found = catalog_.find(kind, name);
  const bool is_broken = std::ranges::any_of(catalog_.broken(), [&](const auto& broken) { return broken.name == name; });
  if (!found && !is_broken) found.error().message += manifest::did_you_mean(name, components_of(catalog_, kind));
  return found;
}

// `key`: of the setting at fault, where it is known.
std::unexpected<Error> Ports::refuse(const Entry& entry, Error reason, std::string_view key) {
  const auto& [table, name] = entry;
  redactor_.clean(reason.message);
  keep(entry, problem_at(options_.loaded, {table, name, key}, table + "." + name + ": " + reason.message));
  return std::unexpected(std::move(reason));
}

// What nobody wrote has no place.
void Ports::keep(const Entry& entry, manifest::Problem problem) {
  const bool is_written = manifest::find(*options_.loaded.tree, std::array<std::string_view, 2>{entry.first, entry.second}) != nullptr;
  auto& problems = problems_[entry];
  problems.push_back(is_written ? std::move(problem) : manifest::Problem{"", 0, 0, std::move(problem.message)});
  manifest::sort_problems(problems);
}

Result<std::string> Ports::prepare(const Entry& entry, const Result<plugin::Catalog::Found>& found, const std::string& settings) {
  if (!found) return refuse(entry, found.error(), "plugin");
  return prepare(entry, found->component->settings_schema, settings);
}

Result<std::string> Ports::prepare(const Entry& entry, std::string_view schema, const std::string& settings) {
  auto resolved = manifest::resolve_settings(with_absolute_paths(settings, schema, options_.base), options_.environment);
  if (!resolved) return refuse(entry, resolved.error());
  for (const auto& secret : resolved->secrets) redactor_.add(secret);
  for (const auto& note : resolved->notes) {
    const auto text = "[" + entry.first + "." + entry.second + "] " + note;
    if (std::ranges::find(notes_, text) != notes_.end()) continue;
    notes_.push_back(text);
    log_.warn("config", text);
  }
  if (const auto fits = check(entry, schema, resolved->json); !fits) return std::unexpected(fits.error());
  return std::move(resolved->json);
}

Result<void> Ports::check(const Entry& entry, std::string_view schema, const std::string& settings) {
  if (schema.empty()) return {};
  const auto faults = setting_faults(schema, settings);
  std::string all;
  for (auto fault : faults) {
    redactor_.clean(fault.words);
    if (fault.known) std::ranges::copy(manifest::config_keys().find(entry.first)->table->names(), std::back_inserter(*fault.known));
    auto problem = problem_at(options_.loaded, {entry.first, entry.second}, fault);
    all += (all.empty() ? "" : "; ") + problem.message;
    keep(entry, std::move(problem));
  }
  if (!faults.empty()) return fail(all);
  return {};
}

// The embedded stores keep their files in the state folder unless the configuration names another.
std::string Ports::with_path(const std::string& settings, const std::string& plugin) const {
  if (plugin != "sqlite") return settings;
  auto object = nlohmann::json::parse(settings, nullptr, false);
  if (object.is_object() && !object.contains("path")) object["path"] = options_.state_dir.string();
  return object.dump();
}

// One that nobody configured may be left unusable; whoever wants it is told why.
Async<void> Ports::open_toolset(std::string name, std::string component_name, std::string settings) {
  const Entry entry("toolsets", name);
  auto& place = toolsets_.insert_or_assign(name, fail("not opened")).first->second;
  const auto found = component(plugin::Kind::toolset, component_name);
  auto resolved = prepare(entry, found, settings);
  if (!resolved) {
    place = std::unexpected(resolved.error());
  } else {
    auto opening = plugin::open_toolset(instances_, *found, name, std::move(*resolved));
    place = co_await std::move(opening);
    if (!place) place = refuse(entry, place.error());
  }
  if (!options_.loaded.config.toolsets.contains(name)) problems_.erase(entry);
}

Async<void> Ports::make_toolsets(Wanted is_wanted) {
  std::map<std::string, manifest::ToolsetEntry> wanted = options_.loaded.config.toolsets;
  for (const auto& name : components_of(catalog_, plugin::Kind::toolset)) wanted.try_emplace(name, manifest::ToolsetEntry{name, "{}"});
  for (auto& [name, entry] : wanted)
    if (is_wanted(name) && !toolsets_.contains(name)) co_await open_toolset(name, entry.plugin, entry.settings);
  toolsets_.try_emplace("report", std::make_unique<ReportTools>());
  if (toolsets_.contains("memory")) co_return;
  auto tools = std::make_unique<MemoryTools>(MemoryTools::Ground{world_, redactor_, [this](const std::string& store) { return memory(store); }, [this] { return embedder(); }});
  memory_tools_ = tools.get();
  toolsets_.emplace("memory", std::move(tools));
}

Result<std::string> Ports::secret(const manifest::SecretRef& reference) const {
  auto value = manifest::resolve_secret(reference.text, options_.environment);
  if (value) redactor_.add(*value);
  return value;
}

void Ports::open_sinks() {
  const SinkGround ground{world_, http_, log_};
  for (const auto& [name, sink] : options_.loaded.config.sinks) {
    const Entry entry("sinks", name);
    auto& place = sinks_.insert_or_assign(name, fail("not opened")).first->second;
    if (sink.kind.empty()) continue;  // what was written there is refused at its place
    auto prepared = prepare(entry, sink_schema(sink.kind), sink.settings);
    if (prepared) place = make_sink(sink.kind, name, *prepared, ground);
    else place = std::unexpected(prepared.error());
    if (prepared && !place) place = refuse(entry, place.error());
  }
}

Result<Sink*> Ports::sink(const std::string& name) const { return pick(*this, sinks_, "sinks", name, "sink"); }

Async<void> Ports::open_tasks() {
  for (const auto& library : catalog_.libraries()) {
    for (const auto& component : library->components) {
      if (component->kind != plugin::Kind::task || tasks_.contains(component->name)) continue;
      auto opening = plugin::open_task(instances_, {library.get(), component.get()}, component->name, "{}");
      auto opened = co_await std::move(opening);
      tasks_.insert_or_assign(component->name, std::move(opened));
    }
  }
}

Async<void> Ports::open_providers() {
  for (const auto& [name, settings] : options_.loaded.config.providers) co_await open_provider(name);
  open_embedder();
}

void Ports::open_embedder() {
  const auto& [name, model] = options_.loaded.config.embedding;
  if (name.empty() || embedder_) return;
  const Entry entry("embedding", "provider");
  problems_.erase(entry);
  const auto endpoint = this->endpoint(name);
  if (!endpoint) return keep(entry, problem_at(options_.loaded, {"embedding", "provider"}, endpoint.error().message));
  if (!(*endpoint)->provider().embeds())
    return keep(entry, problem_at(options_.loaded, {"embedding", "provider"}, "provider " + manifest::quote(name) + " embeds nothing: its plugin " + manifest::quote(options_.loaded.config.providers.at(name).plugin) + " offers completions alone"));
  const auto* prices = (*endpoint)->prices(model);
  memory::Embedder::Settings settings{.provider = name, .model = model, .timeout = std::min((*endpoint)->timeout(), memory::Embedder::Settings{}.timeout)};
  if (prices) settings.prices = *prices;
  settings.told = [this](const memory::EmbeddingCall& call) {
    if (options_.embedded) options_.embedded(call);
    if (!call.error.empty()) log_.warn("memory", "provider " + call.provider + " gave no vectors of " + call.model + ": " + call.error);
  };
  embedder_ = std::make_unique<memory::Embedder>(world_, (*endpoint)->provider(), std::move(settings));
}

Async<void> Ports::open_provider(std::string name) {
  const auto& settings = options_.loaded.config.providers.at(name);
  const Entry entry("providers", name);
  auto& place = endpoints_.insert_or_assign(name, fail("not opened")).first->second;
  const auto found = component(plugin::Kind::provider, settings.plugin);
  auto prepared = prepare(entry, found, settings.settings);
  if (!prepared) {
    place = std::unexpected(prepared.error());
    co_return;
  }
  auto opening = plugin::open_provider(instances_, *found, name, std::move(*prepared), static_cast<std::size_t>(settings.max_concurrent));
  auto provider = co_await std::move(opening);
  if (!provider) {
    place = refuse(entry, provider.error());
    co_return;
  }
  providers_.push_back(std::move(*provider));
  place = std::make_unique<run::Endpoint>(name, *providers_.back(), settings.timeout, settings.prices);
}

Result<std::string> Ports::prepare_store(const std::string& name, const plugin::Catalog::Found& found) {
  const auto& store = options_.loaded.config.stores.at(name);
  return prepare({"stores", name}, found, with_path(store.settings, store.plugin));
}

// Why a store that is none has no plugin: which kind it should be of is for whoever uses it to say.
Error Ports::no_store(const std::string& wanted) const {
  std::vector<std::string> known;
  for (const auto kind : kStoreKinds) {
    const auto of_kind = components_of(catalog_, kind);
    if (std::ranges::find(of_kind, wanted) != of_kind.end()) return catalog_.find(kind, wanted).error();
    known.insert(known.end(), of_kind.begin(), of_kind.end());
  }
  if (std::ranges::any_of(catalog_.broken(), [&](const auto& broken) { return broken.name == wanted; })) return catalog_.find(plugin::Kind::events, wanted).error();
  std::ranges::sort(known);
  known.erase(std::ranges::unique(known).begin(), known.end());
  std::string there;
  for (const auto& name : known) there += (there.empty() ? "; there is " : ", ") + name;
  return Error{.message = "no plugin provides the store \"" + wanted + "\"" + there + manifest::did_you_mean(wanted, known)};
}

// Without opening any: another host may hold them.
void Ports::look_at_stores() {
  for (const auto& [name, store] : options_.loaded.config.stores) {
    const auto kinds = kinds_of(store.plugin);
    if (kinds.empty()) refuse({"stores", name}, no_store(store.plugin), "plugin");
    else prepare_store(name, *catalog_.find(kinds.front(), store.plugin));
  }
}

template <class T>
Async<Result<std::unique_ptr<T>>> Ports::open_store(std::string name, plugin::Kind kind, std::string instance, OpenStore<T> open) {
  const auto entry = options_.loaded.config.stores.find(name);
  if (entry == options_.loaded.config.stores.end()) co_return fail("there is no store \"" + name + "\"");
  const auto found = catalog_.find(kind, entry->second.plugin);
  if (!found) co_return std::unexpected(found.error());
  auto settings = prepare_store(name, *found);
  if (!settings) co_return std::unexpected(settings.error());
  auto opening = open(instances_, *found, std::move(instance), std::move(*settings));
  auto opened = co_await std::move(opening);
  if (!opened) co_return refuse({"stores", name}, opened.error());
  co_return std::move(opened);
}

Async<void> Ports::open_memory(std::string name) {
  auto opening = open_store<port::MemoryStore>(name, plugin::Kind::memory, name, plugin::open_memory);
  auto opened = co_await std::move(opening);
  memories_.insert_or_assign(name, std::move(opened));
}

Async<void> Ports::open_stores() {
  for (const auto& [name, entry] : options_.loaded.config.stores) co_await open_memory(name);
  for (const auto& name : options_.loaded.config.events.stores) {
    auto opening = open_store<port::EventStore>(name, plugin::Kind::events, "events." + name, plugin::open_events);
    auto opened = co_await std::move(opening);
    events_.insert_or_assign(name, std::move(opened));
  }
}

Async<Result<std::unique_ptr<plugin::LedgerPort>>> Ports::open_ledger() {
  const auto& name = options_.loaded.config.ledger.store;
  auto opening = open_store<plugin::LedgerPort>(name, plugin::Kind::ledger, "ledger", plugin::open_ledger);
  auto opened = co_await std::move(opening);
  if (!opened) co_return fail(why_not("stores", name, opened.error()));
  co_return std::move(opened);
}

std::optional<manifest::Problem> Ports::replicas_problem() const {
  const auto& config = options_.loaded.config;
  const auto entry = config.stores.find(config.ledger.store);
  if (config.host.replicas == 1 || entry == config.stores.end()) return std::nullopt;
  const auto found = catalog_.find(plugin::Kind::ledger, entry->second.plugin);
  if (!found || plugin::is_shared_ledger(*found)) return std::nullopt;
  return problem_at(options_.loaded, {"host", "replicas"}, std::to_string(config.host.replicas) + " replicas need a ledger that they can share, and store \"" + entry->first + "\" (" + entry->second.plugin +
                                                               ") is one process's alone; name one of plugin = \"postgres\" in [ledger] store");
}

Result<std::unique_ptr<port::LedgerFiles>> Ports::ledger_files() {
  const auto& name = options_.loaded.config.ledger.store;
  const auto entry = options_.loaded.config.stores.find(name);
  if (entry == options_.loaded.config.stores.end()) return fail("there is no store \"" + name + "\"");
  const auto found = catalog_.find(plugin::Kind::ledger, entry->second.plugin);
  if (!found) return std::unexpected(found.error());
  auto settings = prepare_store(name, *found);
  if (!settings) return fail(why_not("stores", name, settings.error()));
  return plugin::ledger_files(*found, std::move(*settings));
}

Async<void> Ports::close() {
  auto closing = instances_.close();
  const auto left = co_await std::move(closing);
  for (const auto& reason : left) log_.warn("plugins", reason);
}

Result<run::Endpoint*> Ports::endpoint(const std::string& name) const { return pick(*this, endpoints_, "providers", name, "provider"); }

Result<port::Task*> Ports::task(const std::string& name) const {
  if (tasks_.contains(name)) return pick(*this, tasks_, "tasks", name, "native task");
  const auto found = component(plugin::Kind::task, name);
  return fail(found ? "native task \"" + name + "\" was not opened" : found.error().message);
}

Result<port::MemoryStore*> Ports::memory(const std::string& entry) const { return pick(*this, memories_, "stores", entry, "memory store"); }

bool Ports::has_vectors(const std::string& entry) const {
  const auto store = options_.loaded.config.stores.find(entry);
  if (store == options_.loaded.config.stores.end()) return false;
  const auto found = catalog_.find(plugin::Kind::memory, store->second.plugin);
  return found && found->component->vectors;
}

std::vector<plugin::Kind> Ports::kinds_of(const std::string& component) const {
  std::vector<plugin::Kind> kinds;
  for (const auto kind : kStoreKinds)
    if (catalog_.find(kind, component)) kinds.push_back(kind);
  return kinds;
}

Result<void> Ports::store(const std::string& name, plugin::Kind kind) const {
  const auto entry = options_.loaded.config.stores.find(name);
  if (entry == options_.loaded.config.stores.end()) return fail("there is no store \"" + name + "\"");
  const auto kinds = kinds_of(entry->second.plugin);
  if (kinds.empty() || std::ranges::find(kinds, kind) != kinds.end()) return {};
  std::string others;
  for (const auto other : kinds) others += std::string(others.empty() ? "" : " and ") + plugin::name(other);
  return fail("store \"" + name + "\" is of the wrong kind: \"" + entry->second.plugin + "\" keeps " + others + ", not " + plugin::name(kind) + "; " +
              catalog_.find(kind, entry->second.plugin).error().message);
}

std::vector<manifest::Problem> Ports::problems() const {
  std::vector<manifest::Problem> all;
  for (const auto& [entry, problems] : problems_) all.insert(all.end(), problems.begin(), problems.end());
  manifest::sort_problems(all);
  return all;
}

std::string Ports::why_not(const std::string& table, const std::string& name, const Error& reason) const {
  const auto told = problems_.find({table, name});
  return told == problems_.end() || told->second.front().file.empty() ? reason.message : "see " + manifest::place_text(told->second.front());
}

std::string Ports::toolset_schema(const std::string& instance) const {
  const auto entry = options_.loaded.config.toolsets.find(instance);
  const auto found = catalog_.find(plugin::Kind::toolset, entry == options_.loaded.config.toolsets.end() ? instance : entry->second.plugin);
  return found ? found->component->settings_schema : std::string();
}

}  // namespace agentd::host
