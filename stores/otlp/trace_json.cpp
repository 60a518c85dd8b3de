#include "trace_json.hpp"

#include <agentd/sdk/types.hpp>

namespace agentd::otlp {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  sdk::write_string(out, text);
  return out;
}

// 64-bit integers are texts there.
struct ValueJson {
  std::string operator()(const std::string& text) const { return R"({"stringValue":)" + quoted(text) + "}"; }
  std::string operator()(std::int64_t number) const { return R"({"intValue":")" + std::to_string(number) + "\"}"; }
  std::string operator()(double number) const {
    std::string out = R"({"doubleValue":)";
    sdk::Type<double>::write(out, number);
    return out + "}";
  }
  std::string operator()(const std::vector<std::string>& texts) const {
    std::string out;
    for (const auto& text : texts) out += (out.empty() ? "" : ",") + (*this)(text);
    return R"({"arrayValue":{"values":[)" + out + "]}}";
  }
};

std::string attribute(const std::string& key, const Span::Value& value) { return R"({"key":)" + quoted(key) + R"(,"value":)" + std::visit(ValueJson(), value) + "}"; }
std::string nanoseconds(std::int64_t ms) { return "\"" + std::to_string(ms) + "000000\""; }

std::string span_json(const Span& span) {
  std::string attributes;
  for (const auto& [key, value] : span.attributes) attributes += (attributes.empty() ? "" : ",") + attribute(key, value);
  std::string out = R"({"traceId":")" + span.trace_id + R"(","spanId":")" + span.span_id + "\"";
  if (!span.parent_span_id.empty()) out += R"(,"parentSpanId":")" + span.parent_span_id + "\"";
  out += R"(,"name":)" + quoted(span.name) + R"(,"kind":)" + std::to_string(static_cast<int>(span.kind));
  out += R"(,"startTimeUnixNano":)" + nanoseconds(span.start_ms) + R"(,"endTimeUnixNano":)" + nanoseconds(span.end_ms) + R"(,"attributes":[)" + attributes + "]";
  if (span.error) out += R"(,"status":{"code":2,"message":)" + quoted(*span.error) + "}";
  return out + "}";
}

}  // namespace

std::string trace_json(const std::vector<Span>& spans, const std::string& service_name) {
  std::string all;
  for (const auto& span : spans) all += (all.empty() ? "" : ",") + span_json(span);
  return R"({"resourceSpans":[{"resource":{"attributes":[)" + attribute("service.name", service_name) + R"(]},"scopeSpans":[{"scope":{"name":"agentd"},"spans":[)" + all + "]}]}]}";
}

}  // namespace agentd::otlp
