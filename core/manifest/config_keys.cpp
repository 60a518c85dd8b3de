#include "core/manifest/config_keys.hpp"

#include "core/manifest/agent_keys.hpp"

// The declaration of agentd.toml. Turning a feature on is taking its not_yet() away.
namespace agentd::manifest {
namespace {

Form<std::string> level() { return one_of({"trace", "debug", "info", "warn", "error", "off"}); }

// Lets an entry take every key that is not the host's, for the plugin; its own schema judges them.
template <class T>
TableKeys with_settings(TableKeys keys) {
  keys.take_rest = [](Json rest, void* object) { static_cast<T*>(object)->settings = rest.dump(); };
  keys.rest = [](const void* object) { return Json::parse(static_cast<const T*>(object)->settings, nullptr, false); };
  return table_keys<T>(std::move(keys));
}

// A key that is the plugin's, but whose shape is known here.
template <class T, class V>
Key setting(std::string name, Form<V> form, std::string doc) {
  return custom_key<T, V>(
      name, [](const T&) { return std::optional<V>(); },  // the rest writes it
      [name, write = form.write](T& entry, V value) {
        auto settings = Json::parse(entry.settings, nullptr, false);
        settings[name] = write(value, false);
        entry.settings = settings.dump();
        return std::string();
      },
      form, std::move(doc));
}

// An entry's plugin is the entry's own name, unless it says otherwise.
template <class T>
void implied_plugin(const std::string& name, T& entry) {
  if (entry.plugin.empty()) entry.plugin = name;
}

const TableKeys& host_keys() {
  static const auto keys = table_keys<HostSection>({.keys = {
      key("agent_dirs", &HostSection::agent_dirs, list(path()), "Folders of manifests; read when the host starts."),
      key("plugin_dirs", &HostSection::plugin_dirs, list(path()), "Folders of plugins; read when the host starts."),
      key("state_dir", &HostSection::state_dir, path(), "Where the host keeps what must last; default $STATE_DIRECTORY, $XDG_STATE_HOME/agentd, ~/.local/state/agentd."),
      key("drain_timeout", &HostSection::drain_timeout, duration(), "How long running steps may take to end after SIGTERM."),
      key("replicas", &HostSection::replicas, integer(1, 1000), "How many hosts share the ledger. More than one need one that can be shared, and an alert tells when some are missing."),
      key("roles", &HostSection::roles, list(one_of({"api", "worker"})), "What this process does.").only(Json{"api", "worker"}),
  }});
  return keys;
}

const TableKeys& log_keys() {
  static const auto keys = table_keys<LogSection>({.keys = {
      key("level", &LogSection::level, level(), "Least level that is logged."),
      key("format", &LogSection::format, one_of({"text", "json"}), "One line per message, for people or for machines."),
      key("levels", &LogSection::levels, entries(level()), "Other levels, by component."),
  }});
  return keys;
}

const TableKeys& token_keys() {
  static const auto keys = table_keys<ApiToken>({.keys = {
      key("name", &ApiToken::name, name_text(), "Who.").required(),
      key("role", &ApiToken::role, one_of({"metrics", "viewer", "operator", "admin"}), "What they may do.").required(),
      key("token", &ApiToken::token, secret(), "What they show.").required(),
  }});
  return keys;
}

const TableKeys& tls_keys() {
  static const auto keys = table_keys<Tls>({.keys = {
      key("cert", &Tls::cert, path(), "Certificate chain, PEM.").required(),
      key("key", &Tls::key, path(), "Private key, PEM.").required(),
  }});
  return keys;
}

const TableKeys& api_keys() {
  static const auto keys = table_keys<ApiSection>({.keys = {
      key("listen", &ApiSection::listen, filled_text(), "ADDRESS:PORT; one that is not loopback needs tokens."),
      key("tokens", &ApiSection::tokens, list(table<ApiToken>(token_keys())), "Who may call, and what."),
      key("tls", &ApiSection::tls, table<Tls>(tls_keys()), "Serve HTTPS."),
  }});
  return keys;
}

const TableKeys& store_keys() {
  static const auto keys = with_settings<StoreEntry>({.keys = {
      key("plugin", &StoreEntry::plugin, name_text(), "A store plugin's component; default: the entry's name."),
  }});
  return keys;
}

const TableKeys& ledger_keys() {
  static const auto keys = table_keys<LedgerSection>({.keys = {
      key("store", &LedgerSection::store, name_text(), "An entry of [stores.*]."),
      key("retention", &LedgerSection::retention, duration(std::chrono::hours(1)), "How long ended runs and their records are kept; 1h or more."),
  }});
  return keys;
}

const TableKeys& memory_keys() {
  static const auto keys = table_keys<MemorySection>({.keys = {
      key("store", &MemorySection::store, name_text(), "An entry of [stores.*], for agents that name none."),
  }});
  return keys;
}

const TableKeys& events_keys() {
  static const auto keys = table_keys<EventsSection>({.keys = {
      key("stores", &EventsSection::stores, list(name_text()), "Entries of [stores.*] that get a copy of every event, each at its own pace."),
  }});
  return keys;
}

const TableKeys& heartbeat_keys() {
  static const auto keys = table_keys<HeartbeatSection>({.keys = {
      key("url", &HeartbeatSection::url, secret(), "Whom a GET tells that the host is alive and takes work: a reference, env:NAME, file:PATH or credential:NAME.").required(),
      key("every", &HeartbeatSection::every, duration(std::chrono::seconds(1)), "How often; 1s or more."),
  }});
  return keys;
}

const TableKeys& embedding_keys() {
  static const auto keys = table_keys<EmbeddingSection>({.keys = {
      key("provider", &EmbeddingSection::provider, name_text(), "An entry of [providers.*].").required(),
      key("model", &EmbeddingSection::model, filled_text(), "The embedding model's name.").required(),
  }});
  return keys;
}

const TableKeys& prices_keys() {
  static const auto keys = table_keys<Prices>({.keys = {
      key("input", &Prices::input, money(), "Dollars per million input tokens."),
      key("output", &Prices::output, money(), "Dollars per million output tokens."),
      key("cache_read", &Prices::cache_read, money(), "Dollars per million input tokens read from the provider's cache."),
      key("cache_write", &Prices::cache_write, money(), "Dollars per million input tokens written to it."),
  }});
  return keys;
}

const TableKeys& provider_keys() {
  static const auto keys = with_settings<ProviderEntry>({.keys = {
      key("plugin", &ProviderEntry::plugin, name_text(), "A provider plugin's component; default: the entry's name."),
      setting<ProviderEntry>("base_url", url(), "Where the endpoint is."),
      setting<ProviderEntry>("api_key", secret(), "A reference: env:NAME, file:PATH or credential:NAME."),
      key("max_concurrent", &ProviderEntry::max_concurrent, integer(1, 100'000), "Model calls in flight at once."),
      key("requests_per_minute", &ProviderEntry::requests_per_minute, integer(0), "0: no limit.").only(0),
      key("tokens_per_minute", &ProviderEntry::tokens_per_minute, integer(0), "0: no limit.").only(0),
      key("timeout", &ProviderEntry::timeout, duration(Millis(1)), "One model call."),
      key("prices", &ProviderEntry::prices, entries(table<Prices>(prices_keys()), {}, true), "What a model's tokens cost."),
  }});
  return keys;
}

const TableKeys& toolset_keys() {
  static const auto keys = with_settings<ToolsetEntry>({.keys = {
      key("plugin", &ToolsetEntry::plugin, name_text(), "A toolset plugin's component; default: the entry's name."),
  }});
  return keys;
}

const TableKeys& mcp_keys() {
  static const auto keys = table_keys<McpEntry>({.keys = {
      key("command", &McpEntry::command, filled_text(), "The server's program."),
      key("args", &McpEntry::args, list(text()), "Its arguments."),
      key("env", &McpEntry::env, entries(text(), {}, true), "Its environment."),
      key("url", &McpEntry::url, url(), "The server's address."),
      key("transport", &McpEntry::transport, one_of({"sse"}), "With url: the old transport."),
      key("headers", &McpEntry::headers, entries(text(), {}, true), "Sent with every request."),
  }});
  return keys;
}

// 64 hex digits, kept in lower case.
Form<std::string> sha256_form() {
  auto form = text();
  form.schema["pattern"] = "^[0-9A-Fa-f]{64}$";
  form.read = [plain = form.read](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::string> {
    auto text = plain(reader, value, key);
    if (!text) return text;
    for (char& c : *text) c = c >= 'A' && c <= 'F' ? static_cast<char>(c | 32) : c;
    if (text->size() == 64 && text->find_first_not_of("0123456789abcdef") == std::string::npos) return text;
    return reader.problem(value.place, "\"sha256\" must be 64 hex digits, as sha256sum prints them"), std::nullopt;
  };
  return form;
}

const TableKeys& plugin_keys() {
  static const auto keys = table_keys<PluginTrust>({.keys = {
      key("sha256", &PluginTrust::sha256, sha256_form(), "Of the file; another one is not loaded."),
      key("isolation", &PluginTrust::isolation, choice<Isolation>({{"none", Isolation::none}, {"process", Isolation::process}}), "Where the plugin's code runs.")
          .not_yet("process"),
  }});
  return keys;
}

const TableKeys& budget_keys() {
  static const auto keys = table_keys<BudgetSection>({.keys = {
      key("cost_per_day", &BudgetSection::cost_per_day, money(), "Dollars per UTC day for the whole host."),
  }});
  return keys;
}

const TableKeys& sink_keys() {
  static const auto keys = with_settings<SinkEntry>({.keys = {
      key("kind", &SinkEntry::kind, one_of({"slack", "discord", "telegram", "pagerduty", "ntfy", "mail", "webhook", "file", "log"}), "What it is.").required(),
  }});
  return keys;
}

// [defaults] is a manifest that may lack anything; what counts is its tree, which is merged into each manifest's.
Form<std::shared_ptr<const Tree>> defaults_form() {
  Form<std::shared_ptr<const Tree>> form{Kind::table, {}, {}, schema_of(agent_keys()), &agent_keys()};
  form.read = [](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::shared_ptr<const Tree>> {
    if (!value.table()) return reader.wrong_type(value, key, "a table"), std::nullopt;
    AgentSpec judged;
    read_table(reader, value, agent_keys(), &judged);
    if (const auto* id = value.find("agent_id")) reader.problem(id->place, "\"agent_id\" has no default: it is each file's stem");
    return std::make_shared<const Tree>(value);
  };
  form.write = [](const std::shared_ptr<const Tree>& value, bool) { return value ? to_json(*value) : Json::object(); };
  return form;
}

}  // namespace

const TableKeys& config_keys() {
  static const auto keys = table_keys<HostConfig>({
      .keys = {
          key("mcp_files", &HostConfig::mcp_files, list(path()), "Files with the usual mcpServers map.").not_yet(),
          key("host", &HostConfig::host, table<HostSection>(host_keys()), "The process."),
          key("log", &HostConfig::log, table<LogSection>(log_keys()), "What it says."),
          key("api", &HostConfig::api, table<ApiSection>(api_keys()), "Where it listens."),
          key("stores", &HostConfig::stores, entries(table<StoreEntry>(store_keys())), "Stores for the ledger, memory and copies of events; \"local\" exists without being written."),
          key("ledger", &HostConfig::ledger, table<LedgerSection>(ledger_keys()), "The record of every run."),
          key("memory", &HostConfig::memory, table<MemorySection>(memory_keys()), "Where agents remember."),
          key("events", &HostConfig::events, table<EventsSection>(events_keys()), "Who gets a copy of every event."),
          key("embedding", &HostConfig::embedding, table<EmbeddingSection>(embedding_keys()), "What turns text into vectors."),
          key("providers", &HostConfig::providers, entries(table<ProviderEntry>(provider_keys()), std::function(implied_plugin<ProviderEntry>)), "Where models are."),
          key("toolsets", &HostConfig::toolsets, entries(table<ToolsetEntry>(toolset_keys()), std::function(implied_plugin<ToolsetEntry>)), "Instances of toolsets."),
          key("mcp", &HostConfig::mcp, entries(table<McpEntry>(mcp_keys())), "MCP servers.").not_yet(),
          key("plugins", &HostConfig::plugins, entries(table<PluginTrust>(plugin_keys())), "Trust and isolation, by the descriptor's name."),
          key("defaults", &HostConfig::defaults, defaults_form(), "For every manifest that does not say."),
          key("budget", &HostConfig::budget, table<BudgetSection>(budget_keys()), "Of the whole host."),
          key("heartbeat", &HostConfig::heartbeat, table<HeartbeatSection>(heartbeat_keys()), "A sign of life for whoever calls a person when it stays away."),
          key("sinks", &HostConfig::sinks, entries(table<SinkEntry>(sink_keys())), "Where results and alerts go."),
      },
      .moved = {{"listen", "it stands in [api]"},
                {"agents", "each agent is a file of its own in one of agent_dirs in [host]"},
                {"mcpServers", "MCP servers stand in [mcp.NAME]"},
                {"llm", "models stand in [providers.NAME]"},
                {"models", "models stand in [providers.NAME]"},
                {"logging", "it is [log] here"}},
  });
  return keys;
}

}  // namespace agentd::manifest
