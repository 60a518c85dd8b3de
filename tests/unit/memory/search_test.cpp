#include "core/memory/search.hpp"

#include <gtest/gtest.h>

#include "core/memory/keep.hpp"
#include "core/memory/recall.hpp"
#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::memory {
namespace {

using port::MemoryType;

Ranking ranking(std::initializer_list<const char*> ids, double weight = 1) {
  Ranking ranking{.weight = weight};
  for (const char* id : ids) ranking.entries.push_back({.type = MemoryType::long_term, .agent_id = "a", .id = id});
  return ranking;
}
std::vector<std::string> ids(const std::vector<port::MemoryEntry>& entries) {
  std::vector<std::string> all;
  for (const auto& entry : entries) all.push_back(entry.id);
  return all;
}
using Ids = std::vector<std::string>;

TEST(Fusion, PrefersWhatBothRankingsHave) {
  const auto fused = fuse({ranking({"x", "both", "y"}), ranking({"p", "both", "q"})}, 3);
  EXPECT_EQ(ids(fused), (Ids{"both", "p", "x"}));
  EXPECT_DOUBLE_EQ(fused[0].score, 2 / 7.0);
  EXPECT_DOUBLE_EQ(fused[1].score, 1 / 6.0);
}

TEST(Fusion, PutsWhatOneHasFirstBeforeWhatBothHaveFarDown) {
  const Ids first = ids(fuse({ranking({"x", "1", "2", "3", "4", "5", "6", "both"}), ranking({"p", "a", "b", "c", "d", "e", "f", "both"})}, 2));
  EXPECT_EQ(first, (Ids{"p", "x"}));
}

TEST(Fusion, HeedsWeights) { EXPECT_EQ(ids(fuse({ranking({"a", "b"}, 0.5), ranking({"z", "y"})}, 9)), (Ids{"z", "y", "a", "b"})); }

TEST(Fusion, KeepsEqualOnesInOneOrder) {
  auto newer = ranking({"z"});
  newer.entries[0].created = Instant(Millis(1));
  EXPECT_EQ(ids(fuse({ranking({"b"}), ranking({"a"}), newer}, 9)), (Ids{"z", "a", "b"}));
  EXPECT_EQ(ids(fuse({newer, ranking({"a"}), ranking({"b"})}, 9)), (Ids{"z", "a", "b"}));
}

TEST(Fusion, OfTwoTypesMixesNoIdsUp) {
  auto way = ranking({"one"});
  way.entries[0].type = MemoryType::procedural;
  EXPECT_EQ(fuse({ranking({"one"}), way}, 9).size(), 2U);
}

// "drive" lies where "disk" does.
class Search : public testing::Test {
 protected:
  Search() {
    store_.vectors = true;
    provider_.embedder = [this](const port::Embedding& request) -> std::expected<port::Embedded, port::ModelError> {
      if (fails_) return std::unexpected(support::bad_request());
      port::Embedded answer{.usage = port::Usage{.input_tokens = 4}};
      for (const auto& text : request.texts) {
        const bool is_disk = text.contains("disk") || text.contains("drive"), is_pear = text.contains("pear");
        const Vector vector = {is_disk ? 1.F : 0.F, is_pear ? 1.F : 0.F, is_disk || is_pear ? 0.F : 1.F};
        answer.vectors.push_back(dimensions_ == 3 ? vector : Vector(dimensions_, 1));
      }
      return answer;
    };
  }
  Result<Kept> keep_now(std::string id, std::string text, MemoryType type = MemoryType::long_term, Embedder* embedder = nullptr) {
    std::vector<port::MemoryEntry> entries = {{.type = type, .agent_id = "a", .id = std::move(id), .text = std::move(text)}};
    return world_.run(keep(store_, embedder ? embedder : &embedder_, std::move(entries), Millis(1'000), {}));
  }
  Result<Found> search_now(std::string text, std::size_t most = 5) {
    return world_.run(search({{&store_, MemoryType::long_term}, {&store_, MemoryType::procedural}}, &embedder_, {.agent_id = "a", .text = std::move(text), .most = most}));
  }
  support::VirtualWorld world_;
  support::FakeProvider provider_{world_};
  support::FakeMemory store_{world_};
  bool fails_ = false;
  std::size_t dimensions_ = 3;
  Embedder embedder_{world_.world(), provider_, {.provider = "p", .model = "m"}};
};

TEST_F(Search, FindsByMeaningWhatSharesNoWord) {
  ASSERT_TRUE(keep_now("1", "the backup drive is in rack 4"));
  ASSERT_TRUE(keep_now("2", "a pear a day", MemoryType::procedural));
  const auto found = search_now("which disk");
  EXPECT_EQ(ids(found->entries), Ids{"1"});
  EXPECT_EQ(found->by_words_alone, "");
  EXPECT_EQ(found->tokens, 4);
  EXPECT_EQ(store_.entries[0].space, "m");
}

TEST_F(Search, TakesWhatFitsBothWaysFirst) {
  ASSERT_TRUE(keep_now("far", "which way to the station"));
  ASSERT_TRUE(keep_now("near", "a drive"));
  ASSERT_TRUE(keep_now("both", "which disk it is", MemoryType::procedural));
  EXPECT_EQ(ids(search_now("which disk")->entries).front(), "both");
  EXPECT_EQ(search_now("which disk", 2)->entries.size(), 2U);
}

TEST_F(Search, GoesByWordsWhereTheModelFailsAndSaysSo) {
  ASSERT_TRUE(keep_now("1", "the backup drive"));
  fails_ = true;
  const auto found = search_now("backup disk");
  EXPECT_EQ(ids(found->entries), Ids{"1"});
  EXPECT_EQ(found->by_words_alone, "model m of provider \"p\" gave no vectors: 400 from the endpoint");
}

TEST_F(Search, AsksNoModelForAStoreWithoutVectors) {
  store_.vectors = false;
  ASSERT_TRUE(keep_now("1", "the backup drive"));
  EXPECT_EQ(search_now("backup")->by_words_alone, "");
  EXPECT_TRUE(provider_.embeddings.empty());
}

TEST_F(Search, FailsWithItsStoreAlone) {
  store_.failing_reads = 1;
  EXPECT_EQ(search_now("disk").error().error_class, ErrorClass::retryable);
}

TEST_F(Search, ComparesNoVectorsOfTwoModels) {
  Embedder other{world_.world(), provider_, {.provider = "p", .model = "other"}};
  ASSERT_TRUE(keep_now("1", "the backup drive", MemoryType::long_term, &other));
  EXPECT_TRUE(search_now("disk")->entries.empty());
}

TEST_F(Search, KeepsAnEntryThatGetsNoVectorAndSaysSo) {
  fails_ = true;
  const auto kept = keep_now("1", "the backup drive");
  EXPECT_EQ(kept->without_vectors, "model m of provider \"p\" gave no vectors: 400 from the endpoint");
  ASSERT_EQ(store_.entries.size(), 1U);
  EXPECT_TRUE(store_.entries[0].vector.empty());
}

TEST_F(Search, LeavesARunItsRecallAndItsPrice) {
  ASSERT_TRUE(keep_now("1", "the backup drive is in rack 4"));
  Stores stores{&store_, &store_, &store_, &embedder_};
  const auto recalled = world_.run(recall(stores, {}, {"a", "s"}, "which disk"));
  ASSERT_EQ(recalled->messages.size(), 1U);
  EXPECT_TRUE(recalled->messages[0].text.contains("rack 4"));
  EXPECT_EQ(*recalled->embedding, (event::Embedding{"p", "m", 1, 4, 0, ""}));
  EXPECT_EQ(world_.run(recall(stores, {}, {"a", "s"}, "which disk"))->embedding, std::nullopt);  // it is known by now
}

}  // namespace
}  // namespace agentd::memory
