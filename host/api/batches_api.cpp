// Batches: many runs of one agent that somebody asks for at once. A batch is the runs whose keys stand below its name, and
// nothing else remembers it: what is sent twice is taken once, and whoever goes on where it broke off sends it again.
#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/budget/limits.hpp"
#include "core/event/expand.hpp"
#include "core/event/trace_context.hpp"
#include "core/run/clean.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"
#include "host/api/run_view.hpp"
#include "host/api/take_in.hpp"
#include "host/batch_item.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kLongestLine = 1 << 20;
constexpr std::int64_t kLastLine = 1'000'000'000'000;
constexpr std::size_t kItemsAtOnce = 64;       // in one transaction
constexpr std::size_t kMostItems = 10'000;     // of one request, whose answer is kept until its body has been read
constexpr std::size_t kBatchRowsAtOnce = 256;  // of the ledger

// ---- taking items in

// The answer: a line for each item. Once one has no place, none behind it is tried, so that items come in in their order.
class Intake {
 public:
  Intake(const Context& context, std::string agent_id, std::string batch, std::int64_t line, std::string traceparent)
      : context_(context),
        agent_id_(std::move(agent_id)),
        batch_(std::move(batch)),
        prefix_(host::batch_prefix(batch_)),
        line_(line),
        traceparent_(std::move(traceparent)) {}

  Async<void> line(std::string text) {
    const auto number = line_++;
    if (text.find_first_not_of(" \t\r") == std::string::npos) co_return;
    if (items_ > kMostItems) co_return;  // said of the first of them; its answer is not to grow with what comes
    if (++items_ > kMostItems)
      refused_ = {413, "a request may have " + std::to_string(kMostItems) + " items; send the rest, from this line on, with another", 0};
    auto item = host::read_batch_item(text);
    if (refused_.status != 0 || !item) co_await flush();  // what came before is told before
    if (refused_.status != 0) co_return refuse(number, item ? item->key : std::string(), refused_);
    if (!item) co_return refuse(number, {}, {422, item.error(), 0});
    if (item->key.empty()) item->key = host::key_of_line(number);
    event::Entered entered{
        .trigger = "batch", .trigger_name = batch_, .query = std::move(item->query), .key = prefix_ + item->key, .traceparent = traceparent_};
    entered.params.text = std::move(item->params);
    if (clean(context_, entered)) {
      co_await flush();
      co_return refuse(number, {}, {422, "key may not hold a secret", 0});
    }
    waiting_.push_back({number, std::move(entered)});
    if (waiting_.size() >= kItemsAtOnce) co_await flush();
  }

  Async<void> flush() {
    auto items = std::exchange(waiting_, {});
    if (items.empty()) co_return;
    const auto now = context_.roster.find(agent_id_);
    if (const auto gone = gone_meanwhile(now); gone.status != 0) {
      for (const auto& item : items) refuse(item.line, item.entered.key.substr(prefix_.size()), gone);
      co_return;
    }
    std::vector<event::Entered> entered;
    for (const auto& item : items) entered.push_back(item.entered);
    const auto taken = co_await take_in_all(context_, *now, std::move(entered));  // what has changed holds for new runs
    if (!taken) refused_ = {503, taken.error().message, 1};
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (taken && (*taken)[i].run)
        accept(items[i], (*taken)[i]);
      else
        refuse(items[i].line, items[i].entered.key.substr(prefix_.size()), taken ? full(*now) : refused_);
    }
  }

  Document answer() const {
    Document document{taken_ > 0 || first_refusal_.status == 0 ? 200 : first_refusal_.status, "application/jsonl", out_};
    if (first_refusal_.retry_after > 0) document.headers.emplace_back("Retry-After", std::to_string(first_refusal_.retry_after));
    return document;
  }

 private:
  struct Item {
    std::int64_t line;
    event::Entered entered;
  };
  struct Refusal {
    int status = 0;
    std::string why;
    int retry_after = 0;  // seconds
  };

  // A large batch takes a while to come: its agent may not be what it was when the request began.
  Refusal gone_meanwhile(const host::MemberRef& now) const {
    if (!now) return {404, "agent \"" + agent_id_ + "\" was removed while the items came", 0};
    if (!now->enabled || now->mode == host::Mode::stopped) return {409, "agent \"" + agent_id_ + "\" was stopped while the items came", 0};
    return {};
  }
  Refusal full(const host::Member& now) {
    refused_ = {429, "the queue of agent \"" + now.agent_id + "\" is full (" + std::to_string(now.queue_size) + " runs wait)", 1};
    return refused_;
  }
  void accept(const Item& item, const port::Admission& admission) {
    ++taken_;
    write({{"line", item.line},
           {"key", item.entered.key.substr(prefix_.size())},
           {"run_id", to_text(admission.run)},
           {"duplicate", admission.kind == port::Admission::Kind::duplicate}});
  }
  void refuse(std::int64_t line, const std::string& key, const Refusal& refusal) {
    if (first_refusal_.status == 0) first_refusal_ = refusal;
    Json said = {{"line", line}, {"key", text_or_null(key)}, {"status", refusal.status}, {"error", refusal.why}};
    if (refusal.retry_after > 0) said["retry_after"] = refusal.retry_after;
    write(said);
  }
  void write(const Json& line) { out_ += line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

  const Context& context_;
  const std::string agent_id_;
  const std::string batch_, prefix_;
  std::int64_t line_;
  const std::string traceparent_;
  std::size_t items_ = 0, taken_ = 0;
  Refusal refused_, first_refusal_;
  std::vector<Item> waiting_;
  std::string out_;
};

// A name that nobody gave is of this request alone.
std::string name_of(const Context& context, const Request& request) {
  for (auto name : {request.parameter("batch"), request.header("idempotency-key")})
    if (!name.empty()) return name;
  return "at-" + std::to_string(context.world.clock.now().time_since_epoch().count()) + "-" +
         std::to_string(context.world.random.next() % 1'000'000);
}

Async<Answer> submit_batch(Context& context, Request request) {
  const auto member = context.roster.find(request.capture("id"));
  if (!member) co_return unknown_agent(context, request.capture("id"));
  if (auto refused = refusal(context, *member)) co_return std::move(*refused);
  const auto name = name_of(context, request);
  if (!host::is_batch_name(name)) co_return problem(400, "a batch's name has letters, digits, '-' and '_', at most 64");
  if (!host::is_kept_as_it_is(context.ports.cleaner(), host::batch_prefix(name))) co_return problem(422, "a batch's name may not hold a secret");
  std::int64_t first = 1;
  for (const auto& from : request.parameters("from")) {
    const auto read = std::from_chars(from.data(), from.data() + from.size(), first);
    if (read.ec != std::errc() || read.ptr != from.data() + from.size() || first < 1 || first > kLastLine)
      co_return problem(400, "from is the number of the first line, 1 to " + std::to_string(kLastLine));
  }
  Intake intake(context, member->agent_id, name, first, event::read_traceparent(request.header("traceparent")));
  std::string text;
  while (true) {
    const auto piece = co_await request.incoming->next();
    if (!piece)
      co_return problem(400, "the body broke off; send the batch again under its name: what has been taken is not taken twice");
    text += *piece;
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      auto line = text.substr(begin, end - begin);
      co_await intake.line(std::move(line));
      begin = end + 1;
    }
    text.erase(0, begin);
    if (text.size() > kLongestLine) co_return problem(413, "a line may have " + std::to_string(kLongestLine) + " bytes");
    if (piece->empty()) break;
    co_await give_way(context.world.executor);
  }
  co_await intake.line(std::move(text));
  co_await intake.flush();
  auto answer = intake.answer();
  answer.headers.emplace_back("Location", "/v1/batches/" + request.capture("id") + "." + name);
  co_return answer;
}

// ---- what became of them

// "AGENT.NAME"
struct BatchPlace {
  std::string agent_id, name;
};
std::optional<BatchPlace> parse_batch_id(const std::string& id) {
  const auto dot = id.find('.');
  if (dot == id.npos || dot == 0 || !host::is_batch_name(std::string_view(id).substr(dot + 1))) return std::nullopt;
  return BatchPlace{id.substr(0, dot), id.substr(dot + 1)};
}

port::RunFilter items_of(const BatchPlace& batch) {
  const auto from = host::batch_prefix(batch.name);
  auto before = from;
  ++before.back();
  return {.agent_id = batch.agent_id, .status = {}, .limit = kBatchRowsAtOnce, .key_from = from, .key_before = before};
}

struct Tally {
  std::size_t items = 0;
  std::map<port::RunStatus, std::size_t> by_status;
  event::Totals totals;
  std::optional<Instant> queued_at;
  Position last = 0;  // the latest record of an item that has ended

  std::size_t of(std::initializer_list<port::RunStatus> statuses) const {
    std::size_t count = 0;
    for (const auto status : statuses)
      if (const auto found = by_status.find(status); found != by_status.end()) count += found->second;
    return count;
  }
  std::size_t ended() const {
    std::size_t count = 0;
    for (const auto& [status, runs] : by_status) count += port::is_final(status) ? runs : 0;
    return count;
  }
};

void add_totals(event::Totals& sum, const event::Totals& more) {
  event::Totals none;
  budget::take_away(none, more);
  budget::take_away(sum, none);
}

// Where a person has spoken since, the end is not the latest record.
Async<std::optional<event::Ended>> end_of(Context& context, const port::RunRow& row) {
  if (!port::is_final(row.status) || row.last == row.run.position) co_return std::nullopt;
  std::optional<event::Ended> ended;
  const auto take = [&ended](std::int32_t kind, std::string_view payload) {
    if (kind != event::Ended::kKind) return;
    if (auto decoded = event::decode(kind, payload)) ended = std::get<event::Ended>(std::move(decoded->body));
  };
  if (row.last_kind == event::Ended::kKind) {
    take(row.last_kind, row.last_payload);
  } else if (const auto records = co_await context.ledger.load(row.run)) {
    for (const auto& record : *records) take(record.kind, record.payload);
  }
  co_return ended;
}

Async<port::LedgerResult<Tally>> tally_of(Context& context, BatchPlace batch) {
  Tally tally;
  for (auto filter = items_of(batch);;) {
    const auto rows = co_await context.ledger.list(filter);
    if (!rows) co_return std::unexpected(rows.error());
    for (const auto& row : *rows) {
      ++tally.items;
      ++tally.by_status[row.status];
      tally.queued_at = std::min(tally.queued_at.value_or(row.entered_at), row.entered_at);
      auto ending = end_of(context, row);
      const auto ended = co_await std::move(ending);
      if (ended) add_totals(tally.totals, ended->totals);
      if (port::is_final(row.status)) tally.last = std::max(tally.last, row.last);
    }
    if (rows->size() < filter.limit) co_return tally;
    filter.key_before = rows->back().key;
    co_await give_way(context.world.executor);
  }
}

Async<Json> batch_view(Context& context, BatchPlace batch, Tally tally) {
  using enum port::RunStatus;
  const bool ended = tally.ended() == tally.items;
  std::optional<Instant> finished_at;
  if (ended && tally.last != 0) {
    const auto record = co_await context.ledger.events_after(tally.last - 1, 1);
    if (record && !record->empty()) finished_at = record->front().at;
  }
  const auto until = finished_at ? *finished_at : context.world.clock.now();
  co_return Json{{"batch_id", batch.agent_id + "." + batch.name},
                 {"agent_id", batch.agent_id},
                 {"status", ended ? "ended" : "running"},
                 {"items", tally.items},
                 {"queued", tally.of({queued})},
                 {"running", tally.of({running})},
                 {"waiting", tally.of({waiting})},
                 {"completed", tally.of({completed})},
                 {"failed", tally.of({failed, timed_out, cancelled, dropped})},
                 {"quarantined", tally.of({quarantined})},
                 {"usage", raw(event::usage_json(tally.totals))},
                 {"queued_at", instant(tally.queued_at)},
                 {"finished_at", instant(finished_at)},
                 {"duration_ms", tally.queued_at ? (until - *tally.queued_at).count() : 0}};
}

Document unknown_batch(const std::string& id) { return problem(404, "there is no batch \"" + id + "\", which is AGENT.NAME"); }

Async<Answer> show_batch(Context& context, Request request) {
  auto batch = parse_batch_id(request.capture("id"));
  if (!batch) co_return unknown_batch(request.capture("id"));
  auto counting = tally_of(context, *batch);
  auto tally = co_await std::move(counting);
  if (!tally) co_return ledger_problem(tally.error());
  if (tally->items == 0) co_return unknown_batch(request.capture("id"));
  auto viewing = batch_view(context, std::move(*batch), std::move(*tally));
  co_return document(co_await std::move(viewing));
}

// The greatest key first; cursor is the last one of the page before.
Async<Answer> list_items(Context& context, Request request) {
  const auto batch = parse_batch_id(request.capture("id"));
  if (!batch) co_return unknown_batch(request.capture("id"));
  const auto limit = limit_of(request, 100, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto prefix = host::batch_prefix(batch->name);
  auto filter = items_of(*batch);
  if (const auto cursor = request.parameter("cursor"); !cursor.empty()) filter.key_before = prefix + cursor;
  Page page("items", *limit);
  std::string last;
  while (true) {
    filter.limit = std::min(kBatchRowsAtOnce, *limit + 1 - page.size());
    const auto rows = co_await context.ledger.list(filter);
    if (!rows) co_return ledger_problem(rows.error());
    for (const auto& row : *rows) {
      auto ending = end_of(context, row);
      const auto ended = co_await std::move(ending);
      Json item = {{"key", row.key.substr(prefix.size())}, {"run_id", to_text(row.run)}, {"status", port::name(row.status)}};
      item["result"] = ended ? raw(ended->result_json()) : Json();
      item["error"] = ended && ended->fault ? Json(ended->fault->message) : Json();
      if (!page.add(item)) co_return page.answer(last);
      last = row.key.substr(prefix.size());
      co_await give_way(context.world.executor);
    }
    if (rows->size() < filter.limit) co_return page.answer(nullptr);
    filter.key_before = rows->back().key;
  }
}

// By agent, then by name, the last first; of each one key is read to find the next. cursor is the last batch of the page before.
Async<Answer> list_batches(Context& context, Request request) {
  const auto limit = limit_of(request, 50, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto agent = request.parameter("agent");
  std::optional<BatchPlace> after;
  if (const auto cursor = request.parameter("cursor"); !cursor.empty()) {
    after = parse_batch_id(cursor);
    if (!after) co_return problem(400, "cursor is what `next` said");
  }
  std::vector<std::string> agents;
  const auto take = [&](const host::Member& member) {
    const bool fits = (agent.empty() || member.agent_id == agent) && (!after || member.agent_id >= after->agent_id);
    if (fits) agents.push_back(member.agent_id);
    return true;
  };
  const std::string from_the_first;
  co_await each_member(context, from_the_first, take);
  Page page("batches", *limit);
  std::string last;
  for (const auto& agent_id : agents) {
    port::RunFilter filter{.agent_id = agent_id, .status = {}, .limit = 1, .key_from = "batch:", .key_before = "batch;"};
    if (after && after->agent_id == agent_id) filter.key_before = host::batch_prefix(after->name);
    while (true) {
      const auto rows = co_await context.ledger.list(filter);
      if (!rows) co_return ledger_problem(rows.error());
      if (rows->empty()) break;
      const auto& key = rows->front().key;
      const auto slash = key.find('/');
      if (slash == key.npos) break;
      BatchPlace batch{agent_id, key.substr(6, slash - 6)};
      filter.key_before = host::batch_prefix(batch.name);
      auto counting = tally_of(context, batch);
      auto tally = co_await std::move(counting);
      if (!tally) co_return ledger_problem(tally.error());
      const auto id = agent_id + "." + batch.name;
      auto viewing = batch_view(context, std::move(batch), std::move(*tally));
      const auto view = co_await std::move(viewing);
      if (!page.add(view)) co_return page.answer(last);
      last = id;
    }
  }
  co_return page.answer(nullptr);
}

}  // namespace

void add_batches(Routes& routes, Context& context) {
  routes.add_streamed("POST", "/v1/agents/{id}/batches", [&context](Request r) { return submit_batch(context, std::move(r)); }).reading({"batch", "from"});
  routes.add("GET", "/v1/batches", [&context](Request r) { return list_batches(context, std::move(r)); }).reading({"agent", "limit", "cursor"});
  routes.add("GET", "/v1/batches/{id}", [&context](Request r) { return show_batch(context, std::move(r)); });
  routes.add("GET", "/v1/batches/{id}/items", [&context](Request r) { return list_items(context, std::move(r)); }).reading({"limit", "cursor"});
}

}  // namespace agentd::api
