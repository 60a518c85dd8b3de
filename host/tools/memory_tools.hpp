// The host's own toolset "memory": what an agent itself looks for, keeps and forgets of what it knows.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/memory/embedding.hpp"
#include "core/port/cleaner.hpp"
#include "core/port/memory.hpp"
#include "core/port/tool.hpp"

namespace agentd::host {

// search, save and forget, over long_term and procedural entries of the agent that calls. What an agent saves has an id that begins with
// "saved:", and it forgets nothing else: what people or the host have kept is theirs.
// The engine thread only; outlives its calls.
class MemoryTools final : public port::Toolset {
 public:
  struct Ground {
    World world;
    const port::Cleaner& cleaner;
    std::function<Result<port::MemoryStore*>(const std::string& store)> store;
    std::function<memory::Embedder*()> embedder;
  };
  explicit MemoryTools(Ground ground) : ground_(std::move(ground)) {}

  // The scope of calls of agents that remember there: names of stores.
  struct Where {
    std::string long_term, procedural;
    friend bool operator==(const Where&, const Where&) = default;
  };
  std::uint64_t scope_of(const Where& where);

  port::ToolList tools() const override;
  bool dynamic() const override { return false; }
  Async<Result<std::uint64_t>> bind(std::string settings_json) override;
  Async<port::Outcome> call(port::ToolCall call, std::stop_token stop) override;
  Async<port::Outcome> reconcile(port::ToolCall call) override;

 private:
  Async<port::Outcome> search(port::ToolCall call, Where where, std::stop_token stop);
  Async<port::Outcome> save(port::ToolCall call, Where where, std::stop_token stop);
  Async<port::Outcome> forget(port::ToolCall call, Where where);

  const Ground ground_;
  std::vector<Where> scopes_;  // from 1
};

}  // namespace agentd::host
