// Plugins that play what a test tells them to, and write down what they were asked.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/port/cleaner.hpp"
#include "core/port/memory.hpp"
#include "core/port/provider.hpp"
#include "core/port/task.hpp"
#include "core/port/tool.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::support {

// What the model says at one step of the conversation, however often it is asked: first the failures, one a request.
struct Turn {
  port::Answer answer;
  std::vector<port::ModelError> failures;
  Millis takes{0};
};
Turn say(std::string text);
Turn call(std::string tool, std::string arguments);         // "geometry.area"
Turn calls(std::vector<std::pair<std::string, std::string>> tools);
Turn cut_off(std::string text);                             // finish_reason length
port::ModelError server_error(std::optional<Millis> retry_after = {});
port::ModelError bad_credentials();
port::ModelError bad_request();

class FakeProvider final : public port::Provider {
 public:
  struct Request {
    std::string call_id;
    std::vector<std::string> messages;
    std::string tools, options;
    bool streamed = false;
    std::string model;
  };
  explicit FakeProvider(VirtualWorld& world) : world_(world) {}
  std::string_view component() const override { return "fake"; }
  Async<std::expected<port::Answer, port::ModelError>> complete(port::Completion completion, std::stop_token stop) override;
  bool embeds() const override { return embedder != nullptr; }
  Async<std::expected<port::Embedded, port::ModelError>> embed(port::Embedding request, std::stop_token stop) override;

  std::vector<Turn> turns;                        // by the number of answers the conversation holds already
  std::vector<Turn> digests;                  // likewise, for runs for memory; empty: the same
  std::vector<Request> requests;
  std::function<void(std::size_t nth)> on_request;  // from 1, when the request has been sent
  std::function<std::expected<port::Embedded, port::ModelError>(const port::Embedding&)> embedder;  // empty: it embeds nothing
  Millis embedding_takes{0};
  std::vector<port::Embedding> embeddings;        // that were asked for
  std::size_t recalled_answers = 0;               // answers of earlier runs that the conversation begins with

 private:
  VirtualWorld& world_;
  std::map<std::pair<bool, std::size_t>, std::size_t> failed_;
};

struct FakeTool {
  std::string name;
  port::Effect effect = port::Effect::pure;
  std::string schema = R"({"type":"object"})";
  bool reconciles = false;
  std::function<port::Outcome(const port::ToolCall&)> body;  // what it does; default: ok, "done"
  Millis takes{0};
  bool sent_when_stopped = false;  // what it did may have happened when it is stopped
};

class FakeToolset final : public port::Toolset {
 public:
  FakeToolset(VirtualWorld& world, std::vector<FakeTool> tools);
  port::ToolList tools() const override { return list_; }
  bool dynamic() const override { return false; }
  Async<Result<std::uint64_t>> bind(std::string) override { co_return 1; }
  Async<port::Outcome> call(port::ToolCall call, std::stop_token stop) override;
  Async<port::Outcome> reconcile(port::ToolCall call) override;

  std::vector<std::string> begun;      // call ids, in order
  std::vector<std::string> happened;   // those whose body ran to its end
  std::size_t at_once = 0, most_at_once = 0;
  std::function<void(std::size_t nth)> before_body, after_body;  // from 1

 private:
  const FakeTool& tool(const std::string& name) const;
  VirtualWorld& world_;
  std::vector<FakeTool> tools_;
  port::ToolList list_;
};

class FakeTask final : public port::Task {
 public:
  Async<port::Outcome> run(port::TaskRun run, std::stop_token stop) override;
  std::function<port::Outcome(const port::TaskRun&)> body;
  std::vector<port::TaskRun> runs;
};

// Knows one secret, in one form.
class PlainCleaner final : public port::Cleaner {
 public:
  explicit PlainCleaner(std::string secret) : secret_(std::move(secret)) {}
  void clean(std::string& text) const override;
  void clean_json(std::string& json) const override { clean(json); }

 private:
  const std::string secret_;
};

// Keeps everything; search finds entries that share a word with the query, or by the query's vector.
class FakeMemory final : public port::MemoryStore {
 public:
  explicit FakeMemory(VirtualWorld& world) : world_(world) {}
  bool has_vectors() const override { return vectors; }
  Async<Result<void>> put(std::vector<port::MemoryEntry> entries, Millis timeout) override;
  Async<Result<std::vector<port::MemoryEntry>>> list(port::MemoryQuery query) override;
  Async<Result<std::vector<port::MemoryEntry>>> search(port::MemoryQuery query) override;
  Async<Result<std::uint64_t>> remove(port::MemoryQuery query) override;

  std::vector<port::MemoryEntry> entries;     // as they were put, with their vectors
  bool vectors = false;                       // keeps them and searches by them
  int failing_reads = 0, failing_writes = 0;  // so many operations fail, retryable
  std::function<void()> on_read;              // before it answers
  Millis writes_take{0};                      // longer than a write's timeout: it fails then

 private:
  VirtualWorld& world_;
};

}  // namespace agentd::support
