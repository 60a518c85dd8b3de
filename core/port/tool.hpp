// What the engine needs of a toolset instance.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/result.hpp"

namespace agentd::port {

enum class Effect { pure, idempotent, once };
const char* name(Effect effect);

struct ToolSpec {
  std::string name;     // within the toolset
  std::string summary;
  std::string schema;   // JSON Schema of the arguments
  Effect effect = Effect::once;
  bool reconciles = false;
};

// Never changes once published: a run keeps the list it started with.
using ToolList = std::shared_ptr<const std::vector<ToolSpec>>;

struct ToolCall {
  std::string call_id;
  std::string agent_id;
  std::string run_id;
  std::string tool;
  std::string arguments;  // one valid JSON object that fits the tool's schema
  std::uint64_t scope = 0;
  Millis timeout{0};
};

// How an operation of a plugin ended.
enum class Status { ok, terminal, retryable, unknown_outcome, cancelled };
struct Outcome {
  Status status = Status::ok;
  std::string value;                 // JSON with ok, else a message
  std::optional<Millis> retry_after;
};

// The engine thread only. Lives as long as the host.
class Toolset {
 public:
  virtual ~Toolset() = default;
  virtual ToolList tools() const = 0;  // as last published
  virtual bool dynamic() const = 0;    // its names cannot be known before it has connected
  // Narrows the instance; equal settings give the same scope. An error names what would be widened.
  virtual Async<Result<std::uint64_t>> bind(std::string settings_json) = 0;
  // Ends at the latest at call.timeout plus the host's grace, then with unknown_outcome; stop asks it to end sooner.
  virtual Async<Outcome> call(ToolCall call, std::stop_token stop) = 0;
  // What became of a call whose end is unknown: ok with its result, retryable (it did not happen), else nobody knows.
  virtual Async<Outcome> reconcile(ToolCall call) = 0;
};

}  // namespace agentd::port
