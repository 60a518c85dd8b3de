// Traces of others that a run belongs to: https://www.w3.org/TR/trace-context/
#pragma once
#include <string>
#include <string_view>

namespace agentd::event {

// A `traceparent` header as version 00 has it, with no flag but `sampled`. Empty: it is none, and whoever sent it is not listened to.
std::string read_traceparent(std::string_view header);

// What is called from a run, or from one of its model calls, is told of the span that the store `otlp` makes of these. Empty where `from`,
// which is the run's own, is empty.
std::string traceparent_of_run(const std::string& from, const std::string& run);
std::string traceparent_of_call(const std::string& from, const std::string& call_id);  // run/step

}  // namespace agentd::event
