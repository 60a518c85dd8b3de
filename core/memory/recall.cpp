#include "core/memory/recall.hpp"

#include <algorithm>

#include "core/base/json_text.hpp"

namespace agentd::memory {
namespace {

constexpr std::int64_t kBytesPerToken = 4;
constexpr std::int64_t kTokensAroundAMessage = 4;

event::Json message(std::string_view role, std::string_view content) {
  event::ObjectWriter out;
  return {out.text("role", role).raw("content", content).finish()};
}

bool is_from_user(const port::MemoryEntry& entry) {
  const auto object = event::ObjectReader::open(entry.json);
  return object && object->text("role") == "user";
}

std::unexpected<Error> unreadable(const Error& error) {
  Error wrapped{ErrorClass::retryable, "the memory store could not be used: " + error.message, error.retry_after};
  return std::unexpected(std::move(wrapped));
}

Async<Result<void>> search(port::MemoryStore* store, port::MemoryQuery query, std::vector<port::MemoryEntry>& found) {
  if (!store) co_return Result<void>{};
  auto got = co_await store->search(std::move(query));
  if (!got) co_return unreadable(got.error());
  std::ranges::move(*got, std::back_inserter(found));
  co_return Result<void>{};
}

event::Json known_message(std::vector<port::MemoryEntry> found, std::int64_t most) {
  std::ranges::sort(found, std::greater<>(), &port::MemoryEntry::score);
  if (std::cmp_greater(found.size(), most)) found.resize(static_cast<std::size_t>(most));
  std::string text = "What is known from earlier runs:";
  for (const auto& entry : found) text += "\n- " + entry.text;
  return message("system", json_string(text));
}

}  // namespace

std::int64_t estimated_tokens(std::string_view text) {
  return (static_cast<std::int64_t>(text.size()) + kBytesPerToken - 1) / kBytesPerToken + kTokensAroundAMessage;
}

std::vector<event::Json> window(std::vector<port::MemoryEntry> messages, std::int64_t window_tokens) {
  std::size_t fitting = 0;
  for (std::int64_t tokens = 0; fitting < messages.size(); ++fitting) {
    tokens += estimated_tokens(messages[fitting].json);
    if (window_tokens > 0 && tokens > window_tokens) break;
  }
  while (fitting > 0 && !is_from_user(messages[fitting - 1])) --fitting;
  std::vector<event::Json> out;
  for (std::size_t i = fitting; i-- > 0;) out.push_back({std::move(messages[i].json)});
  return out;
}

Async<Result<std::vector<event::Json>>> recall(Stores stores, const manifest::Memory& how, Reader reader, std::string query) {
  std::vector<event::Json> messages;
  const Millis timeout = std::min(reader.patience, port::MemoryQuery{}.timeout);
  if (how.recall > 0 && !query.empty() && (stores.long_term || stores.procedural)) {
    std::vector<port::MemoryEntry> found;
    port::MemoryQuery wanted{.type = port::MemoryType::long_term, .agent_id = reader.agent_id, .text = query, .limit = static_cast<std::size_t>(how.recall),
                              .timeout = timeout};
    auto facts = co_await search(stores.long_term, wanted, found);
    if (!facts) co_return std::unexpected(facts.error());
    wanted.type = port::MemoryType::procedural;
    auto ways = co_await search(stores.procedural, wanted, found);
    if (!ways) co_return std::unexpected(ways.error());
    if (!found.empty()) messages.push_back(known_message(std::move(found), how.recall));
  }
  if (how.window > 0 && stores.episodic && !reader.session.empty()) {
    port::MemoryQuery wanted{.type = port::MemoryType::episodic, .agent_id = reader.agent_id, .session_id = reader.session,
                             .limit = static_cast<std::size_t>(how.window), .timeout = timeout};
    auto past = co_await stores.episodic->list(std::move(wanted));
    if (!past) co_return unreadable(past.error());
    std::ranges::move(window(std::move(*past), how.window_tokens), std::back_inserter(messages));
  }
  co_return messages;
}

Async<Result<void>> remember(Stores stores, Reader writer, RunId run, std::string query, event::Json answer, Instant now) {
  if (!stores.episodic || writer.session.empty()) co_return Result<void>{};
  const auto name = to_text(run);
  std::vector<port::MemoryEntry> entries(2);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& entry = entries[i];
    entry.agent_id = writer.agent_id;
    entry.session_id = writer.session;
    entry.id = name + '/' + std::to_string(i);
    entry.created = now;
  }
  entries[0].json = message("user", json_string(query)).text;
  entries[0].text = std::move(query);
  entries[1].json = message("assistant", answer.text).text;
  entries[1].text = event::string_value(answer.text).value_or(answer.text);
  auto kept = co_await stores.episodic->put(std::move(entries), writer.patience);
  if (!kept) co_return unreadable(kept.error());
  co_return Result<void>{};
}

}  // namespace agentd::memory
