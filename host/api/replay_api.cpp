// A run done again beside its record. It is a run of its own, of the revision that the recorded one had.
#include "core/event/trace_context.hpp"
#include "core/run/clean.hpp"
#include "core/run/replay.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"
#include "host/api/replay_request.hpp"
#include "host/api/run_view.hpp"
#include "host/api/take_in.hpp"
#include "host/api/unknown_run.hpp"

namespace agentd::api {
namespace {

using Stored = std::vector<port::StoredRecord>;

Async<std::variant<Stored, Document>> recorded(Context& context, std::string id) {
  const auto run = parse_run_id(id);
  if (!run) co_return co_await unknown_run(context, id);
  auto records = co_await context.ledger.load(*run);
  if (!records && records.error().fault == port::LedgerFault::corrupt)
    co_return problem(409, "run " + id + " cannot be replayed: " + records.error().message);
  if (!records && records.error().fault != port::LedgerFault::not_found) co_return ledger_problem(records.error());
  if (!records || records->empty()) co_return co_await unknown_run(context, id);
  co_return std::move(*records);
}

// The agent as the recorded run knew it.
Async<port::LedgerResult<host::Member>> member_then(Context& context, host::Member member, RunId run) {
  port::RunFilter filter{.agent_id = {}, .status = {}, .before = run.position + 1, .limit = 1};
  const auto rows = co_await context.ledger.list(std::move(filter));
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->empty() || rows->front().run != run)
    co_return std::unexpected(port::LedgerError{port::LedgerFault::not_found, "the run is not there any more"});
  member.revision = rows->front().revision;
  co_return member;
}

event::Entered entered_for(const event::Entered& asked, const std::string& id, ReplayRequest request) {
  event::Entered entered{.trigger = "replay", .query = asked.query, .params = asked.params, .session = asked.session};
  if (!request.key.empty()) entered.key = "replay:" + id + '/' + request.key;
  entered.replay = std::move(request.how);
  entered.replay->of = id;
  return entered;
}

Async<Answer> replay(Context& context, Request request) {
  auto found = co_await recorded(context, request.capture("id"));
  if (auto* none = std::get_if<Document>(&found)) co_return std::move(*none);
  const auto& records = std::get<Stored>(found);
  const auto run = records.front().run;
  const auto id = to_text(run);
  if (!has_ended(records)) co_return problem(409, "run " + id + " has not ended; it can be replayed when it has");
  const auto member = context.roster.find(records.front().agent_id);
  if (!member) co_return unknown_agent(context, records.front().agent_id);
  if (auto not_now = refusal(context, *member)) co_return std::move(*not_now);
  if (member->means->provider.empty()) co_return problem(409, "run " + id + ": replay of a native task is not supported yet");
  const auto recording = run::Recording::read(records);
  if (!recording) co_return problem(409, "run " + id + " cannot be replayed: " + recording.error().message);
  const auto unusable = [&context](const std::string& provider) {
    const auto endpoint = context.ports.endpoint(provider);
    return endpoint ? std::string() : endpoint.error().message;
  };
  auto read = read_replay_request(request, {recording->first_step(), recording->last_step(), unusable});
  if (auto* refused = std::get_if<Document>(&read)) co_return std::move(*refused);
  const auto decoded = event::decode(event::Entered::kKind, records.front().payload);  // which the recording has read
  if (std::get<event::Entered>(decoded->body).digest) co_return problem(409, "run " + id + " is of the agent's memory: replay of it is not supported yet");
  auto entered = entered_for(std::get<event::Entered>(decoded->body), id, std::get<ReplayRequest>(std::move(read)));
  entered.traceparent = event::read_traceparent(request.header("traceparent"));
  if (auto refused = clean(context, entered)) co_return std::move(*refused);
  auto looking = member_then(context, *member, run);
  const auto then = co_await std::move(looking);
  if (!then) co_return ledger_problem(then.error());
  auto taken = co_await take_in(context, *then, entered);
  if (auto* refused = std::get_if<Document>(&taken)) co_return std::move(*refused);
  const auto& admission = std::get<port::Admission>(taken);
  auto answer = document({{"run_id", to_text(admission.run)},
                          {"duplicate", admission.kind == port::Admission::Kind::duplicate},
                          {"replay_of", id},
                          {"from_step", entered.replay->from_step}},
                         202);
  answer.headers.emplace_back("Location", "/v1/runs/" + to_text(admission.run));
  co_return answer;
}

}  // namespace

void add_replay(Routes& routes, Context& context) {
  routes.add("POST", "/v1/runs/{id}/replay", [&context](Request r) { return replay(context, std::move(r)); });
}

}  // namespace agentd::api
