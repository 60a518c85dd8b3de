// Where results and alerts go. Whoever is told may be told twice: a message's id stays the same.
#pragma once
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/base/async.hpp"
#include "core/base/result.hpp"
#include "core/port/http.hpp"
#include "host/log.hpp"

namespace agentd::host {

struct Message {
  enum class Severity { info, warning, critical };
  std::string id;         // the event's
  std::string type;       // "run.completed", "run.failed", ...; "alert.raised", "alert.cleared"
  std::string subject;    // what it is about, the same when it is told to be over: "agent:NAME", "alert:RULE:NAME"
  Severity severity = Severity::info;
  bool is_over = false;   // what an earlier message of this subject told
  std::string title;      // a line
  std::string text;       // what the agent said, or what is wrong; may be long and empty
  std::string data;       // the same for programs: a JSON object
  Instant at{};           // of what it tells
  Instant sent_at{};      // of this try
};
const char* name(Message::Severity severity);

// Title and text as one, shortened to so many bytes.
std::string words_of(const Message& message, std::size_t most_bytes);

// The engine thread only. May be sent several messages at once.
class Sink {
 public:
  virtual ~Sink() = default;
  // A retryable error: later, and not before retry_after. Any other: this message is not taken, however often it is sent.
  virtual Async<Result<void>> send(Message message, std::stop_token stop) = 0;
};

// What sinks are made with; outlives them.
struct SinkGround {
  World world;
  port::HttpClient& http;
  const Log& log;
};

// JSON Schema of what configures a kind of sink; empty: there is no such kind.
std::string_view sink_schema(std::string_view kind);

// settings: resolved, and fit for the schema. An error says what cannot work.
Result<std::unique_ptr<Sink>> make_sink(std::string_view kind, const std::string& name, std::string_view settings, const SinkGround& ground);

}  // namespace agentd::host
