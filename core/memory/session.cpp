#include "core/memory/session.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/json_text.hpp"

namespace agentd::memory {
namespace {

constexpr std::int64_t kTokensAroundAMessage = 4;
constexpr std::size_t kLongestSummary = 16 << 10;
constexpr std::size_t kLongestMessage = 8 << 10;   // of the material; whole it stays in the ledger
constexpr std::size_t kMostMaterial = 64 << 10;    // what is left goes into the next summary
constexpr std::size_t kPage = 200;
constexpr std::size_t kFarthestBack = 1000;        // messages: who turns summaries on after years begins here
constexpr std::size_t kSteps = 100;                // summaries, before messages are given up

// Beside the session, in one of its own: a page of messages holds messages alone.
std::string summary_of(const std::string& session) { return "summary/" + session; }

bool is_from_user(const port::MemoryEntry& entry) {
  const auto object = event::ObjectReader::open(entry.json);
  return object && object->text("role") == "user";
}

std::optional<Summary> read(const port::MemoryEntry& entry) {
  const auto object = event::ObjectReader::open(entry.json);
  if (!object) return std::nullopt;
  Summary summary{.text = entry.text, .until = static_cast<std::uint64_t>(object->number("until", 0)), .steps = {}};
  const auto steps = event::array_elements(object->raw("steps"));
  for (const auto step : steps.value_or(std::vector<std::string_view>())) std::from_chars(step.data(), step.data() + step.size(), summary.steps.emplace_back());
  return summary;
}

std::string as_json(const Summary& summary) {
  std::string steps;
  for (const auto step : summary.steps) steps += (steps.empty() ? "" : ",") + std::to_string(step);
  event::ObjectWriter out;
  return out.number("until", static_cast<std::int64_t>(summary.until)).raw("steps", "[" + steps + "]").finish();
}

port::MemoryQuery query_for(const Reader& reader) {
  return {.type = port::MemoryType::episodic, .agent_id = reader.agent_id, .session_id = reader.session, .timeout = reader.timeout()};
}

Async<Result<std::optional<Summary>>> find_summary(port::MemoryStore& store, const Reader& reader) {
  auto query = query_for(reader);
  query.session_id = summary_of(reader.session);
  query.limit = 1;
  auto found = co_await store.list(std::move(query));
  if (!found) co_return std::unexpected(std::move(found.error()));
  if (found->empty() || found->front().id != summary_of(reader.session)) co_return std::nullopt;  // a session may be named like one
  co_return read(found->front());
}

// How many of the newest make the window: as many as fit, from a message of the user's on.
std::size_t fitting(const std::vector<port::MemoryEntry>& messages, std::size_t most, std::int64_t window_tokens, double bytes_per_token) {
  std::size_t count = 0;
  for (std::int64_t tokens = 0; count < std::min(most, messages.size()); ++count) {
    tokens += estimated_tokens(messages[count].json, bytes_per_token);
    if (window_tokens > 0 && tokens > window_tokens) break;
  }
  while (count > 0 && !is_from_user(messages[count - 1])) --count;
  return count;
}

std::size_t newer_than(const std::vector<port::MemoryEntry>& messages, std::uint64_t position) {
  return static_cast<std::size_t>(std::ranges::count_if(messages, [&](const auto& entry) { return entry.position > position; }));
}

std::string line_of(const port::MemoryEntry& entry) {
  std::string text(clip_utf8(entry.text, kLongestMessage));
  if (text.size() < entry.text.size()) text += " [shortened: it had " + std::to_string(entry.text.size()) + " bytes]";
  return (is_from_user(entry) ? "[user] " : "[assistant] ") + text + "\n";
}

// What was summarized long ago, up to a position.
Async<Result<void>> give_up(port::MemoryStore& store, Reader writer, std::uint64_t until) {
  auto query = query_for(writer);
  query.before = until + 1;
  query.limit = kPage;
  const auto old = co_await store.list(query);
  if (!old) co_return std::unexpected(old.error());
  for (const auto& entry : *old) {
    auto one = query_for(writer);
    one.id = entry.id;
    const auto removed = co_await store.remove(std::move(one));
    if (!removed) co_return std::unexpected(removed.error());
  }
  co_return Result<void>{};
}

}  // namespace

std::int64_t estimated_tokens(std::string_view text, double bytes_per_token) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(text.size()) / bytes_per_token)) + kTokensAroundAMessage;
}

std::vector<event::Json> window(std::vector<port::MemoryEntry> messages, std::int64_t window_tokens, double bytes_per_token) {
  std::vector<event::Json> out;
  for (std::size_t i = fitting(messages, messages.size(), window_tokens, bytes_per_token); i-- > 0;) out.push_back({std::move(messages[i].json)});
  return out;
}

Async<Result<Past>> read_session(port::MemoryStore& store, const manifest::Memory& how, const Reader& reader) {
  const auto most = static_cast<std::size_t>(how.window);
  auto query = query_for(reader);
  query.limit = std::min<std::size_t>(how.summarize ? 2 * most : most, 10'000);  // as many as a store gives at once
  auto messages = co_await store.list(std::move(query));
  if (!messages) co_return std::unexpected(std::move(messages.error()));
  Past past;
  const auto in_window = fitting(*messages, most, how.window_tokens, reader.bytes_per_token);
  const bool is_whole = messages->size() < most && in_window == messages->size() && most <= kSteps;  // nothing has been given up, so that no summary says more
  if (!how.summarize || is_whole) {
    past.messages = window(std::move(*messages), how.window_tokens, reader.bytes_per_token);
    co_return past;
  }
  auto finding = find_summary(store, reader);
  auto found = co_await std::move(finding);
  if (!found) co_return std::unexpected(std::move(found.error()));
  const auto summary = std::move(*found);
  const auto waiting = newer_than(*messages, summary ? summary->until : 0);
  messages->resize(std::min(messages->size(), std::max(most, std::min(waiting, 2 * most))));
  auto shown = window(std::move(*messages), how.window_tokens, reader.bytes_per_token);
  past.summary_due = waiting > shown.size() || waiting + 2 > in_window + std::max<std::size_t>(2, most / 2);
  if (summary) past.messages.push_back({event::ObjectWriter().text("role", "system").text("content", "Summary of the earlier conversation:\n" + summary->text).finish()});
  std::ranges::move(shown, std::back_inserter(past.messages));
  co_return past;
}

Async<Result<Unsummarized>> unsummarized(port::MemoryStore& store, const manifest::Memory& how, const Reader& reader) {
  auto finding = find_summary(store, reader);
  auto summary = co_await std::move(finding);
  if (!summary) co_return std::unexpected(std::move(summary.error()));
  const auto until = *summary ? (*summary)->until : 0;
  std::vector<port::MemoryEntry> messages;
  auto query = query_for(reader);
  query.limit = kPage;
  while (messages.size() < kFarthestBack) {
    auto page = co_await store.list(query);
    if (!page) co_return std::unexpected(std::move(page.error()));
    const bool is_last = page->size() < kPage || page->back().position <= until;
    if (!page->empty()) query.before = page->back().position;
    std::erase_if(*page, [&](const auto& entry) { return entry.position <= until; });
    std::ranges::move(*page, std::back_inserter(messages));
    if (is_last) break;
  }
  const auto in_window = fitting(messages, static_cast<std::size_t>(how.window), how.window_tokens, reader.bytes_per_token);
  messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(in_window));
  Unsummarized out;
  if (messages.empty()) co_return out;
  std::string said;
  std::size_t taken = 0;
  for (auto entry = messages.rbegin(); entry != messages.rend(); ++entry, ++taken) {
    auto line = line_of(*entry);
    if (taken > 0 && said.size() + line.size() > kMostMaterial && is_from_user(*entry)) break;  // what follows begins with a user's message
    said += line;
    out.until = entry->position;
  }
  out.material = "Summary so far:\n" + (*summary ? (*summary)->text : std::string("(there is none)")) + "\n\nWhat was said after it, oldest first:\n" + said;
  co_return out;
}

Async<Result<void>> keep_summary(port::MemoryStore& store, const Reader& writer, std::string text, std::uint64_t until, Instant now) {
  auto finding = find_summary(store, writer);
  auto before = co_await std::move(finding);
  if (!before) co_return std::unexpected(std::move(before.error()));
  if (*before && (*before)->until >= until) co_return Result<void>{};  // somebody has summarized more meanwhile
  Summary summary{.text = std::string(clip_utf8(text, kLongestSummary)), .until = until, .steps = *before ? std::move((*before)->steps) : std::vector<std::uint64_t>()};
  summary.steps.push_back(until);
  std::uint64_t given_up = 0;
  if (summary.steps.size() > kSteps) {
    given_up = summary.steps[summary.steps.size() - kSteps - 1];
    summary.steps.erase(summary.steps.begin(), summary.steps.end() - kSteps);
  }
  std::vector<port::MemoryEntry> entries = {{.agent_id = writer.agent_id, .session_id = summary_of(writer.session), .id = summary_of(writer.session), .text = summary.text, .json = as_json(summary), .created = now}};
  auto kept = co_await store.put(std::move(entries), writer.patience);
  if (!kept || given_up == 0) co_return kept;
  co_return co_await give_up(store, writer, given_up);
}

}  // namespace agentd::memory
