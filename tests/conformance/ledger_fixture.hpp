// A ledger's shared object, opened on a world whose time stands still and whose jobs run inline, and the verbs that tests speak in.
#pragma once
#include <gtest/gtest.h>

#include "core/plugin/ports.hpp"
#include "tests/conformance/plugin_world.hpp"
#include "tests/support/servers/postgres_server.hpp"

namespace agentd::conformance {

using namespace port;

// One implementation under test: which file, which component, and settings for a folder.
struct LedgerKind {
  const char* name;
  const char* file;
  const char* component;
  std::string (*settings)(const std::filesystem::path& folder);
};

// Those that are files of one process.
inline std::vector<LedgerKind> embedded_ledger_kinds() {
  return {{"sqlite", AGENTD_SQLITE_PLUGIN, "sqlite", [](const std::filesystem::path& folder) { return R"({"path":")" + folder.string() + "\"}"; }}};
}

// Started when the first test of a process asks for it.
inline support::PostgresServer& postgres_server() {
  static support::PostgresServer server;
  return server;
}

// A folder's tables are a schema of their own. Time stands still or jumps here, and the server's does not.
inline std::string postgres_settings(const std::filesystem::path& folder) {
  return R"({"url":")" + postgres_server().url() + R"(","schema":")" + folder.filename().string() + R"(","clock_skew":"5000d"})";
}

inline std::vector<LedgerKind> ledger_kinds() {
  auto all = embedded_ledger_kinds();
  all.push_back({"postgres", AGENTD_POSTGRES_PLUGIN, "postgres", postgres_settings});
  return all;
}

// From open to close.
class OpenLedger {
 public:
  OpenLedger(const LedgerKind& kind, const std::filesystem::path& folder) {
    auto& library = library_of(kind.file);
    auto* component = library.component(plugin::Kind::ledger, kind.component);
    if (!component) throw std::runtime_error("no such ledger");
    auto opened = run(plugin::open_ledger(plugins_.instances(), {&library, component}, "local", kind.settings(folder)));
    if (!opened) {
      error_ = opened.error().message;
      return;
    }
    ledger_ = std::move(*opened);
    ledger_->on_group([this](std::span<const StoredRecord> group) { fed_.insert(fed_.end(), group.begin(), group.end()); });
    ledger_->on_due([this] { ++wakes_; });
  }

  Ledger& operator*() { return *ledger_; }
  Ledger* operator->() { return ledger_.get(); }
  LedgerUpkeep& upkeep() { return *ledger_; }
  LedgerSharing& sharing() { return *ledger_; }
  explicit operator bool() const { return ledger_ != nullptr; }
  const std::string& error() const { return error_; }
  std::string log() const { return plugins_.log(); }
  support::VirtualWorld& world() { return plugins_.world(); }
  const std::vector<StoredRecord>& fed() const { return fed_; }
  int wakes() const { return wakes_; }

  template <class T>
  T run(Async<T> story) {
    return world().run(std::move(story));
  }
  // The value; a failure of the ledger ends the test with its message.
  template <class T>
  T get(Async<LedgerResult<T>> story) {
    auto result = world().run(std::move(story));
    if (!result) throw std::runtime_error("the ledger refused: " + result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  // Several at once: what arrives together becomes one group.
  template <class T>
  std::vector<LedgerResult<T>> together(std::vector<Async<LedgerResult<T>>> stories) {
    std::vector<LedgerResult<T>> results(stories.size());
    std::size_t left = stories.size();
    const auto one = [](Async<LedgerResult<T>> story, LedgerResult<T>& out, std::size_t& open) -> Async<void> {
      out = co_await std::move(story);
      --open;
    };
    for (std::size_t i = 0; i < results.size(); ++i) spawn(world().io().get_executor(), one(std::move(stories[i]), results[i], left));
    while (left > 0) world().settle();
    return results;
  }

  // ---- verbs
  Entry entry(std::string agent, std::string key = {}) {
    Entry e;
    e.agent_id = std::move(agent);
    e.key = std::move(key);
    e.nonce = static_cast<std::uint32_t>(world().next());
    e.due_at = world().now();
    e.payload = "{\"of\":\"" + e.agent_id + "\"}";
    return e;
  }
  Admission enter(Entry e) { return get(ledger_->enqueue({std::move(e)})).at(0); }
  RunId enter(std::string agent, std::string key = {}) { return enter(entry(std::move(agent), std::move(key))).run; }
  std::vector<Claim> claim(std::size_t n = 100) { return get(ledger_->claim(n)).runs; }
  Claim claim_one() {
    auto claims = claim(1);
    if (claims.size() != 1) throw std::runtime_error("nothing to claim");
    return std::move(claims[0]);
  }
  Transition step(const Claim& claim, std::string payload = "{}", std::optional<RunStatus> next = {}) {
    Transition t;
    t.run = claim.run;
    t.generation = claim.generation;
    t.records = {{1, std::move(payload)}};
    t.next = next;
    return t;
  }
  Position commit(Transition t) { return get(ledger_->commit(std::move(t))); }
  void finish(const Claim& claim, RunStatus status = RunStatus::completed, std::string error = {}) {
    auto last = step(claim, "{\"end\":true}", status);
    last.error = std::move(error);
    commit(std::move(last));
  }
  std::int64_t keep(std::string agent, std::string content) {
    std::vector<AgentSpecText> specs = {{std::move(agent), std::move(content)}};
    return get(ledger_->put_specs(std::move(specs))).at(0).revision;
  }
  std::vector<StoredRecord> events() { return get(ledger_->events_after(0, 1'000'000)); }

 private:
  PluginWorld plugins_;  // before the ledger: the instance outlives the port
  std::unique_ptr<plugin::LedgerPort> ledger_;
  std::string error_;
  std::vector<StoredRecord> fed_;
  int wakes_ = 0;
};

// For tests to which the disk does not matter, or is modelled.
inline std::filesystem::path memory_disk() {
  return std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
}

// Each implementation, opened on a folder of its own; it serves the agent "a".
class LedgerSuite : public testing::TestWithParam<LedgerKind> {
 protected:
  explicit LedgerSuite(const std::filesystem::path& under = std::filesystem::temp_directory_path()) : folder_(under), open_(std::make_unique<OpenLedger>(GetParam(), folder_.path())) {
    if (!*open_) throw std::runtime_error(open_->error());
    serve("a");
  }
  OpenLedger& ledger() { return *open_; }
  void serve(const std::string& agent) { (*open_)->serve(agent, true); }
  void reopen() {
    open_.reset();
    open_ = std::make_unique<OpenLedger>(GetParam(), folder_.path());
    if (!*open_) throw std::runtime_error(open_->error());
    serve("a");
  }
  Folder folder_;
  std::unique_ptr<OpenLedger> open_;
};

}  // namespace agentd::conformance
