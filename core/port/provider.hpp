// What the engine needs of a provider of models.
#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async.hpp"
#include "core/port/tool.hpp"

namespace agentd::port {

enum class Role { system, user, assistant, tool };

// A message of the chat-completions format, kept serialised: a conversation is never parsed to be sent again.
struct Message {
  Role role = Role::user;
  std::string json;
  std::string extra;        // what the provider named below wants back with it, JSON or empty
  std::string extra_owner;  // component name
};

struct Delta {
  enum class Kind { text, reasoning, tool_call } kind = Kind::text;
  std::size_t index = 0;
  std::string_view tool;  // with a tool call's first delta
  std::string_view text;
};

struct Completion {
  std::string call_id;
  std::string agent_id;
  std::string run_id;
  std::string traceparent;                // of this call, for whoever is asked over HTTP; empty: the run is in no trace
  std::string model;
  std::span<const Message> messages;      // outlives the call
  std::string_view tools;                 // JSON array or empty; outlives the call
  std::string options;                    // JSON object
  Millis timeout{0};
  std::function<void(const Delta&)> listen;  // empty: nobody listens, so nothing is streamed. The engine thread
};

struct ToolRequest {
  std::string id, name, arguments;  // as the model wrote them: may be anything
};

struct Usage {  // tokens; -1: the endpoint did not say
  std::int64_t input_tokens = -1, output_tokens = -1, cache_read_tokens = -1, cache_write_tokens = -1, reasoning_tokens = -1;
};

enum class FinishReason { stop, tool_calls, length, filter };
const char* name(FinishReason reason);

struct Answer {
  FinishReason finish_reason = FinishReason::stop;
  std::string text;
  std::string extra;
  std::vector<ToolRequest> calls;
  std::optional<Usage> usage;
  std::string model;
};

struct Embedding {
  std::string model;
  std::vector<std::string> texts;
  Millis timeout{0};
};

struct Embedded {
  std::vector<std::vector<float>> vectors;  // one for each text, all of the same dimensions, finite, none of zeros
  std::optional<Usage> usage;
  std::string model;
};

enum class Failure { other, rate, credentials, quota, context, server, answer };
const char* name(Failure failure);

struct ModelError {
  Status status = Status::terminal;
  Failure failure = Failure::other;
  std::string message;
  std::optional<Millis> retry_after;
};

// The engine thread only. Lives as long as the host.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string_view component() const = 0;  // owner of the extras it writes
  virtual Async<std::expected<Answer, ModelError>> complete(Completion completion, std::stop_token stop) = 0;
  virtual bool embeds() const = 0;
  virtual Async<std::expected<Embedded, ModelError>> embed(Embedding request, std::stop_token stop) = 0;
};

}  // namespace agentd::port
