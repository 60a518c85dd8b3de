// What a run's recall asks of an embedding model.
#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using support::Bench;
using support::say;
using support::Scene;

std::expected<port::Embedded, port::ModelError> thousand_tokens(const port::Embedding& request) {
  return port::Embedded{.vectors = std::vector<std::vector<float>>(request.texts.size(), {1, 0}), .usage = port::Usage{.input_tokens = 1000}};
}

class RunWithVectors : public testing::Test {
 protected:
  std::unique_ptr<Bench> bench(std::function<void(manifest::AgentSpec&)> spec = {}) {
    auto made = std::make_unique<Bench>(Scene{.answers = {say("12")}, .spec = std::move(spec), .prices = {.input = 1'000'000, .output = 1'000'000}, .embeds = true});
    made->provider().embedder = thousand_tokens;
    return made;
  }
};

TEST_F(RunWithVectors, RecordsWhatItsRecallTook) {
  auto b = bench();
  const auto run = b->ask();
  const auto end = b->until_end(run);
  EXPECT_EQ(end.status, port::RunStatus::completed);
  EXPECT_EQ(*b->records<event::Started>(run)[0].embedding, (event::Embedding{"fake", "embed-1", 1, 1000, 1000, ""}));
  EXPECT_EQ(end.totals.requests, 1);
  EXPECT_EQ(end.totals.input_tokens, 1100);
  EXPECT_EQ(end.totals.cost, 1110);
}

TEST_F(RunWithVectors, GoesOnWithoutThem) {
  auto b = bench();
  b->provider().embedder = [](const port::Embedding&) { return std::unexpected(support::bad_credentials()); };
  const auto run = b->ask();
  EXPECT_EQ(b->until_end(run).status, port::RunStatus::completed);
  const auto embedding = *b->records<event::Started>(run)[0].embedding;
  EXPECT_EQ(embedding.error, "model embed-1 of provider \"fake\" gave no vectors: 401 from the endpoint");
  EXPECT_EQ(embedding.requests, 0);
}

TEST_F(RunWithVectors, CountsThemForTheLimitsOfTheRun) {
  auto b = bench([](manifest::AgentSpec& spec) { spec.limits.total_tokens_limit = 900; });
  const auto end = b->run();
  EXPECT_EQ(end.status, port::RunStatus::failed);
  EXPECT_EQ(end.fault->error_class, ErrorClass::budget);
  EXPECT_TRUE(b->provider().requests.empty());
}

TEST_F(RunWithVectors, CountsThemForTheBudgetOfTheDay) {
  auto b = bench([](manifest::AgentSpec& spec) { spec.limits.tokens_per_day = 1'000'000; });
  const auto run = b->ask();
  const auto day = b->world().now().time_since_epoch() / std::chrono::days(1);
  EXPECT_EQ(b->until_end(run).status, port::RunStatus::completed);
  const auto account = b->ledger().account("agent:surveyor", day);
  EXPECT_EQ(account.spent.tokens, 1110);
  EXPECT_EQ(account.held.tokens, 0);
}

TEST_F(RunWithVectors, AsksForNoneAgainWhenItIsTakenUp) {
  auto b = bench();
  b->provider().on_request = [&](std::size_t nth) {
    if (nth == 1) b->die();
  };
  const auto run = b->ask();
  b->until_end(run);
  b->restart();
  EXPECT_EQ(b->until_end(run).status, port::RunStatus::completed);
  EXPECT_EQ(b->provider().embeddings.size(), 1U);
  EXPECT_EQ(b->until_end(run).totals.input_tokens, 1100);
}

}  // namespace
}  // namespace agentd::run
