// What people do about a run: cancel it, ask for it again.
#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/event/trace_context.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"
#include "host/api/run_view.hpp"
#include "host/api/said.hpp"
#include "host/api/take_in.hpp"
#include "host/api/unknown_run.hpp"

namespace agentd::api {
namespace {

using Records = std::vector<port::StoredRecord>;
using AtCancel = std::variant<Records, Document>;

constexpr std::size_t kMostRetries = 1000;  // of one run, by people
constexpr int kCancelTries = 20;
constexpr Millis kBetweenCancelTries{100};
constexpr Millis kLongestForAnEnd{5'000};

// A run's records, or the answer where there is no such run.
Async<AtCancel> records_of(Context& context, std::string id) {
  const auto run = parse_run_id(id);
  if (!run) co_return co_await unknown_run(context, id);
  auto records = co_await context.ledger.load(*run);
  if (records && !records->empty()) co_return std::move(*records);
  if (records || records.error().fault == port::LedgerFault::not_found) co_return co_await unknown_run(context, id);
  co_return ledger_problem(records.error());
}

std::string status_of(const Records& records) { return run_summary(records)["status"].get<std::string>(); }

// Cancelling twice is cancelling once; what has ended otherwise is not cancelled any more.
Document ended_as(const Records& records, const std::string& id) {
  const auto status = status_of(records);
  if (status == port::name(port::RunStatus::cancelled)) return document(run_view(records));
  return problem(409, "run " + id + " has ended: " + status);
}

Async<Answer> cancel(Context& context, Request request) {
  const auto id = request.capture("id");
  auto before = co_await records_of(context, id);
  if (auto* none = std::get_if<Document>(&before)) co_return std::move(*none);
  if (const auto& records = std::get<Records>(before); has_ended(records)) co_return ended_as(records, id);
  auto read = read_said(request, std::array{kReason});
  if (auto* wrong = std::get_if<Document>(&read)) co_return std::move(*wrong);
  auto words = std::get<Said>(std::move(read)).at("reason");
  if (words.empty()) words = "cancelled by " + (request.caller.empty() ? std::string("a person") : request.caller);
  const auto run = std::get<Records>(before).front().run;
  host::Journal::EndOf end(context.journal, run);
  auto cancelled = co_await context.worker.cancel(run, words);
  for (int tries = 1; !cancelled && cancelled.error().error_class == ErrorClass::retryable && tries < kCancelTries; ++tries) {
    co_await sleep(context.world.timers, kBetweenCancelTries, request.stopping);
    cancelled = co_await context.worker.cancel(run, words);
  }
  if (!cancelled) co_return problem(503, "run " + id + ": " + cancelled.error().message);
  auto now = co_await records_of(context, id);
  if (auto* records = std::get_if<Records>(&now); records && !has_ended(*records)) {
    co_await end.wait(kLongestForAnEnd, request.stopping);
    now = co_await records_of(context, id);
  }
  if (auto* gone = std::get_if<Document>(&now)) co_return std::move(*gone);
  const auto& records = std::get<Records>(now);
  if (!has_ended(records)) co_return document(run_view(records), 202);  // what is under way has been told to stop
  co_return ended_as(records, id);
}

std::string retry_prefix(const std::string& id) { return "retry:" + id + '/'; }

std::size_t number_of(const port::RunRow& row, const std::string& prefix) {
  std::size_t number = 0;
  const auto digits = std::string_view(row.key).substr(std::min(prefix.size(), row.key.size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

bool may_be_retried(std::string_view status) {
  using enum port::RunStatus;
  for (const auto retried : {failed, timed_out, cancelled, skipped, dropped, quarantined})
    if (status == port::name(retried)) return true;
  return false;
}

// A click that is made twice is one retry; when that has failed too, the next click is another.
Async<port::LedgerResult<std::string>> retry_key(Context& context, std::string agent_id, std::string id) {
  const auto prefix = retry_prefix(id);
  auto behind = prefix;
  ++behind.back();
  port::RunFilter filter{
      .agent_id = std::move(agent_id), .status = {}, .limit = kMostRetries, .key_from = prefix, .key_before = behind};
  const auto rows = co_await context.ledger.list(std::move(filter));
  if (!rows) co_return std::unexpected(rows.error());
  std::size_t latest = 0;
  bool is_spent = true;
  for (const auto& row : *rows) {
    const auto number = number_of(row, prefix);
    if (number <= latest) continue;
    latest = number;
    is_spent = may_be_retried(port::name(row.status));
  }
  co_return prefix + std::to_string(is_spent ? latest + 1 : latest);
}

Async<Answer> retry(Context& context, Request request) {
  if (auto wrong = read_nothing(request)) co_return std::move(*wrong);
  const auto id = request.capture("id");
  auto found = co_await records_of(context, id);
  if (auto* none = std::get_if<Document>(&found)) co_return std::move(*none);
  const auto& records = std::get<Records>(found);
  const auto status = status_of(records);
  if (status == port::name(port::RunStatus::quarantined))  // whoever is first decides what becomes of it
    co_return problem(409, "run " + id + " is in quarantine: `agentd quarantine retry` lets it begin again");
  if (!may_be_retried(status))
    co_return problem(409, "run " + id + " is " + status + "; what failed, timed out, was cancelled, skipped or dropped can be retried");
  const auto member = context.roster.find(records.front().agent_id);
  if (!member) co_return unknown_agent(context, records.front().agent_id);
  if (auto not_now = refusal(context, *member)) co_return std::move(*not_now);
  const auto decoded = event::decode(event::Entered::kKind, records.front().payload);
  if (!decoded) co_return problem(500, decoded.error().message);
  const auto& asked = std::get<event::Entered>(decoded->body);
  if (asked.replay) co_return problem(409, "run " + id + " is a replay; replay run " + asked.replay->of + " again");
  if (asked.digest) co_return problem(409, "run " + id + " is of the agent's memory and is not retried: the next summary makes up for one that failed, and lessons are drawn again when run " + asked.digest->of + "'s task is run again");
  auto key = co_await retry_key(context, member->agent_id, to_text(records.front().run));
  if (!key) co_return ledger_problem(key.error());
  const event::Entered entered{
      .trigger = "retry", .query = asked.query, .params = asked.params, .session = asked.session, .key = std::move(*key),
      .traceparent = event::read_traceparent(request.header("traceparent"))};
  auto taken = co_await take_in(context, *member, entered);
  if (auto* refused = std::get_if<Document>(&taken)) co_return std::move(*refused);
  const auto& admission = std::get<port::Admission>(taken);
  auto answer = document(
      {{"run_id", to_text(admission.run)}, {"duplicate", admission.kind == port::Admission::Kind::duplicate}, {"retry_of", id}},
      202);
  answer.headers.emplace_back("Location", "/v1/runs/" + to_text(admission.run));
  co_return answer;
}

// Those that came in with its end, and were given its text.
Async<port::LedgerResult<std::vector<RunId>>> runs_for_memory_of(port::Ledger& ledger, RunId of) {
  constexpr std::size_t kAtOnce = 256;
  std::vector<RunId> found;
  const auto records = co_await ledger.load(of);
  if (!records) co_return found;
  const auto end = std::ranges::find(records->rbegin(), records->rend(), event::Ended::kKind, &port::StoredRecord::kind);
  if (end == records->rend()) co_return found;
  for (auto at = end->position;;) {
    const auto behind = co_await ledger.events_after(at, kAtOnce);
    if (!behind) co_return std::unexpected(behind.error());
    for (const auto& record : *behind) {
      if (record.kind != event::Entered::kKind) co_return found;  // entries alone came in with it
      const auto decoded = event::decode(record.kind, record.payload);
      const auto* entered = decoded ? std::get_if<event::Entered>(&decoded->body) : nullptr;
      if (entered && entered->digest && entered->digest->of == to_text(of)) found.push_back(record.run);
      at = record.position;
    }
    if (behind->size() < kAtOnce) co_return found;
  }
}

// What is kept of it elsewhere is not reached: copies of its events, what was remembered of it, later summaries.
Async<std::optional<Document>> forget_one(Context& context, RunId run) {
  const auto id = to_text(run);
  auto forgetting = context.upkeep.forget(run);
  const auto forgotten = co_await std::move(forgetting);
  if (!forgotten && forgotten.error().fault == port::LedgerFault::stale) co_return problem(409, "run " + id + " has not ended; cancel it first");
  if (!forgotten && forgotten.error().fault == port::LedgerFault::not_found) co_return co_await unknown_run(context, id);
  if (!forgotten) co_return ledger_problem(forgotten.error());
  context.journal.live().forget(run);
  context.journal.quarantine().forget(run);
  if (context.sharing.is_shared()) {  // other replicas may have it in memory
    port::Transition said{.records = {event::to_record(event::RunForgotten{id})}};
    const auto told = co_await context.ledger.commit(std::move(said));
    if (!told) co_return problem(503, "run " + id + " is forgotten, but other replicas could not be told: " + told.error().message);
  }
  co_return std::nullopt;
}

Async<Answer> forget(Context& context, Request request) {
  if (auto wrong = read_nothing(request)) co_return std::move(*wrong);
  const auto id = request.capture("id");
  const auto run = parse_run_id(id);
  if (!run) co_return co_await unknown_run(context, id);
  const auto records = co_await context.ledger.load(*run);
  if (!records && records.error().fault == port::LedgerFault::not_found) co_return co_await unknown_run(context, id);
  if (!records && records.error().fault != port::LedgerFault::corrupt) co_return ledger_problem(records.error());
  if (records && status_of(*records) == port::name(port::RunStatus::quarantined))
    co_return problem(409, "run " + id + " is in quarantine: `agentd quarantine drop` says that nobody needs it");
  if (records && !has_ended(*records)) co_return problem(409, "run " + id + " has not ended; cancel it first");
  if (records) {
    const bool kept = co_await context.slots.keep_dealt_with(records->front().agent_id, records->front().payload);
    if (!kept) co_return problem(503, "run " + id + ": the ledger takes nothing now; try again");
  }
  auto all = co_await runs_for_memory_of(context.ledger, *run);
  if (!all) co_return ledger_problem(all.error());
  all->push_back(*run);  // the last one: until it is gone the others are found
  for (const auto& one : *all) {
    auto forgetting = forget_one(context, one);
    auto wrong = co_await std::move(forgetting);
    if (wrong) co_return std::move(*wrong);
  }
  co_return document({{"run_id", id}, {"forgotten", true}});
}

}  // namespace

void add_run_control(Routes& routes, Context& context) {
  routes.add("POST", "/v1/runs/{id}/cancel", [&context](Request r) { return cancel(context, std::move(r)); });
  routes.add("DELETE", "/v1/runs/{id}", [&context](Request r) { return forget(context, std::move(r)); }, Role::admin);
  routes.add("POST", "/v1/runs/{id}/retry", [&context](Request r) { return retry(context, std::move(r)); });
}

}  // namespace agentd::api
