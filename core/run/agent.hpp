// One revision of an agent with everything its runs need, found and prepared once. Immutable but for what its ports keep.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/budget/days.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/memory/recall.hpp"
#include "core/port/task.hpp"
#include "core/run/endpoint.hpp"
#include "core/tool/catalog.hpp"

namespace agentd::run {

// What the host resolves. Everything pointed to outlives the runs.
struct Parts {
  manifest::AgentSpec spec;
  Endpoint* endpoint = nullptr;  // of an agent with a model
  port::Task* task = nullptr;    // of a native task
  port::Task* gate = nullptr;    // of an agent with a gate
  tool::Catalog tools;
  memory::Stores memory;
  NanoDollars host_cost_per_day = 0;  // of all agents together; 0: no limit
};

struct Agent : Parts {
  explicit Agent(Parts parts) : Parts(std::move(parts)) {}
  std::optional<port::Message> system;   // of system_instruction
  std::optional<tool::Schema> output;    // of task.output_schema
  std::string options;                   // of every completion
  const manifest::Prices* prices = nullptr;
  std::vector<budget::DayLimit> day_limits;  // each model call holds of these
  std::int64_t output_tokens = 0;        // the most of one answer; 0: the model's own
};

// Shared: by every run in flight and by whoever keeps the current revision at hand; the last one to end lets it go.
using AgentRef = std::shared_ptr<const Agent>;

// An error names what cannot work: no model and no task, an output schema that cannot be handled.
Result<AgentRef> make_agent(Parts parts);

// Who knows the agents. A retryable error: not now, ask again later; any other ends the run.
class AgentSource {
 public:
  virtual ~AgentSource() = default;
  virtual Async<Result<AgentRef>> agent(std::string agent_id, std::int64_t revision) = 0;
  // The same revision, but for what is changed in it for one run.
  using Change = std::function<void(manifest::AgentSpec&)>;
  virtual Async<Result<AgentRef>> agent_with(std::string agent_id, std::int64_t revision, Change change) = 0;
};

}  // namespace agentd::run
