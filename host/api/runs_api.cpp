#include <charconv>

#include "core/event/record.hpp"
#include "core/run/clean.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"
#include "host/api/run_request.hpp"
#include "host/api/run_view.hpp"
#include "host/api/take_in.hpp"
#include "host/api/unknown_run.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kRowsAtOnce = 32;         // of a list, from the ledger
constexpr std::size_t kReadForAPage = 8 << 20;  // bytes of records, so that long ones make a page short

struct Finished {
  Json view;
  bool ended = false;
  bool crowded = false;  // it was not waited for: as many wait as may
};

// The run when it has ended, or as it is after the wait. An error: the ledger's.
Async<port::LedgerResult<Finished>> wait_for(Context& context, RunId run, Millis wait, const Request& request) {
  host::Journal::EndOf end(context.journal, run);
  auto records = co_await context.ledger.load(run);
  if (records && !has_ended(*records) && wait > Millis(0)) {
    const auto resting = request.rest();
    if (!resting) co_return Finished{.view = run_view(*records), .crowded = true};
    records->clear();  // many may wait, and they keep nothing
    co_await end.wait(wait, request.stopping);
    records = co_await context.ledger.load(run);
  }
  if (!records) co_return std::unexpected(records.error());
  co_return Finished{.view = run_view(*records), .ended = has_ended(*records)};
}

Async<Answer> ask(Context& context, Request request) {
  const auto member = context.roster.find(request.capture("id"));
  if (!member) co_return unknown_agent(context, request.capture("id"));
  if (auto refused = refusal(context, *member)) co_return std::move(*refused);
  auto read = read_run_request(member->agent_id, request);
  if (auto* refused = std::get_if<Document>(&read)) co_return std::move(*refused);
  auto& asked = std::get<RunRequest>(read);
  if (auto refused = clean(context, asked.entered)) co_return std::move(*refused);
  auto taken = co_await take_in(context, *member, asked.entered);
  if (auto* refused = std::get_if<Document>(&taken)) co_return std::move(*refused);
  const auto& admission = std::get<port::Admission>(taken);
  Json body = {{"run_id", to_text(admission.run)}, {"duplicate", admission.kind == port::Admission::Kind::duplicate}};
  int status = 202;
  if (asked.wait > Millis(0)) {
    asked.entered = {};
    request.body = {};
    auto finished = co_await wait_for(context, admission.run, asked.wait, request);
    if (!finished) co_return ledger_problem(finished.error());
    body["run"] = std::move(finished->view);
    if (finished->ended) status = 200;
  }
  auto answer = document(body, status);
  answer.headers.emplace_back("Location", "/v1/runs/" + to_text(admission.run));
  co_return answer;
}

std::optional<RunId> run_of(const Request& request) { return parse_run_id(request.capture("id")); }

// "wait" of a query; nothing: not a number of seconds.
std::optional<Millis> wait_of(const Request& request) {
  const auto given = request.parameters("wait");
  if (given.empty()) return Millis(0);
  const auto& text = given.front();
  int seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, kLongestWait));
}

Async<Answer> show(Context& context, Request request) {
  const auto run = run_of(request);
  if (!run) co_return co_await unknown_run(context, request.capture("id"));
  const auto wait = wait_of(request);
  if (!wait) co_return problem(400, "wait is a number of seconds");
  auto finished = co_await wait_for(context, *run, *wait, request);
  if (!finished && finished.error().fault == port::LedgerFault::not_found) co_return co_await unknown_run(context, request.capture("id"));
  if (!finished) co_return ledger_problem(finished.error());
  if (finished->view.is_null()) co_return co_await unknown_run(context, request.capture("id"));
  if (finished->crowded) {
    auto busy = problem(503, "as many requests wait for runs as may at a time; ask again soon");
    busy.headers.emplace_back("Retry-After", "5");
    co_return busy;
  }
  co_return document(finished->view);
}

// In their order; cursor is how many lines the pages before had.
Async<Answer> steps(Context& context, Request request) {
  const auto run = run_of(request);
  if (!run) co_return co_await unknown_run(context, request.capture("id"));
  const auto limit = limit_of(request, 1000, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto first = offset_of(request);
  if (!first) co_return problem(400, "cursor is what `next` said");
  const auto records = co_await context.ledger.load(*run);
  if (!records && records.error().fault != port::LedgerFault::not_found) co_return ledger_problem(records.error());
  if (!records || records->empty()) co_return co_await unknown_run(context, request.capture("id"));
  Page page("steps", *limit);
  StepsReader reader(*run);
  const Json beside = {{"run_id", request.capture("id")}};
  std::size_t seen = 0;
  for (const auto& record : *records) {
    for (const auto& line : reader.read(record))
      if (seen++ >= *first && !page.add(line)) co_return page.answer(std::to_string(*first + page.size()), beside);
    co_await give_way(context.world.executor);
  }
  co_return page.answer(nullptr, beside);
}

port::StoredRecord entry_of(const port::RunRow& row) {
  const bool alone = row.last == row.run.position;
  return {.position = row.run.position, .at = row.entered_at, .run = row.run, .agent_id = row.agent_id, .kind = event::Entered::kKind,
          .status = alone ? row.status : port::RunStatus::queued, .payload = row.payload};
}

// What a run's summary needs: its entry alone when there is no more, with it the record of its end, and only of a run under way all.
// The row has the last record's text without its instant.
Async<port::LedgerResult<std::vector<port::StoredRecord>>> records_for_summary(Context& context, const port::RunRow& row) {
  std::vector<port::StoredRecord> records;
  records.push_back(entry_of(row));
  if (row.last == row.run.position) co_return records;
  if (row.last_kind != event::Ended::kKind) co_return co_await context.ledger.load(row.run);
  auto end = co_await context.ledger.events_after(row.last - 1, 1);
  if (!end) co_return std::unexpected(end.error());
  if (end->empty() || end->front().position != row.last) co_return co_await context.ledger.load(row.run);
  records.push_back(std::move(end->front()));
  co_return records;
}

// Of a run whose records are damaged: what its row says, and why there is no more.
Json damaged_summary(const port::RunRow& row, const std::string& why) {
  const std::vector<port::StoredRecord> entry = {entry_of(row)};
  auto view = run_summary(entry);
  view["status"] = port::name(row.status);
  view["error"] = why;
  return view;
}

// Adds rows to the page until it ends; true when it has.
Async<bool> add_summaries(Context& context, Page& page, const std::vector<port::RunRow>& rows, std::size_t& read, RunId& last) {
  for (const auto& row : rows) {
    if (page.full() || read >= kReadForAPage) co_return true;
    const auto records = co_await records_for_summary(context, row);
    for (const auto& record : records.value_or(std::vector<port::StoredRecord>())) read += record.payload.size();
    const bool damaged = !records && records.error().fault == port::LedgerFault::corrupt;
    if (damaged && !page.add(damaged_summary(row, records.error().message))) co_return true;
    if (records && !records->empty() && !page.add(run_summary(*records))) co_return true;
    last = row.run;
    co_await give_way(context.world.executor);
  }
  co_return false;
}

std::string all_statuses() {
  std::string all;
  for (int number = 1; number <= static_cast<int>(port::RunStatus::missed); ++number) {
    const std::string name = port::name(static_cast<port::RunStatus>(number));
    if (port::run_status(name)) all += (all.empty() ? "" : ", ") + name;
  }
  return all;
}

std::variant<port::RunFilter, Document> filter_of(const Request& request) {
  port::RunFilter filter{.agent_id = request.parameter("agent"), .status = {}};
  if (const auto status = request.parameters("status"); !status.empty()) {
    filter.status = port::run_status(status.front());
    if (!filter.status) return problem(400, "\"" + status.front() + "\" is not a run's status; there is " + all_statuses());
  }
  if (const auto cursor = request.parameter("cursor"); !cursor.empty()) {
    const auto place = parse_run_id(cursor);
    if (!place) return problem(400, "cursor is what `next` said");
    filter.before = place->position;
  }
  return filter;
}

// Newest first; cursor is where the page before ended.
Async<Answer> list(Context& context, Request request) {
  const auto limit = limit_of(request, 50, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  auto asked = filter_of(request);
  if (auto* refused = std::get_if<Document>(&asked)) co_return std::move(*refused);
  auto& filter = std::get<port::RunFilter>(asked);
  Page page("runs", *limit);
  std::size_t read = 0;
  RunId last;
  while (true) {
    filter.limit = std::min(kRowsAtOnce, *limit + 1 - page.size());  // one more tells whether there is a next page
    const auto rows = co_await context.ledger.list(filter);
    if (!rows) co_return ledger_problem(rows.error());
    const bool ended = co_await add_summaries(context, page, *rows, read, last);
    if (ended) co_return page.answer(to_text(last));
    if (rows->size() < filter.limit) co_return page.answer(nullptr);
    filter.before = rows->back().run.position;
  }
}

}  // namespace

void add_runs(Routes& routes, Context& context) {
  routes.add("POST", "/v1/agents/{id}/runs", [&context](Request r) { return ask(context, std::move(r)); });
  routes.add("GET", "/v1/runs", [&context](Request r) { return list(context, std::move(r)); }).reading({"agent", "status", "limit", "cursor"});
  routes.add("GET", "/v1/runs/{id}", [&context](Request r) { return show(context, std::move(r)); }).reading({"wait"});
  routes.add("GET", "/v1/runs/{id}/steps", [&context](Request r) { return steps(context, std::move(r)); }).reading({"limit", "cursor"});
}

}  // namespace agentd::api
