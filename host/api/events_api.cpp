#include <algorithm>

#include "core/event/expand.hpp"
#include "core/manifest/nearest.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/event_filter.hpp"
#include "host/api/json.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kRecordsOfAPage = 2000;  // looked at for one page, whatever fits the filter
constexpr std::size_t kRecordsAtOnce = 32;
constexpr std::size_t kWrittenAtOnce = 64 << 10;  // bytes of a stream
constexpr Millis kSignOfLife{15'000};

bool wants_deltas(const EventFilter& filter) { return std::ranges::find(filter.types, host::kModelDelta) != filter.types.end(); }

EventFilter event_filter_of(const Request& request) {
  return {request.parameter("agent"), request.parameter("run"), request.parameter("session"), request.parameters("type")};
}

bool after(const port::Event& event, EventPlace since) {
  const auto place = parse_event_id(event.id);
  return place && (place->position > since.position || (place->position == since.position && place->sub_index > since.sub_index));
}

// The record a reader has not seen whole yet comes again; its events that it has seen are left out.
std::vector<port::Event> events_of(const port::StoredRecord& record, EventPlace since, const EventFilter& filter) {
  auto expanded = event::expand(record);
  if (!expanded) return {};
  std::erase_if(*expanded, [&](const port::Event& event) { return !after(event, since) || !filter.fits(event); });
  return std::move(*expanded);
}

Async<Answer> kept(Context& context, EventPlace since, EventFilter filter, std::size_t limit) {
  Page page("events", limit);
  std::string last;
  Position at = filter.begin(since);
  for (std::size_t looked_at = 0; looked_at < kRecordsOfAPage;) {
    const auto records = co_await context.ledger.events_after(at, kRecordsAtOnce);
    if (!records) co_return ledger_problem(records.error());
    if (records->empty()) co_return page.answer(nullptr);
    for (const auto& record : *records) {
      for (const auto& event : events_of(record, since, filter)) {
        if (!page.add_text(event::to_json(event))) co_return page.answer(last);
        last = event.id;
      }
      if (page.full()) co_return page.answer(last);
      co_await give_way(context.world.executor);
    }
    at = records->back().position;
    looked_at += records->size();
  }
  co_return page.answer(event_id(at, 999));
}

// Records as they come, and a model's words for those who ask for them by name. A reader that does not keep up is fed from the ledger, and cut off by the server when it takes nothing at all.
Async<void> follow(Context& context, EventPlace since, EventFilter filter, std::stop_token stopping, Stream& stream) {
  bool open = co_await stream.write("retry: 1000\n\n");
  std::optional<host::Deltas::Reader> words;
  if (wants_deltas(filter)) words.emplace(context.deltas, host::Deltas::Wish{filter.agent, filter.run, filter.session});
  const event::Live::Interest interest{filter.agent, parse_run_id(filter.run)};
  Position at = filter.begin(since);
  while (open && !stopping.stop_requested()) {
    std::stop_source pause;
    const std::stop_callback hurry(stopping, [&pause] { pause.request_stop(); });
    if (words) words->when_heard([pause]() mutable { pause.request_stop(); });
    const auto timer = context.world.timers.after(kSignOfLife, [pause]() mutable { pause.request_stop(); });
    at = co_await context.journal.live().idle(at, interest, pause.get_token());
    context.world.timers.cancel(timer);
    pause.request_stop();
    const auto records = co_await context.journal.live().after(at, kRecordsAtOnce, pause.get_token());
    if (!records) co_return;
    std::string text;
    if (words)
      for (const auto& piece : words->take()) ((text += "event: ") += host::kModelDelta) += "\ndata: " + host::to_json(piece) + "\n\n";
    if (text.empty() && records->empty()) text = ":\n\n";
    for (const auto& record : *records) {
      for (const auto& event : events_of(record, since, filter)) text += "id: " + event.id + "\nevent: " + event.type + "\ndata: " + event::to_json(event) + "\n\n";
      at = record.position;
      if (text.size() < kWrittenAtOnce) continue;
      open = co_await stream.write(std::exchange(text, {}));
      if (!open) co_return;
    }
    if (!text.empty()) open = co_await stream.write(std::move(text));
  }
}

// A type that no event has would be waited for without end.
std::optional<Document> unknown_type(const Request& request) {
  for (const auto& type : request.parameters("type")) {
    const auto types = event::types();
    if (type == host::kModelDelta || std::ranges::find(types, type) != types.end()) continue;
    const std::vector<std::string> names(types.begin(), types.end());
    std::string all(host::kModelDelta);
    for (const auto& name : names) all += ", " + name;
    return problem(400, "no event has the type \"" + type + "\"" + manifest::did_you_mean(type, names) + "; types are " + all);
  }
  return std::nullopt;
}

Async<Answer> events(Context& context, Request request) {
  const auto limit = limit_of(request, 100, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  if (auto refused = unknown_type(request)) co_return std::move(*refused);
  const bool streams = request.header("accept").find("text/event-stream") != std::string::npos;
  const auto last = request.header("last-event-id");
  auto since = request.parameter("since");
  for (const auto& id : {since, last})  // neither is wrong in silence
    if (!id.empty() && !parse_event_id(id)) co_return problem(400, "\"" + id + "\" is not an event's id");
  if (streams && !last.empty()) since = last;
  const auto place = parse_event_id(since).value_or(streams ? EventPlace{context.journal.live().last(), 999} : EventPlace());  // a stream: from now on
  if (!streams) co_return co_await kept(context, place, event_filter_of(request), *limit);
  auto story = [&context, place, filter = event_filter_of(request), stopping = request.stopping](Stream& stream) { return follow(context, place, filter, stopping, stream); };
  co_return EventStream{std::move(story)};
}

}  // namespace

void add_events(Routes& routes, Context& context) {
  routes.add("GET", "/v1/events", [&context](Request r) { return events(context, std::move(r)); }).reading({"agent", "run", "session", "type", "since", "limit"});
}

}  // namespace agentd::api
