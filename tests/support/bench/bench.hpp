// One agent on a virtual world: a worker over a ledger in memory, a scripted model, tools that are written down. Verbs for tests.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/run/decide.hpp"
#include "core/run/worker.hpp"
#include "tests/support/bench/fake_ledger.hpp"
#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::support {

struct Scene {
  std::vector<Turn> answers;
  std::vector<Turn> digests;                         // answers to runs for memory; default: the same
  std::vector<FakeTool> tools;                       // of the toolset "geometry"; default: a pure "area" that answers 12
  std::function<void(manifest::AgentSpec&)> spec;    // changes the agent
  manifest::Prices prices;
  bool native = false;                               // a task instead of a model
  bool gated = false;                                // a task before the run
  std::function<std::vector<port::Entry>(const run::RunEnd&)> followers;  // default: nobody
  std::function<std::vector<event::Recipient>(const run::RunEnd&)> recipients;  // default: nobody
  bool dry_run = false;
  bool can_ask = true;                               // people
  const port::LedgerSharing* sharing = nullptr;      // default: nobody shares the ledger
  bool embeds = false;                               // what is remembered has vectors, of the model's provider
  std::string secret;                                // is not to be read anywhere; empty: nothing is secret
  std::function<run::Listener(run::Speaker)> listener;  // default: nobody listens
};

// How a run stands.
struct Standing {
  port::RunStatus status{};
  std::string result;                                // JSON
  std::optional<event::Fault> fault;
  std::string reason;
  event::Totals totals;
  int attempt = 0, steps = 0;
};

class Bench {
 public:
  explicit Bench(Scene scene);
  ~Bench();

  // Brings a run in.
  RunId ask(event::Entered entered = {.trigger = "manual"});
  // Lets time pass until the run has ended, or nothing is left that would ever happen, or so long.
  Standing until_end(RunId run, Millis patience = std::chrono::days(2));
  Standing run() { return until_end(ask()); }
  // Lets so much time pass.
  void pass(Millis time) { world_.advance(time); }
  Standing standing(RunId run) const;
  // What a person says about a call.
  std::expected<run::Asked, run::NoDecision> decide(RunId run, int step, int index, run::Word word);
  // What the run asks people now.
  std::vector<run::Asked> open_questions(RunId run) const;

  // The process is gone with all it held in memory, and another one takes its place.
  void restart();
  void die() { ledger().cut(); }

  VirtualWorld& world() { return world_; }
  LedgerStore& store() { return store_; }
  FakeLedger& ledger() { return processes_.back()->ledger; }
  run::Worker& worker() { return processes_.back()->worker; }
  run::Decisions& decisions() { return processes_.back()->decisions; }
  FakeProvider& provider() { return provider_; }
  FakeToolset& toolset() { return toolset_; }
  FakeTask& task() { return task_; }
  FakeTask& gate() { return gate_; }
  FakeMemory& memory() { return memory_; }
  run::Endpoint& endpoint() { return endpoint_; }

  template <class T>
  std::vector<T> records(RunId run) const {
    std::vector<T> found;
    for (const auto& record : store_.records_of(run))
      if (record.kind == T::kKind) found.push_back(std::get<T>(event::decode(record.kind, record.payload)->body));
    return found;
  }
  // Kinds in order: "0 1 2 3 7".
  std::string kinds(RunId run) const;
  std::vector<std::string> warnings;

 private:
  class Source;
  Result<run::AgentRef> make_agent(const run::AgentSource::Change& change);
  struct Process {
    Process(Bench& bench);
    FakeLedger ledger;
    run::Worker worker;
    run::Decisions decisions;
  };

  Scene scene_;
  VirtualWorld world_;
  LedgerStore store_;
  FakeProvider provider_;
  FakeToolset toolset_;
  FakeTask task_, gate_;
  FakeMemory memory_;
  run::Endpoint endpoint_;
  std::unique_ptr<memory::Embedder> embedder_;
  PlainCleaner cleaner_;
  std::unique_ptr<Source> source_;
  std::vector<std::unique_ptr<Process>> processes_;  // dead ones too: what they began unwinds without effect
};

}  // namespace agentd::support
