// What agents remember: people look through it, add to it and take from it.
#include <array>
#include <charconv>

#include "core/base/json_text.hpp"
#include "core/base/name_text.hpp"
#include "core/memory/keep.hpp"
#include "core/memory/search.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"
#include "host/api/said.hpp"

namespace agentd::api {
namespace {

using port::MemoryType;

constexpr std::size_t kMostEntries = 1000;  // of a page
constexpr Sayable kText{"text", 64 << 10}, kType{"type", 32, true}, kSession{"session_id", 256, true}, kKey{"key", 200, true};
constexpr std::string_view kNote = "note:";  // what ids begin with that people gave: those of runs do not

constexpr std::array<std::pair<std::string_view, MemoryType>, 3> kTypes = {{{"episodic", MemoryType::episodic}, {"long_term", MemoryType::long_term}, {"procedural", MemoryType::procedural}}};

std::string_view type_name(MemoryType type) {
  for (const auto& [name, each] : kTypes)
    if (each == type) return name;
  return "any";
}

std::optional<MemoryType> type_named(std::string_view name) {
  for (const auto& [each, type] : kTypes)
    if (each == name) return type;
  return std::nullopt;
}

Json view_of(const port::MemoryEntry& entry, bool is_found) {
  return {{"id", entry.id},
          {"type", type_name(entry.type)},
          {"session_id", text_or_null(entry.session_id)},
          {"text", entry.text},
          {"value", raw(entry.json)},
          {"created_at", format_instant(entry.created)},
          {"score", is_found ? Json(entry.score) : Json()}};
}

// Where an agent remembers what is of a type, or why that cannot be used: each store once, as a page goes through them.
std::variant<std::vector<memory::Place>, Document> places_of(const Context& context, const std::string& agent_id, MemoryType type) {
  const auto member = context.roster.find(agent_id);
  if (!member) return unknown_agent(context, agent_id);
  const auto stores = context.roster.stores_for(member->spec());
  if (!stores) return problem(503, stores.error().message);
  std::vector<memory::Place> places;
  for (const auto& place : {memory::Place{stores->episodic, MemoryType::episodic}, {stores->long_term, MemoryType::long_term}, {stores->procedural, MemoryType::procedural}})
    if (type == MemoryType::any || type == place.type) places.push_back(place);
  const bool is_one = std::ranges::all_of(places, [&](const auto& place) { return place.store == places.front().store; });
  if (is_one) places = {{places.front().store, type}};
  return places;
}

Document store_problem(const Error& error) { return problem(503, "the memory store could not be used: " + error.message); }

// Where a page goes on: behind a position of a place. Written "POSITION", or "POSITION.PLACE" behind the first place.
struct At {
  std::uint64_t before = 0;
  std::size_t place = 0;
};

std::optional<At> place_of(const std::string& cursor) {
  At at;
  const auto* end = cursor.data() + cursor.size();
  if (cursor.empty()) return at;
  auto read = std::from_chars(cursor.data(), end, at.before);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '.') read = std::from_chars(read.ptr + 1, end, at.place);
  if (read.ec != std::errc() || read.ptr != end || at.before == 0 || at.before > INT64_MAX) return std::nullopt;
  return at;
}

Json cursor_of(const At& at) { return std::to_string(at.before) + (at.place > 0 ? "." + std::to_string(at.place) : ""); }

std::string cleaned(const Context& context, std::string text) {
  context.ports.cleaner().clean(text);
  return text;
}

Async<Answer> search_memory(Context& context, std::vector<memory::Place> places, port::MemoryQuery query) {
  memory::Wish wish{.agent_id = std::move(query.agent_id), .session_id = std::move(query.session_id), .text = std::move(query.text), .most = query.limit, .timeout = query.timeout};
  auto searching = memory::search(std::move(places), context.ports.embedder(), std::move(wish));
  const auto found = co_await std::move(searching);
  if (!found) co_return store_problem(found.error());
  Page page("entries", query.limit);
  for (const auto& entry : found->entries)
    if (!page.add(view_of(entry, true))) break;
  Json beside = Json::object();
  if (!found->by_words_alone.empty()) beside["by_words_alone"] = cleaned(context, found->by_words_alone);
  co_return page.answer(nullptr, beside);
}

// The newest first, one place after the other.
Async<Answer> page_of(std::vector<memory::Place> places, port::MemoryQuery query, At at, std::size_t limit) {
  std::vector<std::pair<port::MemoryEntry, std::size_t>> entries;
  query.before = at.before;
  for (auto i = at.place; i < places.size() && entries.size() <= limit; ++i, query.before = 0) {
    query.type = places[i].type;
    query.limit = limit + 1 - entries.size();
    auto listed = co_await places[i].store->list(query);
    if (!listed) co_return store_problem(listed.error());
    for (auto& entry : *listed) entries.emplace_back(std::move(entry), i);
  }
  Page page("entries", limit);
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (!page.add(view_of(entries[i].first, false))) co_return page.answer(cursor_of({entries[i - 1].first.position, entries[i - 1].second}));
  co_return page.answer(nullptr);
}

// With a query the best first, in one page; without one the newest first.
Async<Answer> list_memory(Context& context, Request request) {
  const auto limit = limit_of(request, 100, kMostEntries);
  const auto named = request.parameter("type");
  const auto type = named.empty() ? std::optional(MemoryType::any) : type_named(named);
  auto found = places_of(context, request.capture("agent"), type.value_or(MemoryType::any));
  if (auto* none = std::get_if<Document>(&found)) co_return std::move(*none);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto at = place_of(request.parameter("cursor"));
  if (!at) co_return problem(400, "cursor is what `next` said");
  if (!type) co_return problem(400, "type is episodic, long_term or procedural");
  port::MemoryQuery query{.type = *type, .agent_id = request.capture("agent"), .session_id = request.parameter("session"), .id = {}, .text = request.parameter("query"), .limit = *limit};
  auto places = std::get<std::vector<memory::Place>>(std::move(found));
  if (at->place >= places.size()) co_return problem(400, "cursor is what `next` said");
  if (!query.text.empty()) co_return co_await search_memory(context, std::move(places), std::move(query));
  co_return co_await page_of(std::move(places), std::move(query), *at, *limit);
}

std::string random_name(Random& random) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (auto bits = random.next(); name.size() < 16; bits >>= 4) name += kDigits[bits & 15];
  return name;
}

// What a person tells an agent to remember. Said again with the same key it takes the place of what was said before.
Async<Answer> add_memory(Context& context, Request request) {
  const auto agent_id = request.capture("agent");
  auto known = places_of(context, agent_id, MemoryType::any);
  if (auto* none = std::get_if<Document>(&known)) co_return std::move(*none);
  auto read = read_said(request, std::array{kText, kType, kSession, kKey});
  if (auto* wrong = std::get_if<Document>(&read)) co_return std::move(*wrong);
  auto said = std::get<Said>(std::move(read));
  if (said["key"].empty()) said["key"] = request.header("idempotency-key");
  std::vector<InputError> errors;
  const auto type = said["type"].empty() ? std::optional(MemoryType::long_term) : type_named(said["type"]);
  if (!type || *type == MemoryType::episodic) errors.push_back({"/type", "is long_term or procedural; what was said in a session its runs write down"});
  if (said["text"].empty()) errors.push_back({"/text", "is missing: what to remember"});
  if (said["key"].size() > kKey.longest) errors.push_back({"/key", "Idempotency-Key is longer than " + std::to_string(kKey.longest) + " bytes"});
  if (const auto unfit = unfit_for_a_name(said["key"]); !unfit.empty()) errors.push_back({"/key", std::string(unfit)});
  if (!errors.empty()) co_return problem(422, "the entry cannot be understood", errors);
  for (auto* text : {&said["text"], &said["key"]}) context.ports.cleaner().clean(*text);
  port::MemoryEntry entry{.type = *type, .agent_id = agent_id, .session_id = said["session_id"], .id = std::string(kNote) + (said["key"].empty() ? random_name(context.world.random) : said["key"]),
                          .text = said["text"], .json = "{\"by\":" + json_string(request.caller) + "}", .created = context.world.clock.now()};
  auto found = places_of(context, agent_id, *type), others = places_of(context, agent_id, *type == MemoryType::procedural ? MemoryType::long_term : MemoryType::procedural);
  for (auto* one : {&found, &others})
    if (auto* none = std::get_if<Document>(one)) co_return std::move(*none);
  const auto first = [](const auto& places) { return std::get<std::vector<memory::Place>>(places).front().store; };
  auto keeping = memory::keep_instead(*first(found), *first(others), context.ports.embedder(), entry, port::MemoryQuery{}.timeout, {});
  const auto kept = co_await std::move(keeping);
  if (!kept) co_return store_problem(kept.error());
  auto view = view_of(entry, false);
  if (!kept->without_vectors.empty()) view["by_words_alone"] = cleaned(context, kept->without_vectors);
  co_return document(view, 201);
}

Async<Answer> forget_memory(Context& context, Request request) {
  const auto agent_id = request.capture("agent");
  auto found = places_of(context, agent_id, MemoryType::any);
  if (auto* none = std::get_if<Document>(&found)) co_return std::move(*none);
  const auto id = request.capture("entry");
  std::uint64_t removed = 0;
  for (const auto& place : std::get<std::vector<memory::Place>>(found)) {
    port::MemoryQuery query{.type = place.type, .agent_id = agent_id, .session_id = {}, .id = id, .text = {}};
    const auto gone = co_await place.store->remove(std::move(query));
    if (!gone) co_return store_problem(gone.error());
    removed += *gone;
  }
  if (removed == 0) co_return problem(404, agent_id + " remembers nothing under \"" + id + '"');
  co_return document({{"id", id}, {"forgotten", true}});
}

}  // namespace

void add_memory(Routes& routes, Context& context) {
  routes.add("GET", "/v1/memory/{agent}", [&context](Request r) { return list_memory(context, std::move(r)); }).reading({"query", "type", "session", "limit", "cursor"});
  routes.add("POST", "/v1/memory/{agent}", [&context](Request r) { return add_memory(context, std::move(r)); });
  routes.add("DELETE", "/v1/memory/{agent}/{entry}", [&context](Request r) { return forget_memory(context, std::move(r)); });
}

}  // namespace agentd::api
