#include "failure.hpp"

#include <algorithm>

#include "retry_after.hpp"

namespace agentd::openai {
namespace {

using sdk::Error;
using sdk::Failure;
using sdk::Json;
using sdk::ModelFailure;

struct Said {  // what an endpoint says of an error; each may be empty
  std::string message, type, code;
  int status = 0;  // gateways put it into "code"
};

std::string text_of(Json value) { return value.kind() == Json::Kind::string ? value.string() : std::string(); }

// OpenAI: {"error": {...}}; Ollama: {"error": "..."}; vLLM: {"object": "error", "message": ...}.
std::optional<Said> read_error(std::string_view body) try {
  const Json json(body);
  if (json.kind() != Json::Kind::object || !json.valid()) return std::nullopt;
  Json error = json["error"];
  if (error.kind() == Json::Kind::string) return Said{error.string(), {}, {}, 0};
  if (error.kind() != Json::Kind::object) error = text_of(json["object"]) == "error" ? json : Json();
  if (!error) return std::nullopt;
  Said said{text_of(error["message"]), text_of(error["type"]), text_of(error["code"]), 0};
  if (const Json code = error["code"]; code.kind() == Json::Kind::number) said.status = code.integer<int>();
  return said;
} catch (const Error&) {
  return std::nullopt;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

bool speaks_of_quota(const Said& said) {
  return said.code == "insufficient_quota" || said.type == "insufficient_quota" || said.code == "billing_hard_limit_reached" || said.code == "billing_not_active";
}

bool speaks_of_context(const Said& said) {
  return said.code == "context_length_exceeded" || said.type == "exceed_context_size_error" || contains(said.message, "maximum context length") ||
         contains(said.message, "context window") || contains(said.message, "available context size");
}

ModelFailure class_of(int status, const Said& said) {
  if (status == 401 || status == 403) return ModelFailure::credentials;
  if (status == 402 || speaks_of_quota(said)) return ModelFailure::quota;
  if (status == 429) return ModelFailure::rate;
  if ((status == 400 || status == 413 || status == 422) && speaks_of_context(said)) return ModelFailure::context;
  if (status == 504) return ModelFailure::answer;  // a gateway that waited no longer: what stands behind it may have answered, and charged
  if (status == 408 || status == 409 || status == 425 || status >= 500) return ModelFailure::server;
  return ModelFailure::other;
}

Failed failed(int status, const Said& said, const sdk::HttpHead& head, int64_t now_unix_s) {
  const auto why = class_of(status, said);
  const bool again = why == ModelFailure::rate || why == ModelFailure::server || why == ModelFailure::answer;
  std::string message = "the endpoint answered " + std::to_string(status);
  if (!said.message.empty()) message += ": " + said.message.substr(0, 500);
  return {Error(sdk::valid_utf8(message), again ? Failure::retryable : Failure::terminal, again ? retry_after_ms(head, now_unix_s) : -1), why};
}

bool looks_like_html(std::string_view body) {
  const auto from = body.find_first_not_of(" \r\n\t");
  return from != body.npos && body[from] == '<';
}

}  // namespace

Failed failed_with_status(const sdk::HttpHead& head, std::string_view body, int64_t now_unix_s) {
  auto said = read_error(body);
  if (!said) said = Said{looks_like_html(body) ? "an HTML page" : std::string(body.substr(0, 200)), {}, {}, 0};
  return failed(head.status, *said, head, now_unix_s);
}

std::optional<Failed> failed_inside(std::string_view body, const sdk::HttpHead& head, int64_t now_unix_s) {
  const auto said = read_error(body);
  if (!said) return std::nullopt;
  auto inside = failed(said->status >= 400 ? said->status : 500, *said, head, now_unix_s);
  // The endpoint had taken the request and failed over the answer: it may have charged for what it had of it.
  if (inside.why == ModelFailure::server) inside.why = ModelFailure::answer;
  return inside;
}

Failed unreadable(std::string_view host, std::string_view body, std::string_view problem, std::string_view wanted) {
  std::string message = std::string(host) + " answered with something that is not " + std::string(wanted) + ": ";
  if (looks_like_html(body)) message += "an HTML page (is base_url right?)";
  else if (body.empty()) message += "nothing";
  else message += problem;
  return {Error(sdk::valid_utf8(message), Failure::retryable), ModelFailure::answer};
}

Failed stopped(const Error& error) {
  if (error.failure == Failure::unknown_outcome) return {Error("cancelled after the request was sent", Failure::unknown_outcome), ModelFailure::answer};
  return {Error("cancelled", Failure::cancelled), ModelFailure::other};
}

// A model call changes nothing in the world, so one whose end is unknown may be made again.
Failed unreachable(const Error& error) {
  if (error.failure == Failure::unknown_outcome) return {Error(error.what(), Failure::retryable, error.retry_after_ms), ModelFailure::answer};
  if (error.failure == Failure::retryable) return {Error(error.what(), Failure::retryable, error.retry_after_ms), ModelFailure::server};
  return {error, ModelFailure::other};
}

}  // namespace agentd::openai
