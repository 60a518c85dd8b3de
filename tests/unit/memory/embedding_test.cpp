#include "core/memory/embedding.hpp"

#include <gtest/gtest.h>

#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::memory {
namespace {

using port::Failure;
using port::ModelError;
using port::Status;

TEST(VectorCache, ForgetsWhatWasUsedLongestAgo) {
  VectorCache cache(3 * (1 + 4 * sizeof(float)));
  for (const char* key : {"a", "b", "c"}) cache.keep(key, {1, 2, 3, 4});
  ASSERT_TRUE(cache.find("a"));
  cache.keep("d", {5, 6, 7, 8});
  EXPECT_FALSE(cache.find("b"));
  EXPECT_EQ(*cache.find("a"), (Vector{1, 2, 3, 4}));
  EXPECT_EQ(cache.bytes(), 3 * (1 + 4 * sizeof(float)));
  cache.keep("too long to be kept at all, with its vector", Vector(1000));
  EXPECT_EQ(cache.bytes(), 0U);
}

// A vector says how long its text is, so that the two are not mixed up.
class Embeddings : public testing::Test {
 protected:
  Embeddings() {
    provider_.embedder = [this](const port::Embedding& request) -> std::expected<port::Embedded, ModelError> {
      if (!failures_.empty()) {
        auto failure = failures_.front();
        failures_.erase(failures_.begin());
        return std::unexpected(failure);
      }
      port::Embedded answer{.usage = port::Usage{.input_tokens = static_cast<std::int64_t>(request.texts.size())}};
      for (const auto& text : request.texts) answer.vectors.push_back({static_cast<float>(text.size()), 1});
      return answer;
    };
  }
  Result<Embedder::Embedded> embed(std::vector<std::string> texts, Millis patience = Millis(10'000)) {
    return world_.run(embedder_.embed("a", std::move(texts), patience, stop_.get_token()));
  }
  ModelError fails(Failure why, Status status = Status::retryable, std::optional<Millis> retry_after = {}) { return {status, why, "no", retry_after}; }
  std::size_t requests() const { return provider_.embeddings.size(); }

  support::VirtualWorld world_;
  support::FakeProvider provider_{world_};
  std::vector<ModelError> failures_;
  std::vector<EmbeddingCall> told_;
  std::stop_source stop_;
  Embedder embedder_{world_.world(), provider_, {.provider = "p", .model = "m", .prices = manifest::Prices{.input = 1'000'000}, .told = [this](const EmbeddingCall& call) { told_.push_back(call); }}};
};

TEST_F(Embeddings, ComeInTheOrderOfTheTexts) {
  const auto got = embed({"aa", "b", "cccc"});
  EXPECT_EQ(got->vectors, (std::vector<Vector>{{2, 1}, {1, 1}, {4, 1}}));
  EXPECT_EQ(got->tokens, 3);
  EXPECT_EQ(got->cost, 3);
  EXPECT_EQ(provider_.embeddings[0].model, "m");
}

TEST_F(Embeddings, OfOneTextAreAskedForOnce) {
  EXPECT_EQ(embed({"a", "bb", "a"})->vectors, (std::vector<Vector>{{1, 1}, {2, 1}, {1, 1}}));
  EXPECT_EQ(provider_.embeddings[0].texts, (std::vector<std::string>{"a", "bb"}));
  const auto again = embed({"bb", "ccc"});
  EXPECT_EQ(provider_.embeddings[1].texts, std::vector<std::string>{"ccc"});
  EXPECT_EQ(again->tokens, 1);
  EXPECT_EQ(embed({"a"})->requests, 0);
  EXPECT_EQ(requests(), 2U);
}

TEST_F(Embeddings, AreAskedForInRequestsThatEndpointsTake) {
  std::vector<std::string> many;
  for (int i = 0; i < 2050; ++i) many.push_back(std::to_string(i));
  EXPECT_EQ(embed(many)->vectors.size(), 2050U);
  ASSERT_EQ(requests(), 2U);
  EXPECT_EQ(provider_.embeddings[0].texts.size(), 2048U);
  std::vector<std::string> long_ones;
  for (char c = 'a'; c < 'a' + 20; ++c) long_ones.emplace_back(Embedder::kLongestText, c);
  EXPECT_TRUE(embed(long_ones));
  ASSERT_EQ(requests(), 4U);
  EXPECT_EQ(provider_.embeddings[2].texts.size(), 16U);
}

TEST_F(Embeddings, OfALongTextAreOfItsBeginning) {
  EXPECT_EQ(embed({std::string(Embedder::kLongestText - 1, 'x') + "\u00e9"})->vectors[0][0], static_cast<float>(Embedder::kLongestText - 1));
}

TEST_F(Embeddings, AreAskedForAgainAsTheErrorSays) {
  failures_ = {fails(Failure::server), fails(Failure::rate, Status::retryable, Millis(2'000))};
  const Tick before = world_.tick();
  ASSERT_TRUE(embed({"a"}));
  EXPECT_EQ(requests(), 3U);
  EXPECT_GE(world_.tick() - before, Millis(2'250));
  ASSERT_EQ(told_.size(), 3U);
  EXPECT_EQ(told_[0].error, "no");
  EXPECT_EQ(told_[2].error, "");
  EXPECT_EQ(told_[2].usage->input_tokens, 1);
}

TEST_F(Embeddings, ThatKeepFailingAreNotAskedForByEverybody) {
  failures_ = {fails(Failure::server), fails(Failure::server), fails(Failure::server)};
  const auto failed = embed({"a"});
  EXPECT_EQ(failed.error().message, "model m of provider \"p\" gave no vectors: no");
  const auto meanwhile = embed({"a"});
  EXPECT_EQ(meanwhile.error().message, "model m of provider \"p\" gave no vectors: it is left alone for 5s because no");
  EXPECT_EQ(requests(), 3U);
  world_.advance(Millis(5'000));
  EXPECT_TRUE(embed({"a"}));
}

TEST_F(Embeddings, AnAccountThatIsRefusedIsTriedLessAndLess) {
  failures_ = {fails(Failure::credentials, Status::terminal), fails(Failure::quota, Status::terminal)};
  EXPECT_FALSE(embed({"a"}));
  world_.advance(Millis(29'000));
  EXPECT_FALSE(embed({"a"}));
  EXPECT_EQ(requests(), 1U);
  world_.advance(Millis(1'000));
  EXPECT_FALSE(embed({"a"}));
  EXPECT_EQ(requests(), 2U);
  world_.advance(Millis(59'000));
  EXPECT_FALSE(embed({"a"}));
  EXPECT_EQ(requests(), 2U);
  world_.advance(Millis(1'000));
  EXPECT_TRUE(embed({"a"}));
}

TEST_F(Embeddings, OneThatIsRefusedKeepsNobodyElseWaiting) {
  failures_ = {fails(Failure::other, Status::terminal)};
  EXPECT_FALSE(embed({"a"}));
  EXPECT_EQ(requests(), 1U);
  EXPECT_TRUE(embed({"b"}));
}

TEST_F(Embeddings, TakeNoLongerThanThereIsPatience) {
  provider_.embedding_takes = Millis(60'000);
  const Tick before = world_.tick();
  EXPECT_FALSE(embed({"a"}, Millis(1'000)));
  EXPECT_LE(world_.tick() - before, Millis(1'001));
  EXPECT_EQ(provider_.embeddings[0].timeout, Millis(1'000));
}

TEST_F(Embeddings, StopWhenTheyAreToldTo) {
  stop_.request_stop();
  provider_.embedding_takes = Millis(60'000);
  EXPECT_FALSE(embed({"a"}));
  EXPECT_EQ(world_.tick(), Tick());
  stop_ = {};
  provider_.embedding_takes = Millis(0);
  EXPECT_TRUE(embed({"a"}));
}

}  // namespace
}  // namespace agentd::memory
