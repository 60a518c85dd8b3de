// Events as spans: of a run, and within it of each model call and each tool call. A span is made of the event that ends it, so that the
// same event makes the same span again. Names: https://github.com/open-telemetry/semantic-conventions-genai (in development there).
#pragma once
#include <agentd/sdk/events.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace agentd::otlp {

enum class Kind : std::uint8_t { internal = 1, client = 3 };  // as OTLP counts them

struct Span {
  using Value = std::variant<std::string, std::int64_t, double, std::vector<std::string>>;

  std::string trace_id, span_id, parent_span_id;  // lower-case hexadecimal; a run that nobody traced has no parent
  std::string name;
  Kind kind = Kind::internal;
  std::int64_t start_ms = 0, end_ms = 0;  // since 1970 UTC
  std::vector<std::pair<std::string, Value>> attributes;
  std::optional<std::string> error;  // what went wrong
};

class Spans {
 public:
  // The span that ends with this event, if one does. Events come in their order.
  std::optional<Span> of(const sdk::Event& event);

 private:
  std::optional<Span> of_run(const sdk::Event& event, std::optional<std::string> error, const std::string& error_class);
  void note_begin(const sdk::Event& event);

  std::map<std::string, std::int64_t, std::less<>> begun_;  // runs under way
};

}  // namespace agentd::otlp
