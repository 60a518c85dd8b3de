// Any bytes as a request: its head, its target and the route that it takes, and its body as what people and webhooks say. What we take for a
// whole head the parser behind us takes for the same head, to the byte: else one of us would find a request where the other finds a body.
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <cstdlib>

#include "core/base/json_text.hpp"
#include "host/api/guard.hpp"
#include "host/api/head.hpp"
#include "host/api/hook_proof.hpp"
#include "host/api/replay_request.hpp"
#include "host/api/routes.hpp"
#include "host/api/run_request.hpp"
#include "host/api/said.hpp"
#include "host/api/target.hpp"

namespace {

using namespace agentd;
using namespace agentd::api;
namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

constexpr HeadLimits kLimits{.line_bytes = 256, .bytes = 1024};

void check(bool holds) {
  if (!holds) std::abort();
}

void check_end(std::string_view bytes, std::size_t end) {
  check(end >= 4 && end <= bytes.size() && bytes.substr(end - 4, 4) == "\r\n\r\n");
  for (const auto part : {end / 2, end - 1}) {
    const auto unfinished = end_of_head(bytes.substr(0, part), kLimits);
    check(unfinished && !*unfinished);  // however it comes in
  }
}

void check_framing(const Parser::value_type& message) {
  check(message.count(http::field::host) == 1);
  const auto lengths = message.count(http::field::content_length), codings = message.count(http::field::transfer_encoding);
  check(lengths + codings <= 1);
}

const Routes& routes() {
  static const Routes some = [] {
    Routes all;
    for (const auto* pattern : {"/", "/v1/agents", "/v1/agents/{id}", "/v1/agents/{id}/runs", "/v1/hooks/{agent}/{trigger}", "/v1/approvals/{run}/{step}/{index}/approve"}) all.add("GET", pattern, {});
    return all;
  }();
  return some;
}

void check_target(std::string_view text) {
  const auto target = parse_target(text);
  if (!target) return check(!target.error().empty());
  check(is_utf8(target->path) && target->path.find('\0') == std::string::npos);
  for (const auto& segment : target->segments) check(segment != "." && segment != "..");
  for (const auto& [name, value] : target->query) check(is_utf8(name) && is_utf8(value));
  const auto found = routes().find("GET", target->segments);
  if (const auto* match = std::get_if<Match>(&found))
    for (const auto& [name, segment] : match->captured) check(!segment.empty() && match->route->pattern.find("{" + name + "}") != std::string::npos);
}

// A refusal is a problem that says what is wrong, in UTF-8 whatever was sent.
template <class Read>
void check_refusal(const Read& read) {
  const auto* refused = std::get_if<Document>(&read);
  if (!refused) return;
  check((refused->status == 400 || refused->status == 422) && refused->content_type == "application/problem+json");
  check(is_utf8(refused->body) && is_json(refused->body));
}

void read_body(Request request) {
  check_refusal(read_run_request("agent", request));
  check_refusal(read_said(request, std::array{kBy, kReason}));
  check_refusal(read_replay_request(request, {1, 3, [](const std::string&) { return std::string("nobody"); }}));
  for (const auto verify : {manifest::WebhookVerify::standard, manifest::WebhookVerify::github, manifest::WebhookVerify::bearer})
    check(!prove(verify, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", request, Instant{}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto end = end_of_head(bytes, kLimits);
  if (!end || !*end) return 0;
  check_end(bytes, **end);
  const auto head = bytes.substr(0, **end);
  if (const auto refused = judge_head(head)) return check(refused->status == 400 || refused->status == 501), 0;
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(kLimits.bytes + 4));
  boost::beast::error_code error;
  const auto taken = parser.put(boost::asio::const_buffer(data, size), error);
  if (error && !parser.is_header_done()) return 0;
  check(parser.is_header_done() && taken == head.size());
  const auto& message = parser.get();
  check_framing(message);
  check_target({message.target().data(), message.target().size()});
  (void)foreign(message[http::field::host], message[http::field::origin]);
  Request request;
  for (const auto& field : message) request.headers.emplace(in_small_letters(field.name_string()), std::string(field.value()));
  request.body = bytes.substr(head.size());
  read_body(std::move(request));
  return 0;
}
