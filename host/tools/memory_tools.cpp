#include "host/tools/memory_tools.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/name_text.hpp"
#include "core/memory/keep.hpp"
#include "core/memory/search.hpp"

namespace agentd::host {
namespace {

using Json = nlohmann::ordered_json;
using port::MemoryType;

constexpr std::string_view kSaved = "saved:";
constexpr std::size_t kUsualMost = 5;
constexpr Millis kStorePatience{10'000};
constexpr int kTurns = 5;  // of the embedding and the stores, at most, within the time of a call

constexpr const char* kTypeSchema = R"({"enum":["long_term","procedural"],"description":"a fact, or how something is done well"})";

MemoryType type_of(const Json& arguments) { return arguments.value("type", "") == "procedural" ? MemoryType::procedural : MemoryType::long_term; }

port::Outcome say(const Json& value) { return {.value = value.dump(-1, ' ', false, Json::error_handler_t::replace), .retry_after = {}}; }
port::Outcome refuse(std::string why) { return {.status = port::Status::terminal, .value = std::move(why), .retry_after = {}}; }
port::Outcome failed(const Error& error) {
  return {.status = error.error_class == ErrorClass::retryable ? port::Status::retryable : port::Status::terminal, .value = "the memory store could not be used: " + error.message, .retry_after = error.retry_after};
}

}  // namespace

port::ToolList MemoryTools::tools() const {
  static const auto list = std::make_shared<const std::vector<port::ToolSpec>>(std::vector<port::ToolSpec>{
      {.name = "search",
       .summary = "Look for what is known from earlier runs: by meaning and by words, the best first.",
       .schema = std::string(R"({"type":"object","properties":{"query":{"type":"string","minLength":1,"maxLength":4096,"description":"what it is about"},"type":)") + kTypeSchema +
                 R"(,"limit":{"type":"integer","minimum":1,"maximum":50,"description":"at most so many; 5 if left out"}},"required":["query"],"additionalProperties":false})",
       .effect = port::Effect::pure},
      {.name = "save",
       .summary = "Keep a fact, or how something is done well, for later runs. One sentence that is understood by itself.",
       .schema = std::string(R"({"type":"object","properties":{"text":{"type":"string","minLength":1,"maxLength":16384},"type":)") + kTypeSchema +
                 R"(,"key":{"type":"string","minLength":1,"maxLength":128,"description":"a short name: saved again under it, the new text takes the place of the old"}},"required":["text"],"additionalProperties":false})",
       .effect = port::Effect::idempotent},
      {.name = "forget",
       .summary = "Forget what was saved, by the id that memory.save or memory.search gave.",
       .schema = R"({"type":"object","properties":{"id":{"type":"string","minLength":1,"maxLength":512}},"required":["id"],"additionalProperties":false})",
       .effect = port::Effect::idempotent}});
  return list;
}

std::uint64_t MemoryTools::scope_of(const Where& where) {
  const auto known = std::ranges::find(scopes_, where);
  const auto index = known - scopes_.begin();
  if (known == scopes_.end()) scopes_.push_back(where);
  return static_cast<std::uint64_t>(index) + 1;
}

Async<Result<std::uint64_t>> MemoryTools::bind(std::string) { co_return fail("the toolset \"memory\" has no settings: an agent's own [memory] says where it remembers"); }

Async<port::Outcome> MemoryTools::call(port::ToolCall call, std::stop_token stop) {
  if (call.agent_id.empty() || call.scope == 0 || call.scope > scopes_.size()) co_return refuse("memory is an agent's: this tool is called in an agent's run");
  auto where = scopes_[call.scope - 1];
  if (call.tool == "search") co_return co_await search(std::move(call), std::move(where), stop);
  if (call.tool == "save") co_return co_await save(std::move(call), std::move(where), stop);
  co_return co_await forget(std::move(call), std::move(where));
}

// Made again it does what it did before.
Async<port::Outcome> MemoryTools::reconcile(port::ToolCall) { co_return port::Outcome{.status = port::Status::retryable, .value = "it may be made again", .retry_after = {}}; }

Async<port::Outcome> MemoryTools::search(port::ToolCall call, Where where, std::stop_token stop) {
  const auto arguments = Json::parse(call.arguments);
  std::vector<memory::Place> places;
  for (const auto& [type, name] : {std::pair(MemoryType::long_term, &where.long_term), std::pair(MemoryType::procedural, &where.procedural)}) {
    if (arguments.contains("type") && type_of(arguments) != type) continue;
    const auto store = ground_.store(*name);
    if (!store) co_return failed(store.error());
    places.push_back({*store, type});
  }
  memory::Wish wish{.agent_id = call.agent_id, .session_id = {}, .text = arguments["query"].get<std::string>(), .most = arguments.value("limit", kUsualMost),
                    .timeout = std::min(call.timeout / kTurns, kStorePatience), .stop = stop};
  auto searching = memory::search(std::move(places), ground_.embedder(), std::move(wish));
  const auto found = co_await std::move(searching);
  if (!found) co_return failed(found.error());
  Json entries = Json::array();
  for (const auto& entry : found->entries)
    entries.push_back({{"id", entry.id}, {"type", entry.type == MemoryType::procedural ? "procedural" : "long_term"}, {"text", entry.text}, {"created_at", format_instant_s(entry.created)}});
  Json answer = {{"entries", std::move(entries)}};
  if (!found->by_words_alone.empty()) answer["by_words_alone"] = found->by_words_alone;
  co_return say(answer);
}

// Without a key the call's own id names it, so that the call made again after a crash keeps nothing twice.
Async<port::Outcome> MemoryTools::save(port::ToolCall call, Where where, std::stop_token stop) {
  const auto arguments = Json::parse(call.arguments);
  auto key = arguments.value("key", call.call_id);
  auto text = arguments["text"].get<std::string>();
  ground_.cleaner.clean(key);
  ground_.cleaner.clean(text);
  if (const auto unfit = unfit_for_a_name(key); !unfit.empty()) co_return refuse("\"key\" " + std::string(unfit));
  const auto type = type_of(arguments);
  const auto store = ground_.store(type == MemoryType::procedural ? where.procedural : where.long_term);
  if (!store) co_return failed(store.error());
  const auto other = ground_.store(type == MemoryType::procedural ? where.long_term : where.procedural);
  if (!other) co_return failed(other.error());
  const auto id = std::string(kSaved) + key;
  port::MemoryEntry entry;
  entry.type = type;
  entry.agent_id = call.agent_id;
  entry.id = id;
  entry.text = std::move(text);
  entry.json = Json{{"by", "agent"}, {"run", call.run_id}}.dump();
  entry.created = ground_.world.clock.now();
  auto keeping = memory::keep_instead(**store, **other, ground_.embedder(), std::move(entry), std::min(call.timeout / kTurns, kStorePatience), stop);
  const auto kept = co_await std::move(keeping);
  if (!kept) co_return failed(kept.error());
  Json answer = {{"id", id}};
  if (!kept->without_vectors.empty()) answer["by_words_alone"] = kept->without_vectors;
  co_return say(answer);
}

Async<port::Outcome> MemoryTools::forget(port::ToolCall call, Where where) {
  const auto id = Json::parse(call.arguments)["id"].get<std::string>();
  if (!id.starts_with(kSaved)) co_return refuse("\"" + id + "\" is not what this agent has saved: people forget what people or the host have kept");
  std::uint64_t removed = 0;
  std::vector<std::string> names = {where.long_term};
  if (where.procedural != where.long_term) names.push_back(where.procedural);
  for (const auto& name : names) {
    const auto store = ground_.store(name);
    if (!store) co_return failed(store.error());
    port::MemoryQuery query{.agent_id = call.agent_id, .id = id, .timeout = std::min(call.timeout / kTurns, kStorePatience)};
    const auto gone = co_await (*store)->remove(std::move(query));
    if (!gone) co_return failed(gone.error());
    removed += *gone;
  }
  co_return say({{"id", id}, {"forgotten", removed > 0}});
}

}  // namespace agentd::host
