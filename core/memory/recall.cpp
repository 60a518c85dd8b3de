#include "core/memory/recall.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/json_text.hpp"
#include "core/memory/search.hpp"

namespace agentd::memory {
namespace {

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

event::Json known_message(const std::vector<port::MemoryEntry>& found) {
  std::string text = "What is known from earlier runs:";
  for (const auto& entry : found) text += "\n- " + entry.text;
  return message("system", json_string(text));
}

}  // namespace

std::int64_t estimated_tokens(std::string_view text, double bytes_per_token) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(text.size()) / bytes_per_token)) + kTokensAroundAMessage;
}

std::vector<event::Json> window(std::vector<port::MemoryEntry> messages, std::int64_t window_tokens, double bytes_per_token) {
  std::size_t fitting = 0;
  for (std::int64_t tokens = 0; fitting < messages.size(); ++fitting) {
    tokens += estimated_tokens(messages[fitting].json, bytes_per_token);
    if (window_tokens > 0 && tokens > window_tokens) break;
  }
  while (fitting > 0 && !is_from_user(messages[fitting - 1])) --fitting;
  std::vector<event::Json> out;
  for (std::size_t i = fitting; i-- > 0;) out.push_back({std::move(messages[i].json)});
  return out;
}

Async<Result<Recalled>> recall(Stores stores, const manifest::Memory& how, Reader reader, std::string query) {
  Recalled out;
  const Millis timeout = std::min(reader.patience, port::MemoryQuery{}.timeout);
  std::vector<Place> places;
  if (stores.long_term) places.push_back({stores.long_term, port::MemoryType::long_term});
  if (stores.procedural) places.push_back({stores.procedural, port::MemoryType::procedural});
  if (how.recall > 0 && !query.empty() && !places.empty()) {
    Wish wish{.agent_id = reader.agent_id, .session_id = {}, .text = query, .most = static_cast<std::size_t>(how.recall), .timeout = timeout, .stop = reader.stop};
    auto searching = search(std::move(places), stores.embedder, std::move(wish));
    auto found = co_await std::move(searching);
    if (!found) co_return unreadable(found.error());
    if (!found->entries.empty()) out.messages.push_back(known_message(found->entries));
    if (stores.embedder && (found->requests > 0 || !found->by_words_alone.empty()))
      out.embedding = event::Embedding{stores.embedder->provider(), stores.embedder->space(), found->requests, found->tokens, found->cost, std::move(found->by_words_alone)};
  }
  if (how.window > 0 && stores.episodic && !reader.session.empty()) {
    port::MemoryQuery wanted{.type = port::MemoryType::episodic, .agent_id = reader.agent_id, .session_id = reader.session,
                             .limit = static_cast<std::size_t>(how.window), .timeout = timeout};
    auto past = co_await stores.episodic->list(std::move(wanted));
    if (!past) co_return unreadable(past.error());
    std::ranges::move(window(std::move(*past), how.window_tokens, reader.bytes_per_token), std::back_inserter(out.messages));
  }
  co_return out;
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
