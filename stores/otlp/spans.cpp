#include "spans.hpp"

#include <agentd/sdk/json.hpp>
#include <openssl/sha.h>

#include <algorithm>
#include <string_view>

namespace agentd::otlp {
namespace {

using sdk::Json;
constexpr std::size_t kTraceBytes = 16, kSpanBytes = 8;
constexpr std::size_t kMostRuns = 100'000;  // under way: of more only the duration is known

std::string hash(const std::string& text, std::size_t bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  for (std::size_t i = 0; i < bytes; ++i) (hex += kDigits[digest[i] >> 4]) += kDigits[digest[i] & 15];
  return hex;
}
std::string root_of(std::string_view run) { return hash("span of " + std::string(run), kSpanBytes); }
// Of a model call that was answered, of which a step has one: whoever was asked was told it.
std::string answer_of(std::string_view run, std::int64_t step) { return hash("call " + std::string(run) + "/" + std::to_string(step), kSpanBytes); }

std::string text(Json object, const char* name) {
  const Json value = object[name];
  return value.kind() == Json::Kind::string ? value.string() : std::string();
}
std::optional<std::int64_t> number(Json object, const char* name) {
  const Json value = object[name];
  return value.kind() == Json::Kind::number ? std::optional(static_cast<std::int64_t>(value.number())) : std::nullopt;
}

// What an event's run belongs to: a trace of its own, or that of whoever asked for it, as the event's `traceparent` says.
struct Trace {
  std::string id, parent_span_id;
  bool is_sampled = true;
};
Trace trace_of(const sdk::Event& event, Json payload) {
  const auto given = text(payload, "traceparent");  // 00-TRACE-PARENT-FLAGS; the host has looked at it
  if (given.size() != 55) return {hash("trace of " + std::string(event.run_id), kTraceBytes), {}};
  return {given.substr(3, 32), given.substr(36, 16), given.back() == '1'};
}

void add_usage(Span& span, Json usage) {
  if (usage.kind() != Json::Kind::object) return;
  for (const auto& [ours, theirs] : {std::pair("input_tokens", "gen_ai.usage.input_tokens"), std::pair("output_tokens", "gen_ai.usage.output_tokens"),
                                     std::pair("cache_read_tokens", "gen_ai.usage.cache_read.input_tokens"), std::pair("cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens")})
    if (const auto tokens = number(usage, ours)) span.attributes.emplace_back(theirs, *tokens);
  if (const Json cost = usage["cost"]; cost.kind() == Json::Kind::number) span.attributes.emplace_back("agentd.cost", cost.number());
}

Span part_of_run(const sdk::Event& event, Json payload, const char* operation) {
  Span span{.trace_id = trace_of(event, payload).id, .span_id = hash(std::string(event.run_id) + " " + std::string(event.id), kSpanBytes), .parent_span_id = root_of(event.run_id), .name = operation};
  span.end_ms = event.timestamp_ms;
  span.start_ms = event.timestamp_ms - std::max<std::int64_t>(0, number(payload, "duration_ms").value_or(0));
  span.attributes = {{"gen_ai.operation.name", operation}, {"gen_ai.agent.id", std::string(event.agent_id)}, {"agentd.run_id", std::string(event.run_id)}, {"agentd.step", number(payload, "step").value_or(0)}};
  return span;
}

void fail(Span& span, const std::string& type, std::string message) {
  span.attributes.emplace_back("error.type", type.empty() ? "_OTHER" : type);
  span.error = std::move(message);
}

Span of_model_call(const sdk::Event& event, Json payload) {
  auto span = part_of_run(event, payload, "chat");
  const auto model = text(payload, "model"), reason = text(payload, "finish_reason");
  span.kind = Kind::client;
  span.name += " " + model;
  span.attributes.emplace_back("gen_ai.provider.name", text(payload, "provider"));
  span.attributes.emplace_back("gen_ai.request.model", model);
  add_usage(span, payload["usage"]);
  if (reason == "error") fail(span, text(payload, "failure"), text(payload, "error"));
  else if (reason == "unknown") fail(span, "unknown_outcome", "the host ended while this call was made");
  else {
    span.span_id = answer_of(event.run_id, number(payload, "step").value_or(0));
    span.attributes.emplace_back("gen_ai.response.finish_reasons", std::vector<std::string>{reason});
  }
  return span;
}

Span of_tool_call(const sdk::Event& event, Json payload) {
  auto span = part_of_run(event, payload, "execute_tool");
  const auto tool = text(payload, "tool"), outcome = text(payload, "outcome");
  span.name += " " + tool;
  span.attributes.emplace_back("gen_ai.tool.name", tool);
  span.attributes.emplace_back("gen_ai.tool.call.id", text(payload, "call_id"));
  span.attributes.emplace_back("agentd.tool.effect", text(payload, "effect"));
  if (outcome != "ok") fail(span, outcome, outcome);
  return span;
}

}  // namespace

void Spans::note_begin(const sdk::Event& event) {
  if (begun_.size() < kMostRuns) begun_.try_emplace(std::string(event.run_id), event.timestamp_ms);
}

std::optional<Span> Spans::of_run(const sdk::Event& event, std::optional<std::string> error, const std::string& error_class) {
  const Json payload(event.payload);
  auto trace = trace_of(event, payload);
  Span span{.trace_id = std::move(trace.id), .span_id = root_of(event.run_id), .parent_span_id = std::move(trace.parent_span_id), .name = "invoke_agent " + std::string(event.agent_id)};
  span.end_ms = event.timestamp_ms;
  span.start_ms = event.timestamp_ms - std::max<std::int64_t>(0, number(payload, "duration_ms").value_or(0));
  if (const auto begun = begun_.find(event.run_id); begun != begun_.end()) {
    span.start_ms = std::min(span.start_ms, begun->second);
    begun_.erase(begun);
  }
  span.attributes = {{"gen_ai.operation.name", "invoke_agent"}, {"gen_ai.agent.id", std::string(event.agent_id)}, {"gen_ai.agent.name", std::string(event.agent_id)}, {"agentd.run_id", std::string(event.run_id)}};
  if (!event.session_id.empty()) span.attributes.emplace_back("gen_ai.conversation.id", std::string(event.session_id));
  add_usage(span, payload["usage"]);
  if (error) fail(span, error_class, std::move(*error));
  return span;
}

std::optional<Span> Spans::of(const sdk::Event& event) {
  if (event.run_id.empty()) return std::nullopt;
  const Json payload(event.payload);
  if (!payload.valid() || payload.kind() != Json::Kind::object) return std::nullopt;
  if (!trace_of(event, payload).is_sampled) return std::nullopt;
  if (event.type == "background_task_started" || event.type == "background_task_resumed") note_begin(event);
  if (event.type == "model_call_completed") return of_model_call(event, payload);
  if (event.type == "tool_call_completed") return of_tool_call(event, payload);
  if (event.type == "background_task_completed") return of_run(event, std::nullopt, {});
  if (event.type == "background_task_cancelled") return of_run(event, text(payload, "reason"), "cancelled");
  if (event.type == "background_task_quarantined") return of_run(event, text(payload, "reason"), "quarantined");
  if (event.type == "background_task_error" && payload["will_retry"].kind() == Json::Kind::boolean && !payload["will_retry"].boolean())
    return of_run(event, text(payload, "error"), text(payload, "error_class"));
  return std::nullopt;
}

}  // namespace agentd::otlp
