#include "core/memory/lessons.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>

#include "core/base/json_text.hpp"
#include "core/event/json_fields.hpp"
#include "core/memory/keep.hpp"

namespace agentd::memory {
namespace {

using port::MemoryType;

constexpr std::string_view kLearned = "learned:";     // what ids begin with
constexpr std::size_t kMostLessons = 10;              // of a run
constexpr std::size_t kLongestLesson = 2 << 10;
constexpr std::size_t kMostKept = 1000, kNewest = 100;
constexpr std::size_t kAtOnce = 1000;                 // of what a store lists
constexpr double kSameMeaning = 0.95;                 // cosine: what is told apart by a name alone is not far below

std::string_view name_of(MemoryType type) { return type == MemoryType::procedural ? "procedural" : "long_term"; }

// A learned memory's own account, kept with it.
struct Account {
  std::string run;               // that it was first learned of
  std::int64_t uses = 0;         // runs that were given it
  std::string used_by;           // the last of them
  std::int64_t learned = 1;      // runs that it was learned of
  std::string learned_of;        // the last of them
};

Account account_of(const port::MemoryEntry& entry) {
  Account account;
  const auto object = event::ObjectReader::open(entry.json);
  if (!object) return account;
  account.run = object->text("run");
  account.uses = object->number("uses", 0);
  account.used_by = object->text("used_by");
  account.learned = object->number("learned", 1);
  account.learned_of = object->text("learned_of");
  return account;
}

std::string as_json(const Account& account) {
  event::ObjectWriter out;
  return out.text("by", "learning").text("run", account.run).number("uses", account.uses).text("used_by", account.used_by).number("learned", account.learned).text("learned_of", account.learned_of).finish();
}

// Grows with each run, whatever a clock says.
Position last_learned(const port::MemoryEntry& entry) { return parse_run_id(account_of(entry).learned_of).value_or(RunId()).position; }

bool is_learned(const port::MemoryEntry& entry) { return entry.id.starts_with(kLearned); }

// What a text is compared by.
struct Words {
  std::string all;                   // in lower case, a space between two; the text itself where it has none
  std::vector<std::string> numbers;  // those with a digit in them, sorted, each once
};

Words words_of(std::string_view text) {
  Words words;
  std::string word;
  bool has_digit = false;
  const auto end = [&] {
    (words.all += words.all.empty() ? "" : " ") += word;
    if (has_digit) words.numbers.push_back(word);
    word.clear();
    has_digit = false;
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_upper = byte >= 'A' && byte <= 'Z', is_digit = byte >= '0' && byte <= '9';
    has_digit |= is_digit;
    if (is_upper || is_digit || (byte >= 'a' && byte <= 'z') || byte >= 0x80) word += is_upper ? static_cast<char>(byte + 32) : c;
    else if (!word.empty()) end();
  }
  if (!word.empty()) end();
  std::ranges::sort(words.numbers);
  words.numbers.erase(std::ranges::unique(words.numbers).begin(), words.numbers.end());
  if (words.all.empty()) words.all = text;
  return words;
}

std::size_t hash_of(const Words& words) { return std::hash<std::string>()(words.all); }

// What numbers and identifiers differ in is never the same.
bool may_be_same(std::string_view a, std::string_view b) { return words_of(a).numbers == words_of(b).numbers; }

class Learning {
 public:
  Learning(port::MemoryStore& store, Embedder* embedder, const Learner& learner, MemoryType type) : store_(store), embedder_(embedder), learner_(learner), type_(type) {}

  Async<Result<void>> learn(std::vector<std::string> texts) {
    auto reading = read();
    auto read = co_await std::move(reading);
    if (!read) co_return read;
    auto counted = co_await count_uses();
    if (!counted) co_return counted;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      auto taking = take(std::move(texts[i]), i);
      auto taken = co_await std::move(taking);
      if (!taken) co_return taken;
    }
    co_return co_await age_out();
  }

 private:
  struct Known {
    port::MemoryEntry entry;  // of what was not learned no more than what names it
    std::optional<std::size_t> words;  // hashed; of one that is longer than any lesson: none
  };

  Known& add(port::MemoryEntry entry) {
    std::optional<std::size_t> words;
    if (entry.text.size() <= kLongestLesson) words = hash_of(words_of(entry.text));
    if (!is_learned(entry)) entry.text.clear(), entry.json.clear();
    return all_.emplace_back(std::move(entry), words);
  }

  Async<Result<void>> read() {
    for (std::uint64_t before = 0;;) {
      port::MemoryQuery query{.type = type_, .agent_id = learner_.agent_id, .before = before, .limit = kAtOnce, .timeout = learner_.timeout};
      auto listed = co_await store_.list(std::move(query));
      if (!listed) co_return std::unexpected(std::move(listed.error()));
      if (learner_.stop.stop_requested()) co_return fail(ErrorClass::retryable, "it was stopped");
      if (listed->empty()) co_return Result<void>{};
      before = listed->back().position;
      const bool is_last = listed->size() < kAtOnce;
      for (auto& entry : *listed) add(std::move(entry));
      if (is_last) co_return Result<void>{};
    }
  }

  // Nobody has forgotten it meanwhile.
  Async<Result<bool>> is_there(const port::MemoryEntry& entry) {
    if (entry.position == 0) co_return true;  // of this very learning
    port::MemoryQuery query{.type = type_, .agent_id = learner_.agent_id, .before = entry.position + 1, .limit = 1, .timeout = learner_.timeout};
    const auto found = co_await store_.list(std::move(query));
    if (!found) co_return std::unexpected(found.error());
    co_return !found->empty() && found->front().id == entry.id;
  }

  // To put it again is to give its vector again.
  Async<bool> can_embed(const port::MemoryEntry& entry) {
    if (!embedder_ || !store_.has_vectors()) co_return true;
    std::vector<std::string> texts = {entry.text};
    auto embedding = embedder_->embed(learner_.agent_id, std::move(texts), learner_.timeout, learner_.stop);
    const auto embedded = co_await std::move(embedding);
    co_return embedded.has_value();
  }

  Async<Result<void>> count_uses() {
    for (auto& [entry, words] : all_) {
      if (!is_learned(entry) || std::ranges::find(learner_.known, entry.id) == learner_.known.end()) continue;
      auto account = account_of(entry);
      if (account.used_by == learner_.run) continue;  // counted, before a crash
      ++account.uses;
      account.used_by = learner_.run;
      if (!co_await can_embed(entry)) continue;  // one use less is less of a loss
      auto kept = co_await put(entry, account);
      if (!kept) co_return kept;
    }
    co_return Result<void>{};
  }

  Async<Result<void>> take(std::string text, std::size_t index) {
    auto seeking = find_same(text);
    const auto same = co_await std::move(seeking);
    if (!same) co_return std::unexpected(same.error());
    if (!*same) {
      port::MemoryEntry fresh{.type = type_, .agent_id = learner_.agent_id, .id = std::string(kLearned) + learner_.run + '/' + std::string(name_of(type_)) + '/' + std::to_string(index), .text = std::move(text), .created = learner_.now};
      const Account account{.run = learner_.run, .learned_of = learner_.run};
      co_return co_await put(add(std::move(fresh)).entry, account);
    }
    auto& known = (*same)->entry;
    if (!is_learned(known)) co_return Result<void>{};
    auto account = account_of(known);
    if (account.learned_of != learner_.run) ++account.learned;
    account.learned_of = learner_.run;
    (*same)->words = hash_of(words_of(text));
    known.text = std::move(text);
    known.created = learner_.now;
    co_return co_await put(known, account);
  }

  Async<Result<Known*>> find_same(std::string_view text) {
    const auto words = hash_of(words_of(text));
    const auto same = std::ranges::find(all_, std::optional(words), &Known::words);
    if (same != all_.end()) co_return &*same;
    if (!embedder_ || !store_.has_vectors()) co_return nullptr;
    std::vector<std::string> texts = {std::string(text)};
    auto embedding = embedder_->embed(learner_.agent_id, std::move(texts), learner_.timeout, learner_.stop);
    auto embedded = co_await std::move(embedding);
    if (!embedded && learner_.stop.stop_requested()) co_return fail(ErrorClass::retryable, "it was stopped");
    if (!embedded) co_return nullptr;  // by words alone, then: the embedder's owner is told
    port::MemoryQuery query{.type = type_, .agent_id = learner_.agent_id, .limit = 1, .vector = std::move(embedded->vectors.front()), .space = embedder_->space(), .timeout = learner_.timeout};
    auto nearest = co_await store_.search(std::move(query));
    if (!nearest && nearest.error().error_class == ErrorClass::retryable) co_return std::unexpected(std::move(nearest.error()));
    if (!nearest || nearest->empty() || nearest->front().score < kSameMeaning || nearest->front().text.size() > kLongestLesson) co_return nullptr;
    if (!may_be_same(nearest->front().text, text)) co_return nullptr;
    const auto known = std::ranges::find(all_, nearest->front().id, [](const Known& one) { return one.entry.id; });
    co_return known != all_.end() ? &*known : &add(std::move(nearest->front()));
  }

  Async<Result<void>> put(port::MemoryEntry& entry, const Account& account) {
    const auto there = co_await is_there(entry);
    if (!there) co_return std::unexpected(there.error());
    if (!*there) co_return Result<void>{};
    auto asking = may_write();
    auto may = co_await std::move(asking);
    if (!may) co_return may;
    entry.json = as_json(account);
    std::vector<port::MemoryEntry> entries = {entry};
    auto keeping = keep(store_, embedder_, std::move(entries), learner_.timeout, learner_.stop);
    const auto kept = co_await std::move(keeping);
    if (!kept) co_return std::unexpected(kept.error());
    co_return Result<void>{};
  }

  Async<Result<void>> may_write() {
    if (!learner_.may_write) co_return Result<void>{};
    const bool may = co_await learner_.may_write();
    if (!may) co_return fail(ErrorClass::retryable, "it was stopped");
    co_return Result<void>{};
  }

  Async<Result<void>> age_out() {
    std::erase_if(all_, [](const Known& known) { return !is_learned(known.entry); });
    if (all_.size() <= kMostKept) co_return Result<void>{};
    std::ranges::sort(all_, std::greater(), [](const Known& known) { return std::pair(last_learned(known.entry), known.entry.position); });
    std::vector<std::pair<std::int64_t, std::size_t>> by_use;
    for (std::size_t i = kNewest; i < all_.size(); ++i) by_use.emplace_back(account_of(all_[i].entry).uses, all_.size() - i);
    std::ranges::sort(by_use);  // the least used first, of them the oldest
    by_use.resize(all_.size() - kMostKept);
    for (const auto& [uses, from_the_end] : by_use) {
      auto asking = may_write();
      auto may = co_await std::move(asking);
      if (!may) co_return may;
      port::MemoryQuery query{.type = type_, .agent_id = learner_.agent_id, .id = all_[all_.size() - from_the_end].entry.id, .timeout = learner_.timeout};
      const auto removed = co_await store_.remove(std::move(query));
      if (!removed) co_return std::unexpected(removed.error());
    }
    co_return Result<void>{};
  }

  port::MemoryStore& store_;
  Embedder* embedder_;
  const Learner& learner_;
  const MemoryType type_;
  std::deque<Known> all_;
};

}  // namespace

std::string lessons_schema(const std::vector<std::string>& types) {
  std::string names;
  for (const auto& type : types) names += (names.empty() ? "" : ",") + json_string(type);
  return R"({"type":"object","properties":{"memories":{"type":"array","items":{"type":"object","properties":{"type":{"type":"string","enum":[)" + names +
         R"(]},"text":{"type":"string"}},"required":["type","text"],"additionalProperties":false}}},"required":["memories"],"additionalProperties":false})";
}

std::vector<Lesson> read_lessons(std::string_view json) {
  std::vector<Lesson> lessons;
  const auto object = event::ObjectReader::open(json);
  const auto memories = object ? event::array_elements(object->raw("memories")) : std::nullopt;
  for (const auto memory : memories.value_or(std::vector<std::string_view>())) {
    const auto one = event::ObjectReader::open(memory);
    if (!one || lessons.size() == kMostLessons) continue;
    const auto text = one->text("text");
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) continue;
    lessons.push_back({one->text("type") == "procedural" ? MemoryType::procedural : MemoryType::long_term, std::string(clip_utf8(text, kLongestLesson))});
  }
  return lessons;
}

Async<Result<void>> learn(Stores stores, Learner learner, std::vector<Lesson> lessons) {
  for (const auto& [type, store] : {std::pair(MemoryType::long_term, stores.long_term), std::pair(MemoryType::procedural, stores.procedural)}) {
    if (!store) continue;
    std::vector<std::string> texts;
    for (auto& lesson : lessons)
      if (lesson.type == type) texts.push_back(std::move(lesson.text));
    if (texts.empty() && learner.known.empty()) continue;
    Learning learning(*store, stores.embedder, learner, type);
    auto going = learning.learn(std::move(texts));
    auto learned = co_await std::move(going);
    if (!learned) co_return learned;
  }
  co_return Result<void>{};
}

}  // namespace agentd::memory
