#include "core/memory/lessons.hpp"

#include <algorithm>
#include <set>

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
constexpr std::size_t kFarthest = 2 * kMostKept;      // of a type, so many of the newest are looked through
constexpr double kSameWords = 0.9;                    // shared words to all words
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

bool is_learned(const port::MemoryEntry& entry) { return entry.id.starts_with(kLearned); }

std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_upper = byte >= 'A' && byte <= 'Z';
    if (is_upper || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80) word += is_upper ? static_cast<char>(byte + 32) : c;
    else if (!word.empty()) words.insert(std::exchange(word, {}));
  }
  if (!word.empty()) words.insert(std::move(word));
  return words;
}

// What numbers and identifiers differ in is never the same.
bool has_same_numbers(std::string_view a, std::string_view b) {
  auto left = words_of(a), right = words_of(b);
  const auto is_plain = [](const std::string& word) { return std::ranges::none_of(word, [](char c) { return c >= '0' && c <= '9'; }); };
  std::erase_if(left, is_plain);
  std::erase_if(right, is_plain);
  return left == right;
}

bool has_same_words(std::string_view a, std::string_view b) {
  const auto left = words_of(a), right = words_of(b);
  std::size_t shared = 0;
  for (const auto& word : left) shared += right.count(word);
  const auto all = left.size() + right.size() - shared;
  return all == 0 ? a == b : static_cast<double>(shared) >= kSameWords * static_cast<double>(all);
}

class Learning {
 public:
  Learning(port::MemoryStore& store, Embedder* embedder, const Learner& learner, MemoryType type) : store_(store), embedder_(embedder), learner_(learner), type_(type) {}

  Async<Result<void>> learn(std::vector<std::string> texts) {
    port::MemoryQuery query{.type = type_, .agent_id = learner_.agent_id, .limit = kFarthest, .timeout = learner_.timeout};
    auto listed = co_await store_.list(std::move(query));
    if (!listed) co_return std::unexpected(std::move(listed.error()));
    all_ = std::move(*listed);
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
  Async<Result<void>> count_uses() {
    for (auto& entry : all_) {
      if (!is_learned(entry) || std::ranges::find(learner_.known, entry.id) == learner_.known.end()) continue;
      auto account = account_of(entry);
      if (account.used_by == learner_.run) continue;  // counted, before a crash
      ++account.uses;
      account.used_by = learner_.run;
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
      all_.push_back(fresh);
      co_return co_await put(all_.back(), account);
    }
    auto& known = **same;
    if (!is_learned(known)) co_return Result<void>{};
    auto account = account_of(known);
    if (account.learned_of != learner_.run) ++account.learned;
    account.learned_of = learner_.run;
    known.text = std::move(text);
    known.created = learner_.now;
    co_return co_await put(known, account);
  }

  Async<Result<port::MemoryEntry*>> find_same(std::string_view text) {
    for (auto& entry : all_)
      if (has_same_words(entry.text, text) && has_same_numbers(entry.text, text)) co_return &entry;
    if (!embedder_ || !store_.has_vectors()) co_return nullptr;
    std::vector<std::string> texts = {std::string(text)};
    auto embedding = embedder_->embed(learner_.agent_id, std::move(texts), learner_.timeout, learner_.stop);
    auto embedded = co_await std::move(embedding);
    if (!embedded) co_return nullptr;  // by words alone, then: the embedder's owner is told
    port::MemoryQuery query{.type = type_, .agent_id = learner_.agent_id, .limit = 1, .vector = std::move(embedded->vectors.front()), .space = embedder_->space(), .timeout = learner_.timeout};
    auto nearest = co_await store_.search(std::move(query));
    if (!nearest && nearest.error().error_class == ErrorClass::retryable) co_return std::unexpected(std::move(nearest.error()));
    if (!nearest || nearest->empty() || nearest->front().score < kSameMeaning || !has_same_numbers(nearest->front().text, text)) co_return nullptr;
    const auto known = std::ranges::find(all_, nearest->front().id, &port::MemoryEntry::id);
    if (known != all_.end()) co_return &*known;
    all_.push_back(std::move(nearest->front()));
    co_return &all_.back();
  }

  Async<Result<void>> put(port::MemoryEntry& entry, const Account& account) {
    entry.json = as_json(account);
    std::vector<port::MemoryEntry> entries = {entry};
    auto keeping = keep(store_, embedder_, std::move(entries), learner_.timeout, learner_.stop);
    const auto kept = co_await std::move(keeping);
    if (!kept) co_return std::unexpected(kept.error());
    co_return Result<void>{};
  }

  Async<Result<void>> age_out() {
    std::erase_if(all_, [](const auto& entry) { return !is_learned(entry); });
    if (all_.size() <= kMostKept) co_return Result<void>{};
    std::ranges::sort(all_, std::greater(), &port::MemoryEntry::created);
    std::vector<std::pair<std::int64_t, std::size_t>> by_use;
    for (std::size_t i = kNewest; i < all_.size(); ++i) by_use.emplace_back(account_of(all_[i]).uses, all_.size() - i);
    std::ranges::sort(by_use);  // the least used first, of them the oldest
    by_use.resize(all_.size() - kMostKept);
    for (const auto& [uses, from_the_end] : by_use) {
      port::MemoryQuery query{.type = type_, .agent_id = learner_.agent_id, .id = all_[all_.size() - from_the_end].id, .timeout = learner_.timeout};
      const auto removed = co_await store_.remove(std::move(query));
      if (!removed) co_return std::unexpected(removed.error());
    }
    co_return Result<void>{};
  }

  port::MemoryStore& store_;
  Embedder* embedder_;
  const Learner& learner_;
  const MemoryType type_;
  std::vector<port::MemoryEntry> all_;
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
