#pragma once
#include <string>
#include <vector>

#include "spans.hpp"

namespace agentd::otlp {

// The body of a request for /v1/traces: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
std::string trace_json(const std::vector<Span>& spans, const std::string& service_name);

}  // namespace agentd::otlp
