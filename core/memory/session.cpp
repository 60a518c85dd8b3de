#include "core/memory/session.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>

#include "core/base/json_text.hpp"

namespace agentd::memory {
namespace {

constexpr std::int64_t kTokensAroundAMessage = 4;
constexpr std::size_t kLongestSummary = 16 << 10;
constexpr std::size_t kLongestMessage = 8 << 10;   // of the material; whole it stays in the ledger
constexpr std::size_t kMostMaterial = 64 << 10;    // what is left goes into the next summary
constexpr std::size_t kMostMessages = 2000;        // likewise
constexpr std::size_t kPage = 200;
constexpr std::size_t kMostAtOnce = 10'000;        // that a store gives
constexpr std::size_t kFarthestBack = 1000;        // messages, or two windows: who turns summaries on after years begins here
constexpr std::size_t kAroundAMessage = 64;        // bytes: its role, and that it is shortened
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

// What a message takes of the window's tokens; of a long one no more than half of them is shown.
std::int64_t weight(const port::MemoryEntry& entry, std::int64_t window_tokens, double bytes_per_token) {
  const auto tokens = estimated_tokens(entry.json, bytes_per_token);
  return window_tokens > 0 ? std::min(tokens, std::max<std::int64_t>(1, window_tokens / 2)) : tokens;
}

// How many of the newest, as far as the tokens go: of a window, and of the `waiting` newest twice as far.
struct Bounds {
  std::size_t most = 0;
  std::int64_t window_tokens = 0, tokens = 0;
  double bytes_per_token = TokenRate::kUsual;
  std::size_t waiting = 0;
};

// From a message of the user's on.
std::size_t fitting(const std::vector<port::MemoryEntry>& messages, const Bounds& bounds) {
  std::size_t count = 0;
  for (std::int64_t taken = 0; count < std::min(bounds.most, messages.size()); ++count) {
    taken += weight(messages[count], bounds.window_tokens, bounds.bytes_per_token);
    if (bounds.window_tokens > 0 && taken > (count < bounds.waiting ? 2 : 1) * bounds.tokens) break;
  }
  while (count > 0 && !is_from_user(messages[count - 1])) --count;
  return count;
}

// With one more exchange like the last one, what waits is more than the window.
class Wait {
 public:
  Wait(const manifest::Memory& how, double bytes_per_token) : how_(how), bytes_per_token_(bytes_per_token) {}
  void add(const port::MemoryEntry& entry) {  // newest first
    const auto tokens = weight(entry, how_.window_tokens, bytes_per_token_);
    if (count_++ < kExchange) coming_ += tokens;
    tokens_ += tokens;
  }
  std::size_t count() const { return count_; }
  bool is_over() const {
    return count_ > 0 && (count_ + kExchange > static_cast<std::size_t>(how_.window) || (how_.window_tokens > 0 && tokens_ + coming_ > how_.window_tokens));
  }

 private:
  static constexpr std::size_t kExchange = 2;
  const manifest::Memory& how_;
  const double bytes_per_token_;
  std::size_t count_ = 0;
  std::int64_t tokens_ = 0, coming_ = 0;
};

std::string shortened(std::string_view text, std::size_t most) {
  std::string clipped(clip_utf8(text, most));
  if (clipped.size() < text.size()) clipped += " [shortened: it had " + std::to_string(text.size()) + " bytes]";
  return clipped;
}

// For the conversation.
event::Json shown(port::MemoryEntry entry, std::int64_t window_tokens, double bytes_per_token) {
  if (window_tokens <= 0 || estimated_tokens(entry.json, bytes_per_token) <= weight(entry, window_tokens, bytes_per_token)) return {std::move(entry.json)};
  const auto most = static_cast<std::size_t>(static_cast<double>(window_tokens / 2) * bytes_per_token);
  return {event::ObjectWriter().text("role", is_from_user(entry) ? "user" : "assistant").text("content", shortened(entry.text, std::max(most, kAroundAMessage) - kAroundAMessage)).finish()};
}

std::vector<event::Json> take(std::vector<port::MemoryEntry> messages, const Bounds& bounds) {
  std::vector<event::Json> out;
  for (std::size_t i = fitting(messages, bounds); i-- > 0;) out.push_back(shown(std::move(messages[i]), bounds.window_tokens, bounds.bytes_per_token));
  return out;
}

std::string line_of(const port::MemoryEntry& entry) {
  return (is_from_user(entry) ? "[user] " : "[assistant] ") + shortened(entry.text, kLongestMessage) + "\n";
}

// Newest first.
Async<Result<std::vector<port::MemoryEntry>>> newest(port::MemoryStore& store, const Reader& reader, std::size_t most) {
  std::vector<port::MemoryEntry> all;
  auto query = query_for(reader);
  while (all.size() < most) {
    query.limit = std::min(most - all.size(), kMostAtOnce);
    auto page = co_await store.list(query);
    if (!page) co_return std::unexpected(std::move(page.error()));
    const bool is_last = page->size() < query.limit;
    std::ranges::move(*page, std::back_inserter(all));
    if (is_last) break;
    query.before = all.back().position;
  }
  co_return all;
}

// What was summarized long ago, up to a position.
Async<Result<void>> give_up(port::MemoryStore& store, Reader writer, std::uint64_t until) {
  auto query = query_for(writer);
  query.before = until + 1;
  query.limit = kPage;
  for (bool more = true; more;) {
    const auto old = co_await store.list(query);
    if (!old) co_return std::unexpected(old.error());
    for (const auto& entry : *old) {
      auto one = query_for(writer);
      one.id = entry.id;
      const auto removed = co_await store.remove(std::move(one));
      if (!removed) co_return std::unexpected(removed.error());
    }
    more = old->size() == kPage;
  }
  co_return Result<void>{};
}

}  // namespace

std::int64_t estimated_tokens(std::string_view text, double bytes_per_token) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(text.size()) / bytes_per_token)) + kTokensAroundAMessage;
}

std::vector<event::Json> window(std::vector<port::MemoryEntry> messages, std::int64_t window_tokens, double bytes_per_token) {
  const auto most = messages.size();
  return take(std::move(messages), {most, window_tokens, window_tokens, bytes_per_token});
}

Async<Result<Past>> read_session(port::MemoryStore& store, const manifest::Memory& how, const Reader& reader) {
  const auto most = static_cast<std::size_t>(how.window);
  auto reading = newest(store, reader, how.summarize ? 2 * most : most);
  auto messages = co_await std::move(reading);
  if (!messages) co_return std::unexpected(std::move(messages.error()));
  Past past;
  Bounds bounds{most, how.window_tokens, how.window_tokens, reader.bytes_per_token};
  Wait all(how, reader.bytes_per_token);
  for (const auto& entry : *messages) all.add(entry);
  const bool is_whole = !all.is_over() && most <= kSteps;  // nothing has been given up, so that no summary says more
  if (!how.summarize || is_whole) {
    past.messages = take(std::move(*messages), bounds);
    co_return past;
  }
  auto finding = find_summary(store, reader);
  auto found = co_await std::move(finding);
  if (!found) co_return std::unexpected(std::move(found.error()));
  const auto summary = std::move(*found);
  Wait wait(how, reader.bytes_per_token);
  for (const auto& entry : *messages)
    if (!summary || entry.position > summary->until) wait.add(entry);
  bounds.most = std::max(most, wait.count());
  bounds.waiting = wait.count();
  past.summary_due = wait.is_over();
  if (summary) past.messages.push_back({event::ObjectWriter().text("role", "system").text("content", "Summary of the earlier conversation:\n" + summary->text).finish()});
  std::ranges::move(take(std::move(*messages), bounds), std::back_inserter(past.messages));
  co_return past;
}

Async<Result<Unsummarized>> unsummarized(port::MemoryStore& store, const manifest::Memory& how, const Reader& reader) {
  auto finding = find_summary(store, reader);
  auto summary = co_await std::move(finding);
  if (!summary) co_return std::unexpected(std::move(summary.error()));
  const auto until = *summary ? (*summary)->until : 0;
  const auto half = static_cast<std::size_t>(how.window) / 2;
  auto reading = newest(store, reader, half);
  auto recent = co_await std::move(reading);
  if (!recent) co_return std::unexpected(std::move(recent.error()));
  std::erase_if(*recent, [&](const auto& entry) { return entry.position <= until; });
  recent->resize(fitting(*recent, {half, how.window_tokens, how.window_tokens / 2, reader.bytes_per_token}));
  Wait wait(how, reader.bytes_per_token);
  for (const auto& entry : *recent) wait.add(entry);
  std::deque<port::MemoryEntry> oldest;  // newest first; no more than are taken at a time
  auto query = query_for(reader);
  if (!recent->empty()) query.before = recent->back().position;
  query.limit = kPage;
  for (bool more = true; more;) {
    auto page = co_await store.list(query);
    if (!page) co_return std::unexpected(std::move(page.error()));
    more = page->size() == kPage && page->back().position > until && (until > 0 || wait.count() < std::max(kFarthestBack, 4 * half));
    if (!page->empty()) query.before = page->back().position;
    for (auto& entry : *page) {
      if (entry.position <= until) break;
      wait.add(entry);
      oldest.push_back(std::move(entry));
    }
    if (oldest.size() > kMostMessages) oldest.erase(oldest.begin(), oldest.end() - kMostMessages);
  }
  Unsummarized out;
  if (!wait.is_over() || oldest.empty()) co_return out;
  std::string said;
  std::size_t taken = 0;
  for (auto entry = oldest.rbegin(); entry != oldest.rend(); ++entry, ++taken) {
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
