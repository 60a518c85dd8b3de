// A ledger's shared object, opened on a world whose time stands still and whose jobs run inline, and the verbs that tests speak in.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/plugin/instances.hpp"
#include "core/plugin/ledger_port.hpp"
#include "core/plugin/load.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::conformance {

using namespace port;

// One implementation under test: which file, which component, and settings for a folder.
struct LedgerKind {
  const char* name;
  const char* file;
  const char* component;
  std::string (*settings)(const std::filesystem::path& folder);
};

inline std::vector<LedgerKind> ledger_kinds() {
  return {{"sqlite", AGENTD_SQLITE_PLUGIN, "sqlite", [](const std::filesystem::path& folder) { return R"({"path":")" + folder.string() + "\"}"; }}};
}

class Folder {
 public:
  Folder() {
    std::string text = (std::filesystem::temp_directory_path() / "agentd-XXXXXX").string();
    path_ = ::mkdtemp(text.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Libraries stay mapped for the life of the process, and so do what describes them.
inline plugin::Library& library_of(const char* file) {
  static std::map<std::string, std::unique_ptr<plugin::Library>> loaded;
  auto& library = loaded[file];
  if (!library) {
    auto mapped = plugin::map_file(file);
    if (!mapped) throw std::runtime_error(mapped.error().message);
    library = std::move(*mapped);
  }
  return *library;
}

// From open to close. Dropping it without close() is the closest to a crash that one process can do to itself.
class OpenLedger {
 public:
  OpenLedger(const LedgerKind& kind, const std::filesystem::path& folder, std::uint64_t seed = 1) : world_(std::make_unique<support::VirtualWorld>(seed)) {
    auto& library = library_of(kind.file);
    plugin::Instances::Options options;
    options.make_workers = [this](const plugin::Library&) { return std::make_unique<plugin::InlineWorkers>(world_->io().get_executor()); };
    plugin::Services services;
    services.log = [this](plugin::LogLevel, std::string_view, std::string_view text) { log_ += std::string(text) + "\n"; };
    instances_ = std::make_unique<plugin::Instances>(world_->world(), services, std::move(options));
    auto* component = library.component(plugin::Kind::ledger, kind.component);
    if (!component) throw std::runtime_error("no such ledger");
    auto opened = world_->run(plugin::LedgerPort::open(*instances_, world_->world(), "local", library, *component, kind.settings(folder)));
    if (!opened) {
      error_ = opened.error().message;
      return;
    }
    ledger_ = std::move(*opened);
    ledger_->on_group([this](std::span<const StoredRecord> group) { fed_.insert(fed_.end(), group.begin(), group.end()); });
    ledger_->on_due([this] { ++wakes_; });
  }
  ~OpenLedger() {
    ledger_.reset();
    world_->run(instances_->close());
    instances_.reset();
  }

  Ledger& operator*() { return *ledger_; }
  Ledger* operator->() { return ledger_.get(); }
  explicit operator bool() const { return ledger_ != nullptr; }
  const std::string& error() const { return error_; }
  const std::string& log() const { return log_; }
  support::VirtualWorld& world() { return *world_; }
  const std::vector<StoredRecord>& fed() const { return fed_; }
  int wakes() const { return wakes_; }

  template <class T>
  T run(Async<T> story) {
    return world_->run(std::move(story));
  }
  // The value; a failure of the ledger ends the test with its message.
  template <class T>
  T get(Async<LedgerResult<T>> story) {
    auto result = world_->run(std::move(story));
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
    for (std::size_t i = 0; i < results.size(); ++i) spawn(world_->io().get_executor(), one(std::move(stories[i]), results[i], left));
    while (left > 0) world_->settle();
    return results;
  }

  // ---- verbs
  Entry entry(std::string agent, std::string key = {}) {
    Entry e;
    e.agent_id = std::move(agent);
    e.key = std::move(key);
    e.nonce = static_cast<std::uint32_t>(world_->next());
    e.due_at = world_->now();
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
  std::vector<StoredRecord> events() { return get(ledger_->events_after(0, 1'000'000)); }

 private:
  std::unique_ptr<support::VirtualWorld> world_;
  std::unique_ptr<plugin::Instances> instances_;
  std::unique_ptr<plugin::LedgerPort> ledger_;
  std::string error_, log_;
  std::vector<StoredRecord> fed_;
  int wakes_ = 0;
};

}  // namespace agentd::conformance
