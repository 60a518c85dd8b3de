#include <charconv>

#include "core/event/record.hpp"
#include "core/run/clean.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/problem.hpp"
#include "host/api/run_request.hpp"
#include "host/api/run_view.hpp"

namespace agentd::api {
namespace {

port::Entry entry_for(const Context& context, const host::Member& member, const event::Entered& entered) {
  return {.agent_id = member.agent_id, .key = entered.key, .nonce = static_cast<std::uint32_t>(context.world.random.next()), .due_at = context.world.clock.now(),
          .revision = member.revision, .overlap = port::Overlap::queue, .leaves_record = false, .queue_size = member.queue_size,
          .max_concurrent = member.max_concurrent, .payload = event::encode(entered, entered.session)};
}

Document full(const host::Member& member) {
  auto answer = problem(429, "the queue of agent \"" + member.agent_id + "\" is full (" + std::to_string(member.queue_size) + " runs wait)");
  answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

struct Finished {
  Json view;
  bool ended = false;
};

// The run when it has ended, or as it is after the wait. An error: the ledger's.
Async<port::LedgerResult<Finished>> wait_for(Context& context, RunId run, Millis wait, std::stop_token stop) {
  host::Journal::EndOf end(context.journal, run);
  auto records = co_await context.ledger.load(run);
  if (records && !has_ended(*records) && wait > Millis(0)) {
    co_await end.wait(wait, stop);
    records = co_await context.ledger.load(run);
  }
  if (!records) co_return std::unexpected(records.error());
  co_return Finished{run_view(*records), has_ended(*records)};
}

Async<Answer> ask(Context& context, Request request) {
  const auto* member = context.roster.find(request.capture("id"));
  if (!member) co_return unknown_agent(context, request.capture("id"));
  if (context.draining) co_return problem(503, "the host is stopping");
  auto read = read_run_request(member->agent_id, request);
  if (auto* refused = std::get_if<Document>(&read)) co_return std::move(*refused);
  auto& asked = std::get<RunRequest>(read);
  run::clean(context.ports.cleaner(), asked.entered);
  std::vector<port::Entry> entries = {entry_for(context, *member, asked.entered)};
  const auto admitted = co_await context.ledger.enqueue(std::move(entries));
  if (!admitted) co_return ledger_problem(admitted.error());
  const auto& admission = admitted->front();
  if (admission.kind == port::Admission::Kind::full) co_return full(*member);
  if (!admission.run) co_return problem(409, "the run was refused: another one is under way");
  Json body = {{"run_id", to_text(admission.run)}, {"duplicate", admission.kind == port::Admission::Kind::duplicate}};
  int status = 202;
  if (asked.wait > Millis(0)) {
    auto finished = co_await wait_for(context, admission.run, asked.wait, request.stopping);
    if (!finished) co_return ledger_problem(finished.error());
    body["run"] = std::move(finished->view);
    if (finished->ended) status = 200;
  }
  auto answer = document(body, status);
  answer.headers.emplace_back("Location", "/v1/runs/" + to_text(admission.run));
  co_return answer;
}

std::optional<RunId> run_of(const Request& request) { return parse_run_id(request.capture("id")); }
Document unknown_run(const Request& request) { return problem(404, "there is no run \"" + request.capture("id") + "\""); }

Async<Answer> show(Context& context, Request request) {
  const auto run = run_of(request);
  if (!run) co_return unknown_run(request);
  const auto text = request.parameter("wait");
  int seconds = 0;
  if (!text.empty() && (std::from_chars(text.data(), text.data() + text.size(), seconds).ec != std::errc() || seconds < 0)) co_return problem(400, "wait is a number of seconds");
  auto finished = co_await wait_for(context, *run, std::chrono::seconds(std::min(seconds, kLongestWait)), request.stopping);
  if (!finished && finished.error().fault == port::LedgerFault::not_found) co_return unknown_run(request);
  if (!finished) co_return ledger_problem(finished.error());
  if (finished->view.is_null()) co_return unknown_run(request);
  co_return document(finished->view);
}

Async<Answer> steps(Context& context, Request request) {
  const auto run = run_of(request);
  if (!run) co_return unknown_run(request);
  const auto records = co_await context.ledger.load(*run);
  if (!records && records.error().fault != port::LedgerFault::not_found) co_return ledger_problem(records.error());
  if (!records || records->empty()) co_return unknown_run(request);
  co_return document({{"run_id", request.capture("id")}, {"steps", steps_view(*records)}, {"next", nullptr}});
}

// Newest first; cursor is where the page before ended.
Async<Answer> list(Context& context, Request request) {
  const auto limit = limit_of(request, 50, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  port::RunFilter filter{.agent_id = request.parameter("agent"), .status = {}, .limit = *limit};
  if (const auto status = request.parameter("status"); !status.empty()) {
    filter.status = port::run_status(status);
    if (!filter.status) co_return problem(400, "\"" + status + "\" is not a run's status");
  }
  if (const auto cursor = request.parameter("cursor"); !cursor.empty()) {
    const auto place = parse_run_id(cursor);
    if (!place) co_return problem(400, "cursor is what `next` said");
    filter.before = place->position;
  }
  const auto rows = co_await context.ledger.list(std::move(filter));
  if (!rows) co_return ledger_problem(rows.error());
  Json runs = Json::array();
  for (const auto& row : *rows) {
    const auto records = co_await context.ledger.load(row.run);
    if (records && !records->empty()) runs.push_back(run_view(*records));
  }
  const Json next = rows->size() == *limit ? Json(to_text(rows->back().run)) : Json();
  co_return document({{"runs", runs}, {"next", next}});
}

}  // namespace

void add_runs(Routes& routes, Context& context) {
  routes.add("POST", "/v1/agents/{id}/runs", [&context](Request r) { return ask(context, std::move(r)); });
  routes.add("GET", "/v1/runs", [&context](Request r) { return list(context, std::move(r)); });
  routes.add("GET", "/v1/runs/{id}", [&context](Request r) { return show(context, std::move(r)); });
  routes.add("GET", "/v1/runs/{id}/steps", [&context](Request r) { return steps(context, std::move(r)); });
}

}  // namespace agentd::api
