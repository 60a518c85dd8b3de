// Agents that come, change and go over HTTP.
#include <charconv>

#include "core/base/name_text.hpp"
#include "core/manifest/tree.hpp"
#include "core/tool/strict_json.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/guard.hpp"
#include "host/api/head.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"
#include "host/api/said.hpp"

namespace agentd::api {
namespace {

using host::Enrolment;
constexpr std::size_t kLongestIdempotencyKey = 256;
constexpr std::size_t kMostErrors = 100;
constexpr const char* kThroughApi = "api";

std::vector<InputError> errors_of(const std::vector<manifest::Problem>& problems) {
  std::vector<InputError> errors;
  for (const auto& each : problems) {
    if (errors.size() == kMostErrors) return errors.push_back({"", "and " + std::to_string(problems.size() - kMostErrors) + " more"}), errors;
    if (each.file == manifest::kSentFile) errors.push_back({each.pointer, each.message, each.line, each.column});
    else errors.push_back({"", manifest::to_text(each)});  // of [defaults]
  }
  return errors;
}

Document refused(const Context& context, const Enrolment::Refusal& refusal) {
  using Why = Enrolment::Refusal::Why;
  switch (refusal.why) {
    case Why::unknown_agent: return unknown_agent(context, refusal.message);
    case Why::conflict: return problem(409, refusal.message);
    case Why::moved_on: return problem(412, refusal.message);
    case Why::invalid: return problem(422, refusal.message, errors_of(refusal.problems));
    case Why::key_reused: return problem(422, refusal.message, {{"", "Idempotency-Key: " + refusal.message}});
    case Why::ledger: break;
  }
  return ledger_problem(refusal.of_ledger);
}

std::variant<manifest::SentManifest, Document> sent_in(const Request& request) {
  const auto type = in_small_letters(request.header("content-type"));
  const bool is_toml = type.starts_with("application/toml");
  if (const auto read = is_toml ? Result<nlohmann::json>() : tool::parse_strict(request.body); !read)
    return problem(400, "the body cannot be read as a manifest", {{"", "is " + read.error().message}});
  auto sent = manifest::parse_sent(request.body, is_toml ? manifest::SentAs::toml : manifest::SentAs::json);
  if (sent.tree) return sent;
  if (is_toml) return problem(422, "the manifest is refused", errors_of(sent.problems));
  return problem(400, "the body cannot be read as a manifest", errors_of(sent.problems));
}

// By another name than the text has.
manifest::SentManifest renamed(manifest::SentManifest sent, const std::string& agent_id) {
  const std::vector<std::string> path = {"agent_id"};
  auto tree = std::make_shared<manifest::Tree>(*sent.tree);
  const auto* written = tree->find(path.front());
  manifest::Tree name{agent_id, written ? written->value.place : tree->place};
  manifest::put(*tree, path, std::move(name));
  sent.document = manifest::to_json(*tree).dump();
  sent.agent_id = agent_id;
  sent.tree = std::move(tree);
  return sent;
}

// If-Match as ETag had it; "*": any. The error is the answer.
std::expected<Enrolment::Revision, Document> revision_in(const Request& request) {
  const auto header = request.header("if-match");
  std::string_view text = header;
  if (text.empty() || text == "*") return Enrolment::Revision();
  if (text.size() > 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::int64_t revision = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::unexpected(problem(400, "If-Match is the revision that ETag said: \"3\""));
  return revision;
}

Document answer(const Context& context, const Enrolment::Done& done, int status) {
  auto view = agent_view(context, *done.member);
  view["changed"] = done.change != Enrolment::Done::Change::none;
  auto document = api::document(view, status);
  document.headers.emplace_back("ETag", revision_tag(*done.member));
  if (status == 201) document.headers.emplace_back("Location", "/v1/agents/" + done.member->agent_id);
  return document;
}

Async<Answer> create_agent(Context& context, Request request) {
  if (context.draining) co_return problem(503, "the host is stopping");
  auto key = request.header("idempotency-key");
  if (key.size() > kLongestIdempotencyKey) co_return problem(400, "Idempotency-Key is longer than 256 bytes");
  if (const auto unfit = unfit_for_a_name(key); !unfit.empty()) co_return problem(400, "Idempotency-Key " + std::string(unfit));
  auto sent = sent_in(request);
  if (auto* wrong = std::get_if<Document>(&sent)) co_return std::move(*wrong);
  auto manifest = std::get<manifest::SentManifest>(std::move(sent));
  if (const auto name = request.parameter("agent_id"); !name.empty()) manifest = renamed(std::move(manifest), name);
  auto creating = context.enrolment.create(std::move(manifest), std::move(key), signed_by(request, kThroughApi));
  const auto created = co_await std::move(creating);
  if (!created) co_return refused(context, created.error());
  co_return answer(context, *created, 201);
}

Async<Answer> put_agent(Context& context, Request request) {
  if (context.draining) co_return problem(503, "the host is stopping");
  auto revision = revision_in(request);
  if (!revision) co_return std::move(revision.error());
  auto sent = sent_in(request);
  if (auto* wrong = std::get_if<Document>(&sent)) co_return std::move(*wrong);
  auto putting = context.enrolment.put(request.capture("id"), std::get<manifest::SentManifest>(std::move(sent)), *revision, signed_by(request, kThroughApi));
  const auto put = co_await std::move(putting);
  if (!put) co_return refused(context, put.error());
  co_return answer(context, *put, put->change == Enrolment::Done::Change::created ? 201 : 200);
}

Async<Answer> patch_agent(Context& context, Request request) {
  if (context.draining) co_return problem(503, "the host is stopping");
  auto revision = revision_in(request);
  if (!revision) co_return std::move(revision.error());
  if (const auto read = tool::parse_strict(request.body); !read || !read->is_object())
    co_return problem(400, "the body cannot be read as a merge patch", {{"", read ? "write an object: {\"limits\": {\"max_steps\": 3}}; null removes a key" : "is " + read.error().message}});
  auto patching = context.enrolment.patch(request.capture("id"), std::move(request.body), *revision, signed_by(request, kThroughApi));
  const auto patched = co_await std::move(patching);
  if (!patched) co_return refused(context, patched.error());
  co_return answer(context, *patched, 200);
}

Async<Answer> delete_agent(Context& context, Request request) {
  if (context.draining) co_return problem(503, "the host is stopping");
  auto revision = revision_in(request);
  if (!revision) co_return std::move(revision.error());
  const auto agent_id = request.capture("id");
  auto removing = context.enrolment.remove(agent_id, *revision, signed_by(request, kThroughApi));
  const auto removed = co_await std::move(removing);
  if (!removed) co_return refused(context, removed.error());
  co_return document({{"agent_id", agent_id}, {"deleted", true}});
}

}  // namespace

void add_enrolment(Routes& routes, Context& context) {
  routes.add_taking_toml("POST", "/v1/agents", [&context](Request r) { return create_agent(context, std::move(r)); }, Role::admin).reading({"agent_id"});
  routes.add_taking_toml("PUT", "/v1/agents/{id}", [&context](Request r) { return put_agent(context, std::move(r)); }, Role::admin);
  routes.add("PATCH", "/v1/agents/{id}", [&context](Request r) { return patch_agent(context, std::move(r)); }, Role::admin);
  routes.add("DELETE", "/v1/agents/{id}", [&context](Request r) { return delete_agent(context, std::move(r)); }, Role::admin);
}

}  // namespace agentd::api
