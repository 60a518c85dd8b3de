#include "core/memory/lessons.hpp"

#include <gtest/gtest.h>

#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::memory {
namespace {

using port::MemoryType;

TEST(Lessons, AreReadFromWhatTheModelAnswers) {
  const auto lessons = read_lessons(R"({"memories":[{"type":"procedural","text":"first A, then B"},{"type":"long_term","text":"é"},{"type":"long_term","text":"  "}]})");
  ASSERT_EQ(lessons.size(), 2U);
  EXPECT_EQ(lessons[0].type, MemoryType::procedural);
  EXPECT_EQ(lessons[1].text, "é");
  for (const auto* nonsense : {"", "null", "[]", "{}", R"({"memories":7})", R"({"memories":[7,{"text":3}]})"}) EXPECT_TRUE(read_lessons(nonsense).empty()) << nonsense;
  EXPECT_EQ(read_lessons(R"({"memories":[{"type":"long_term","text":")" + std::string(5'000, 'x') + "\"}]}")[0].text.size(), 2048U);
}

class Learn : public testing::Test {
 protected:
  Learn() {
    store_.vectors = true;
    // A text lies where its first letter says.
    provider_.embedder = [](const port::Embedding& request) -> std::expected<port::Embedded, port::ModelError> {
      port::Embedded answer;
      for (const auto& text : request.texts) answer.vectors.push_back({text[0] == 'A' ? 1.F : 0.F, text[0] == 'A' ? 0.F : 1.F});
      return answer;
    };
  }
  void learn_now(std::string run, std::vector<std::string> texts, std::vector<std::string> known = {}, MemoryType type = MemoryType::long_term) {
    std::vector<Lesson> lessons;
    for (auto& text : texts) lessons.push_back({type, std::move(text)});
    world_.advance(Millis(1000));
    const auto learned = world_.run(learn({nullptr, &store_, &store_, embedder_in_use_}, {.agent_id = "a", .run = std::move(run), .known = std::move(known), .now = world_.now()}, std::move(lessons)));
    ASSERT_TRUE(learned) << learned.error().message;
  }
  const port::MemoryEntry* kept(std::string_view text) const {
    const auto found = std::ranges::find(store_.entries, text, &port::MemoryEntry::text);
    return found == store_.entries.end() ? nullptr : &*found;
  }
  support::VirtualWorld world_;
  support::FakeProvider provider_{world_};
  support::FakeMemory store_{world_};
  Embedder embedder_{world_.world(), provider_, {.provider = "p", .model = "m"}};
  Embedder* embedder_in_use_ = nullptr;
};

TEST_F(Learn, KeepsWhatItIsWithItsSource) {
  learn_now("r1", {"The pump is in hall B"});
  ASSERT_EQ(store_.entries.size(), 1U);
  const auto& entry = store_.entries[0];
  EXPECT_EQ(entry.id, "learned:r1/long_term/0");
  EXPECT_EQ(entry.json, R"({"by":"learning","run":"r1","uses":0,"used_by":"","learned":1,"learned_of":"r1"})");
  EXPECT_EQ(entry.created, world_.now());
}

TEST_F(Learn, AgainForTheSameRunChangesNothing) {
  learn_now("r1", {"The pump is in hall B", "Ask Ana"}, {"learned:r0/long_term/0"});
  const auto before = store_.entries;
  learn_now("r1", {"The pump is in hall B", "Ask Ana"}, {"learned:r0/long_term/0"});
  ASSERT_EQ(store_.entries.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(store_.entries[i].json, before[i].json);
}

TEST_F(Learn, TakesTheSameWordsForTheSame) {
  learn_now("r1", {"The pump is in hall B, behind the second door"});
  learn_now("r2", {"the pump is in hall B behind the second door."});
  ASSERT_EQ(store_.entries.size(), 1U);
  EXPECT_EQ(store_.entries[0].text, "the pump is in hall B behind the second door.");
  EXPECT_EQ(store_.entries[0].json, R"({"by":"learning","run":"r1","uses":0,"used_by":"","learned":2,"learned_of":"r2"})");
}

TEST_F(Learn, TakesOneOtherWordForSomethingElse) {
  const std::string rule = "Before each change of the web shop that is more than a line of text one must always ask Anna";
  auto opposite = rule;
  opposite.replace(opposite.find("always"), 6, "never");
  learn_now("r1", {rule, opposite});
  EXPECT_TRUE(kept(rule) && kept(opposite));
}

TEST_F(Learn, TakesOtherNumbersForSomethingElse) {
  embedder_in_use_ = &embedder_;
  learn_now("r1", {"A pump of hall B was made in the year 1999 and weighs ten tons in all"});
  learn_now("r2", {"A pump of hall B was made in the year 2004 and weighs ten tons in all"});
  EXPECT_EQ(store_.entries.size(), 2U);
}

TEST_F(Learn, TakesTheSameMeaningForTheSame) {
  embedder_in_use_ = &embedder_;
  learn_now("r1", {"A pump stands in the hall"});
  learn_now("r2", {"A hall is where they keep that machine", "B else"});
  ASSERT_EQ(store_.entries.size(), 2U);
  EXPECT_TRUE(kept("A hall is where they keep that machine"));
  EXPECT_EQ(store_.entries[0].vector, (std::vector<float>{1, 0}));
}

TEST_F(Learn, LeavesAloneWhatOthersWroteDown) {
  store_.entries.push_back({.type = MemoryType::long_term, .agent_id = "a", .id = "note:1", .text = "The pump is in hall B", .json = R"({"by":"ana"})"});
  learn_now("r1", {"the pump is in hall B"}, {"note:1"});
  ASSERT_EQ(store_.entries.size(), 1U);
  EXPECT_EQ(store_.entries[0].text, "The pump is in hall B");
  EXPECT_EQ(store_.entries[0].json, R"({"by":"ana"})");
}

TEST_F(Learn, CountsTheRunsThatWereGivenIt) {
  learn_now("r1", {"The pump is in hall B"});
  learn_now("r2", {}, {"learned:r1/long_term/0"});
  learn_now("r2", {}, {"learned:r1/long_term/0"});  // a crash, and once more
  EXPECT_EQ(store_.entries[0].json, R"({"by":"learning","run":"r1","uses":1,"used_by":"r2","learned":1,"learned_of":"r1"})");
}

TEST_F(Learn, CountsNoUseWhereThatWouldLoseAVector) {
  embedder_in_use_ = &embedder_;
  learn_now("r1", {"The pump is in hall B"});
  ASSERT_FALSE(store_.entries[0].vector.empty());
  Embedder fresh(world_.world(), provider_, {.provider = "p", .model = "m"});  // that knows no vector by heart
  embedder_in_use_ = &fresh;
  const auto answers = std::exchange(provider_.embedder, [](const port::Embedding&) { return std::unexpected(support::bad_request()); });
  learn_now("r2", {}, {"learned:r1/long_term/0"});
  EXPECT_FALSE(store_.entries[0].vector.empty());
  provider_.embedder = answers;
}

TEST_F(Learn, BringsNothingBackThatWasForgottenMeanwhile) {
  learn_now("r1", {"The pump is in hall B"});
  int reads = 0;
  store_.on_read = [&] {
    if (++reads == 2) store_.entries.clear();  // after what is there was listed
  };
  learn_now("r2", {"the pump is in hall B"}, {"learned:r1/long_term/0"});
  EXPECT_TRUE(store_.entries.empty());
}

TEST_F(Learn, ComparesWithWhatIsLong) {
  const std::string page(1 << 20, 'w');
  for (int i = 0; i < 50; ++i) store_.entries.push_back({.type = MemoryType::long_term, .agent_id = "a", .id = std::to_string(i), .text = page + ' ' + std::to_string(i), .json = "{}"});
  learn_now("r1", {"The pump is in hall B", "Ask Ana"});
  EXPECT_EQ(store_.entries.size(), 52U);
}

TEST_F(Learn, KnowsWhatManyOthersCameAfter) {
  learn_now("r1", {"The pump is in hall B"});
  for (int i = 0; i < 2500; ++i) store_.entries.push_back({.type = MemoryType::long_term, .agent_id = "a", .id = "note:" + std::to_string(i), .text = "note " + std::to_string(i), .json = "{}", .position = static_cast<std::uint64_t>(i + 100)});
  learn_now("r2", {"The pump is in hall B!", "note 0"});
  EXPECT_EQ(store_.entries.size(), 2501U);
  ASSERT_TRUE(kept("The pump is in hall B!"));
}

TEST_F(Learn, KeepsTypesApart) {
  learn_now("r1", {"Look into the log first"}, {}, MemoryType::procedural);
  learn_now("r2", {"Look into the log first"});
  ASSERT_EQ(store_.entries.size(), 2U);
  EXPECT_EQ(store_.entries[0].type, MemoryType::procedural);
}

TEST_F(Learn, AgesOutWhatWasOfNoUse) {
  for (int i = 0; i < 1000; ++i)
    store_.entries.push_back({.type = MemoryType::long_term, .agent_id = "a", .id = "learned:" + std::to_string(i), .text = "fact " + std::to_string(i), .json = R"({"by":"learning","run":"r0","uses":)" + std::to_string(i == 0 ? 3 : 0) + "}", .created = world_.now() + std::chrono::hours(9) + Millis(i), .position = static_cast<std::uint64_t>(i + 1)});
  store_.entries.push_back({.type = MemoryType::long_term, .agent_id = "a", .id = "note:1", .text = "a person's", .position = 1001});
  world_.advance(std::chrono::hours(1));
  learn_now(to_text(RunId{5000, 1}), {"One more", "And another"});
  EXPECT_EQ(store_.entries.size(), 1001U);
  EXPECT_TRUE(kept("fact 0"));     // of use, though the oldest
  EXPECT_FALSE(kept("fact 1"));
  EXPECT_FALSE(kept("fact 2"));
  EXPECT_TRUE(kept("fact 3"));
  EXPECT_TRUE(kept("And another"));
  EXPECT_TRUE(kept("a person's"));
}

TEST_F(Learn, WritesNothingMoreOnceItMayNot) {
  int asked = 0;
  const auto may_write = [&asked]() -> Async<bool> { co_return ++asked <= 1; };
  EXPECT_FALSE(world_.run(learn({nullptr, &store_, &store_, nullptr}, {.agent_id = "a", .run = "r1", .may_write = may_write}, {{MemoryType::long_term, "one"}, {MemoryType::long_term, "two"}, {MemoryType::long_term, "three"}})));
  EXPECT_EQ(store_.entries.size(), 1U);
  EXPECT_EQ(asked, 2);
}

TEST_F(Learn, FromAStoreThatIsAwayIsAnError) {
  store_.failing_writes = 1;
  EXPECT_FALSE(world_.run(learn({nullptr, &store_, &store_, nullptr}, {.agent_id = "a", .run = "r1"}, {{MemoryType::long_term, "x"}})));
  store_.failing_reads = 1;
  EXPECT_FALSE(world_.run(learn({nullptr, &store_, &store_, nullptr}, {.agent_id = "a", .run = "r1"}, {{MemoryType::long_term, "x"}})));
}

}  // namespace
}  // namespace agentd::memory
