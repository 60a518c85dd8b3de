// The host's configuration, checked and with every default in place. Plain values. Open-shaped tables are JSON text;
// strings in them may be secret references (see secrets.hpp), which are resolved when an instance is created.
// Paths are absolute.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/manifest/agent_spec.hpp"

namespace agentd::manifest {

struct Tree;

struct HostSection {
  std::vector<std::string> agent_dirs = {"agents"};
  std::vector<std::string> plugin_dirs;
  std::string state_dir = "state";
  Millis drain_timeout{25'000};
  std::int64_t replicas = 1;                 // hosts that share the ledger, this one among them
  std::vector<std::string> roles = {"api", "worker"};
};

struct LogSection {
  std::string level = "info";                // trace debug info warn error off
  std::string format = "text";               // text json
  std::map<std::string, std::string> levels; // component -> level
};

struct ApiToken {
  std::string name;
  std::string role;                          // metrics viewer operator admin
  SecretRef token;
};
struct Tls {
  std::string cert;
  std::string key;
};
struct ApiSection {
  std::string listen = "127.0.0.1:8765";
  std::vector<ApiToken> tokens;
  std::optional<Tls> tls;
};

struct StoreEntry {
  std::string plugin;
  std::string settings = "{}";               // every key but plugin
};

struct LedgerSection {
  std::string store = "local";
  Millis retention{std::chrono::days(30)};
};
struct MemorySection {
  std::string store = "local";
};
struct EventsSection {
  std::vector<std::string> stores;
};
struct EmbeddingSection {
  std::string provider;
  std::string model;
};

struct Prices {                              // nano-dollars per million tokens
  NanoDollars input = 0;
  NanoDollars output = 0;
  NanoDollars cache_read = 0;
  NanoDollars cache_write = 0;
};

struct ProviderEntry {
  std::string plugin;
  std::string settings = "{}";               // every key that is not below: base_url, api_key and the plugin's own
  std::int64_t max_concurrent = 64;          // at least 1
  std::int64_t requests_per_minute = 0;      // 0: no limit
  std::int64_t tokens_per_minute = 0;
  Millis timeout{120'000};
  std::map<std::string, Prices> prices;      // by model
};

struct ToolsetEntry {
  std::string plugin;                        // default: the entry's own name
  std::string settings = "{}";
};

struct McpEntry {
  std::string command;                       // or url
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  std::string url;
  std::string transport;                     // empty or "sse"
  std::map<std::string, std::string> headers;
};

enum class Isolation { none, process };
struct PluginTrust {
  std::string sha256;                        // lower-case hex; empty: any
  Isolation isolation = Isolation::none;
};

struct BudgetSection {
  NanoDollars cost_per_day = 0;              // 0: no limit
};

struct SinkEntry {
  std::string kind;
  std::string settings = "{}";
};

struct HeartbeatSection {
  SecretRef url;                             // none: nobody is told
  Millis every{60'000};
};

struct HostConfig {
  std::string file;                          // what was read; empty: no file
  std::vector<std::string> mcp_files;
  HostSection host;
  LogSection log;
  ApiSection api;
  std::map<std::string, StoreEntry> stores;  // always has "local"
  LedgerSection ledger;
  MemorySection memory;
  EventsSection events;
  EmbeddingSection embedding;
  std::map<std::string, ProviderEntry> providers;
  std::map<std::string, ToolsetEntry> toolsets;
  std::map<std::string, McpEntry> mcp;
  std::map<std::string, PluginTrust> plugins;  // by the descriptor's name
  BudgetSection budget;
  HeartbeatSection heartbeat;
  std::map<std::string, SinkEntry> sinks;
  // What manifests get that do not say otherwise, with the places it came from. Shared because it never changes once read and
  // every copy of the configuration means the same one. Never null after a load.
  std::shared_ptr<const Tree> defaults;
};

}  // namespace agentd::manifest
