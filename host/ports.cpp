#include "host/ports.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/manifest/secrets.hpp"
#include "core/tool/schema.hpp"
#include "host/setting_paths.hpp"
#include "host/version.hpp"

namespace agentd::host {
namespace {

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
auto pick(const Map& map, const std::string& name, const std::string& what) -> Result<decltype(map.begin()->second->get())> {
  const auto found = map.find(name);
  if (found == map.end()) return fail("there is no " + what + " \"" + name + "\"");
  if (!found->second) return fail(found->second.error().error_class, what + " \"" + name + "\": " + found->second.error().message);
  return found->second->get();
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
      catalog_({.folders = options_.plugin_folders, .sha256 = digests(options_.config)}),
      instances_(world, services(io, log, http_, metrics, options_.state_dir, redactor), {.patience = {}, .make_workers = {}, .check_settings = check_settings}) {}

Ports::~Ports() = default;

Async<void> Ports::open(Stores stores) {
  catalog_.scan();
  co_await open_toolsets();
  co_await open_tasks();
  co_await open_providers();
  if (stores == Stores::opened) co_await open_stores();
  clean_reasons();
}

// What a plugin says when it cannot be made may repeat what it was given.
void Ports::clean_reasons() {
  const auto clean = [this](auto& named) {
    for (auto& [name, made] : named)
      if (!made) redactor_.clean(made.error().message);
  };
  clean(toolsets_), clean(endpoints_), clean(tasks_), clean(memories_), clean(events_);
}

Result<std::string> Ports::prepare(const Result<plugin::Catalog::Found>& found, const std::string& settings, const std::string& what) {
  if (!found) return std::unexpected(found.error());
  auto resolved = manifest::resolve_settings(with_absolute_paths(settings, found->component->settings_schema, options_.base), options_.environment);
  if (!resolved) return fail(what + ": " + resolved.error().message);
  for (const auto& secret : resolved->secrets) redactor_.add(secret);
  for (const auto& note : resolved->notes) {
    if (std::ranges::find(notes_, what + " " + note) != notes_.end()) continue;
    notes_.push_back(what + " " + note);
    log_.warn("config", notes_.back());
  }
  return std::move(resolved->json);
}

// The embedded stores keep their files in the state folder unless the configuration names another.
std::string Ports::with_path(const std::string& settings, const std::string& plugin) const {
  if (plugin != "sqlite") return settings;
  auto object = nlohmann::json::parse(settings, nullptr, false);
  if (object.is_object() && !object.contains("path")) object["path"] = options_.state_dir.string();
  return object.dump();
}

Async<void> Ports::open_toolset(std::string name, std::string component, std::string settings) {
  auto& place = toolsets_.insert_or_assign(name, fail("not opened")).first->second;
  const auto found = catalog_.find(plugin::Kind::toolset, component);
  auto resolved = prepare(found, settings, "[toolsets." + name + "]");
  if (!resolved) {
    place = std::unexpected(resolved.error());
    co_return;
  }
  auto opening = plugin::open_toolset(instances_, *found, name, std::move(*resolved));
  place = co_await std::move(opening);
}

Async<void> Ports::open_toolsets() {
  std::map<std::string, manifest::ToolsetEntry> wanted = options_.config.toolsets;
  for (const auto& library : catalog_.libraries())
    for (const auto& component : library->components)
      if (component->kind == plugin::Kind::toolset) wanted.try_emplace(component->name, manifest::ToolsetEntry{component->name, "{}"});
  for (auto& [name, entry] : wanted) co_await open_toolset(name, entry.plugin, entry.settings);
}

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
  for (const auto& [name, entry] : options_.config.providers) {
    auto& place = endpoints_.insert_or_assign(name, fail("not opened")).first->second;
    const auto found = catalog_.find(plugin::Kind::provider, entry.plugin);
    auto settings = prepare(found, entry.settings, "[providers." + name + "]");
    if (!settings) {
      place = std::unexpected(settings.error());
      continue;
    }
    auto opening = plugin::open_provider(instances_, *found, name, std::move(*settings), static_cast<std::size_t>(entry.max_concurrent));
    auto provider = co_await std::move(opening);
    if (!provider) {
      place = std::unexpected(provider.error());
      continue;
    }
    providers_.push_back(std::move(*provider));
    place = std::make_unique<run::Endpoint>(name, *providers_.back(), entry.timeout, entry.prices);
  }
}

Async<void> Ports::open_stores() {
  for (const auto& [name, entry] : options_.config.stores) {
    const auto found = catalog_.find(plugin::Kind::memory, entry.plugin);
    auto settings = prepare(found, with_path(entry.settings, entry.plugin), "[stores." + name + "]");
    if (!settings) {
      memories_.insert_or_assign(name, std::unexpected(settings.error()));
      continue;
    }
    auto opening = plugin::open_memory(instances_, *found, name, std::move(*settings));
    auto opened = co_await std::move(opening);
    memories_.insert_or_assign(name, std::move(opened));
  }
  for (const auto& name : options_.config.events.stores) {
    const auto entry = options_.config.stores.find(name);
    const auto plugin = entry == options_.config.stores.end() ? name : entry->second.plugin;
    const auto found = catalog_.find(plugin::Kind::events, plugin);
    auto settings = prepare(found, with_path(entry == options_.config.stores.end() ? "{}" : entry->second.settings, plugin), "[stores." + name + "]");
    if (!settings) {
      events_.insert_or_assign(name, std::unexpected(settings.error()));
      continue;
    }
    auto opening = plugin::open_events(instances_, *found, "events." + name, std::move(*settings));
    auto opened = co_await std::move(opening);
    events_.insert_or_assign(name, std::move(opened));
  }
}

Async<Result<std::unique_ptr<port::Ledger>>> Ports::open_ledger() {
  const auto& name = options_.config.ledger.store;
  const auto entry = options_.config.stores.find(name);
  if (entry == options_.config.stores.end()) co_return fail("[ledger] store: there is no store \"" + name + "\"");
  const auto found = catalog_.find(plugin::Kind::ledger, entry->second.plugin);
  auto settings = prepare(found, with_path(entry->second.settings, entry->second.plugin), "[stores." + name + "]");
  if (!settings) co_return std::unexpected(settings.error());
  auto opening = plugin::open_ledger(instances_, *found, "ledger", std::move(*settings));
  co_return co_await std::move(opening);
}

Async<void> Ports::close() {
  auto closing = instances_.close();
  const auto left = co_await std::move(closing);
  for (const auto& reason : left) log_.warn("plugins", reason);
}

Result<run::Endpoint*> Ports::endpoint(const std::string& name) const { return pick(endpoints_, name, "provider"); }

Result<port::Task*> Ports::task(const std::string& component) const {
  if (tasks_.contains(component)) return pick(tasks_, component, "native task");
  const auto found = catalog_.find(plugin::Kind::task, component);
  return fail(found ? "native task \"" + component + "\" was not opened" : found.error().message);
}

Result<port::MemoryStore*> Ports::memory(const std::string& entry) const { return pick(memories_, entry, "memory store"); }

Result<void> Ports::store(const std::string& entry, plugin::Kind kind) const {
  const auto named = options_.config.stores.find(entry);
  if (named == options_.config.stores.end()) return fail("there is no store \"" + entry + "\"");
  const auto& component = named->second.plugin;
  const auto found = catalog_.find(kind, component);
  if (found) return {};
  std::string others;
  for (const auto other : {plugin::Kind::memory, plugin::Kind::events, plugin::Kind::ledger})
    if (catalog_.find(other, component)) others += std::string(others.empty() ? "" : " and ") + plugin::name(other);
  if (others.empty()) return fail(found.error().message);
  return fail("store \"" + entry + "\" is of the wrong kind: \"" + component + "\" keeps " + others + ", not " + plugin::name(kind) + "; " + found.error().message);
}

Result<void> Ports::look_at_store(const std::string& entry, plugin::Kind kind) {
  if (auto fits = store(entry, kind); !fits) return fits;
  const auto& named = options_.config.stores.at(entry);
  const auto found = catalog_.find(kind, named.plugin);
  const auto settings = prepare(found, with_path(named.settings, named.plugin), "[stores." + entry + "]");
  if (!settings) return std::unexpected(settings.error());
  if (auto fits = check_settings(found->component->settings_schema, *settings); !fits) return fail("[stores." + entry + "] " + redactor_.cleaned(fits.error().message));
  return {};
}

std::string Ports::toolset_schema(const std::string& instance) const {
  const auto entry = options_.config.toolsets.find(instance);
  const auto found = catalog_.find(plugin::Kind::toolset, entry == options_.config.toolsets.end() ? instance : entry->second.plugin);
  return found ? found->component->settings_schema : std::string();
}

}  // namespace agentd::host
