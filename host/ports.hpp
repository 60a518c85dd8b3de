// Everything that plugins offer, as the configuration asks for it: an instance per name, or the reason why there is none.
#pragma once
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/manifest/config.hpp"
#include "core/memory/embedding.hpp"
#include "core/net/client.hpp"
#include "core/plugin/ledger_files.hpp"
#include "core/plugin/ledger_port.hpp"
#include "core/plugin/ports.hpp"
#include "core/run/endpoint.hpp"
#include "host/log.hpp"
#include "host/sinks/sink.hpp"
#include "host/tools/memory_tools.hpp"

namespace agentd::host {

// What the configuration says each plugin's file must be, by name.
std::map<std::string, std::string> digests(const manifest::HostConfig& config);

// The engine thread only. Outlives everything that calls its ports.
class Ports {
 public:
  struct Options {
    const manifest::LoadedConfig& loaded;
    const manifest::Environment& environment;
    std::vector<std::filesystem::path> plugin_folders;
    std::filesystem::path state_dir;
    std::filesystem::path base;  // of relative paths in settings: the configuration's folder
    plugin::Patience patience = {};
    std::function<void(const memory::EmbeddingCall&)> embedded = {};  // hears of each; empty: nobody does
  };
  enum class Stores { opened, only_looked_at };  // what `check` may not open: another host may hold them
  template <class T>
  using Named = std::map<std::string, Result<std::unique_ptr<T>>>;

  Ports(World world, boost::asio::io_context& io, Options options, Redactor& redactor, const Log& log, plugin::MetricsSink& metrics);
  ~Ports();

  // Loads plugins and makes every instance but the ledger. Never fails as a whole: each name keeps its reason.
  Async<void> open(Stores stores);
  // Loads plugins and makes only the toolsets of these names; asked again, those that are not made yet. The secrets of all entries
  // are known to the cleaner.
  using Wanted = std::function<bool(const std::string& toolset)>;
  Async<void> open_toolsets(Wanted wanted);
  // Loads plugin files that have come since, and makes what waited for them. What is in use stays as it is.
  struct News {
    std::vector<const plugin::Library*> loaded;
    std::vector<plugin::Catalog::Broken> broken;
    std::vector<std::string> needs_restart;  // keys of the configuration: what is made at the start alone
  };
  Async<News> load_new();
  Async<void> open_memory(std::string store);
  Async<Result<std::unique_ptr<plugin::LedgerPort>>> open_ledger();
  // The ledger's files, beside whoever has them open.
  Result<std::unique_ptr<port::LedgerFiles>> ledger_files();
  // That several replicas are to share a ledger that is one process's alone.
  std::optional<manifest::Problem> replicas_problem() const;
  // Nothing is in flight. What could not be closed is logged.
  Async<void> close();

  const plugin::Catalog& catalog() const { return catalog_; }
  const Named<port::Toolset>& toolsets() const { return toolsets_; }
  // The host's own toolset "memory"; null: the configuration has another of this name.
  MemoryTools* memory_tools() const { return memory_tools_; }
  const Named<port::EventStore>& event_stores() const { return events_; }
  const Named<run::Endpoint>& endpoints() const { return endpoints_; }
  const Named<Sink>& sinks() const { return sinks_; }
  Result<Sink*> sink(const std::string& name) const;
  Result<run::Endpoint*> endpoint(const std::string& name) const;
  Result<port::Task*> task(const std::string& component) const;
  Result<port::MemoryStore*> memory(const std::string& entry) const;
  // What [embedding] names; null: nothing, or what cannot embed, which is among problems().
  memory::Embedder* embedder() const { return embedder_.get(); }
  // Whether the entry's plugin offers a memory store that keeps vectors; also where it was only looked at.
  bool has_vectors(const std::string& entry) const;
  // Whether the entry's plugin offers a store of this kind. One that offers none at all is among problems().
  Result<void> store(const std::string& entry, plugin::Kind kind) const;
  // JSON Schema of what configures a toolset; empty: there is none of this name.
  std::string toolset_schema(const std::string& instance) const;
  // Why an entry of the configuration cannot be used, each reason once and where it was written. An entry: "toolsets" and "fs".
  std::vector<manifest::Problem> problems() const;
  // The same for those who meant to use the entry: where the reason is told. Of an entry that nobody wrote: the reason.
  std::string why_not(const std::string& table, const std::string& name, const Error& reason) const;
  // What is worth saying about the values that references gave.
  const std::vector<std::string>& notes() const { return notes_; }
  const port::Cleaner& cleaner() const { return redactor_; }
  // The value behind a reference of a manifest's, read anew. From now on it is shown nowhere.
  Result<std::string> secret(const manifest::SecretRef& reference) const;
  net::Client& http() { return http_; }

 private:
  using Entry = std::pair<std::string, std::string>;  // table, name
  Result<plugin::Catalog::Found> component(plugin::Kind kind, const std::string& name) const;
  // Settings as an instance is given them: paths absolute, references replaced by their values, and fit for the plugin.
  Result<std::string> prepare(const Entry& entry, const Result<plugin::Catalog::Found>& found, const std::string& settings);
  Result<std::string> prepare(const Entry& entry, std::string_view schema, const std::string& settings);
  Result<void> check(const Entry& entry, std::string_view schema, const std::string& settings);
  std::unexpected<Error> refuse(const Entry& entry, Error reason, std::string_view key = {});
  void keep(const Entry& entry, manifest::Problem problem);
  std::string with_path(const std::string& settings, const std::string& plugin) const;
  Async<void> open_toolset(std::string name, std::string component, std::string settings);
  void know_secrets();
  Async<void> make_toolsets(Wanted is_wanted);
  Async<void> open_provider(std::string name);
  Async<void> open_providers();
  void open_embedder();
  Async<void> open_tasks();
  void open_sinks();
  std::vector<plugin::Kind> kinds_of(const std::string& component) const;  // of store
  Result<std::string> prepare_store(const std::string& name, const plugin::Catalog::Found& found);
  Error no_store(const std::string& wanted) const;
  void look_at_stores();
  template <class T>
  using OpenStore = Async<Result<std::unique_ptr<T>>> (*)(plugin::Instances&, plugin::Catalog::Found, std::string instance, std::string settings);
  template <class T>
  Async<Result<std::unique_ptr<T>>> open_store(std::string name, plugin::Kind kind, std::string instance, OpenStore<T> open);
  Async<void> open_stores();
  Async<void> open_what_waits_for(const plugin::Component& component, News& news);
  void clean_reasons();

  const World world_;
  const Options options_;
  Redactor& redactor_;
  const Log& log_;
  net::Client http_;
  plugin::Catalog catalog_;
  plugin::Instances instances_;
  std::vector<std::unique_ptr<port::Provider>> providers_;  // behind the endpoints
  Named<port::Toolset> toolsets_;
  MemoryTools* memory_tools_ = nullptr;  // one of them
  Named<run::Endpoint> endpoints_;
  std::unique_ptr<memory::Embedder> embedder_;
  Named<port::Task> tasks_;
  Named<port::MemoryStore> memories_;
  Named<port::EventStore> events_;
  Named<Sink> sinks_;
  std::vector<std::string> notes_;
  std::map<Entry, std::vector<manifest::Problem>> problems_;
};

}  // namespace agentd::host
