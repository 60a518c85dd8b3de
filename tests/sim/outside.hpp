// The world outside the host: a model, tools, a native task, a memory, a store of events and a sink. It outlives every process
// and forgets nothing; the ports are the current process's way to it.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/port/events.hpp"
#include "core/port/memory.hpp"
#include "core/port/provider.hpp"
#include "core/port/task.hpp"
#include "core/port/tool.hpp"
#include "host/sinks/sink.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/faults.hpp"
#include "tests/sim/life.hpp"
#include "tests/sim/witness.hpp"

namespace agentd::sim {

class Outside final : public port::Provider,
                      public port::Toolset,
                      public port::Task,
                      public port::MemoryStore,
                      public port::EventStore,
                      public host::Sink {
 public:
  Outside(Dice dice, Faults& faults, Witness& witness);

  void talk_to(Life* life) { life_ = life; }
  void be_kind() { kind_ = true; }  // nothing fails any more, and every answer is a final one
  std::uint64_t digest() const { return digest_; }
  const std::map<std::string, std::string>& copies() const { return copies_; }  // of events, by id
  const std::map<std::string, std::map<std::string, port::MemoryEntry>>& memories() const { return memories_; }

  // ---- the model
  std::string_view component() const override { return "sim"; }
  Async<std::expected<port::Answer, port::ModelError>> complete(port::Completion completion, std::stop_token stop) override;
  bool embeds() const override { return false; }
  Async<std::expected<port::Embedded, port::ModelError>> embed(port::Embedding, std::stop_token) override {
    co_return std::unexpected(port::ModelError{port::Status::terminal, port::Failure::other, "it embeds nothing", {}});
  }
  // ---- the tools: look (pure), put (idempotent), pay (once), book (once, reconciles), never (denied)
  port::ToolList tools() const override { return tools_; }
  bool dynamic() const override { return false; }
  Async<Result<std::uint64_t>> bind(std::string) override { co_return 1; }
  Async<port::Outcome> call(port::ToolCall call, std::stop_token stop) override;
  Async<port::Outcome> reconcile(port::ToolCall call) override;
  // ---- the task and the gate: each counts in its state how often it has run
  Async<port::Outcome> run(port::TaskRun run, std::stop_token stop) override;
  // ---- the memory
  bool has_vectors() const override { return false; }
  Async<Result<void>> put(std::vector<port::MemoryEntry> entries, Millis timeout) override;
  Async<Result<std::vector<port::MemoryEntry>>> list(port::MemoryQuery query) override;
  Async<Result<std::vector<port::MemoryEntry>>> search(port::MemoryQuery query) override;
  Async<Result<std::uint64_t>> remove(port::MemoryQuery query) override;
  // ---- the store of events
  Async<Result<void>> append(std::vector<port::Event> events) override;
  // ---- the sink
  Async<Result<void>> send(host::Message message, std::stop_token stop) override;

 private:
  Async<Wait> pass(Millis time, std::stop_token stop) { return sim::pass(*life_, time, std::move(stop)); }
  bool goes_wrong(Fault fault, Column column, unsigned percent);
  void note(std::string_view what);
  std::expected<port::Answer, port::ModelError> answer(const port::Completion& completion, int step, port::Usage usage);
  void ask_for_tools(port::Answer& answer, bool nonsense);
  Async<port::Outcome> finish_call(port::ToolCall call, std::stop_token stop);

  Dice dice_;
  Faults& faults_;
  Witness& witness_;
  Life* life_ = nullptr;
  bool kind_ = false;
  std::uint64_t digest_ = 0xcbf29ce484222325;
  port::ToolList tools_;
  std::set<std::string> happened_;  // calls
  std::map<std::string, std::map<std::string, port::MemoryEntry>> memories_;
  std::uint64_t remembered_ = 0;
  std::map<std::string, std::string> copies_;
};

}  // namespace agentd::sim
