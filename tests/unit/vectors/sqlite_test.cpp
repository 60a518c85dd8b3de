#include <agentd/testing/fake_instance.hpp>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <random>
#include <set>

#include "stores/sqlite/vectors.hpp"

namespace agentd::sqlite {
namespace {

constexpr std::size_t kDimensions = 8;
constexpr std::int64_t kMostCompared = 300;

// The vectors of one agent beside those of another, compared one by one up to kMostCompared.
class Shelf : public ::testing::Test {
 protected:
  Shelf() { db_.run("PRAGMA synchronous=OFF"); }
  ~Shelf() override { std::filesystem::remove_all(folder_); }

  std::vector<float> somewhere() {
    std::vector<float> v(kDimensions);
    for (auto& x : v) x = normal_(random_);
    return v;
  }
  void put(std::int64_t position, std::vector<float> vector, const std::string& agent = "a") {
    sdk::MemoryEntry e;
    e.agent_id = agent, e.type = sdk::MemoryType::long_term, e.space = "small", e.vector = std::move(vector);
    Transaction transaction(db_);
    vectors_.check({e});
    vectors_.put(position, e);
    transaction.commit();
    if (e.vector.empty()) kept_.erase(position);
    else if (agent == "a") kept_[position] = stores::unit(e.vector);
  }
  void drop(std::int64_t position) {
    vectors_.drop(position);
    kept_.erase(position);
  }
  std::vector<std::uint64_t> nearest(const std::vector<float>& vector, std::uint64_t limit, sdk::MemoryType type = sdk::MemoryType::long_term) {
    sdk::MemoryQuery q;
    q.agent_id = "a", q.type = type, q.space = "small", q.vector = vector, q.limit = limit;
    const Snapshot snapshot(db_);
    std::vector<std::uint64_t> positions;
    for (const auto& one : vectors_.nearest(q)) positions.push_back(one.position);
    return positions;
  }
  std::vector<std::uint64_t> truly_nearest(const std::vector<float>& vector, std::uint64_t limit) {
    stores::Nearest nearest(limit);
    for (const auto& [position, unit] : kept_) nearest.offer({static_cast<std::uint64_t>(position), stores::cosine(stores::unit(vector), unit)});
    std::vector<std::uint64_t> positions;
    for (const auto& one : nearest.best()) positions.push_back(one.position);
    return positions;
  }
  // Of what a hundred searches must find, the share that they do.
  double recall() {
    std::size_t hits = 0;
    for (int i = 0; i < 100; ++i) {
      const auto wanted = somewhere();
      const auto found = nearest(wanted, 10), right = truly_nearest(wanted, 10);
      EXPECT_EQ(found.size(), 10u);
      EXPECT_EQ(std::set(found.begin(), found.end()).size(), found.size()) << "each once";
      hits += static_cast<std::size_t>(std::ranges::count_if(found, [&](auto position) { return std::ranges::count(right, position) > 0; }));
    }
    return static_cast<double>(hits) / 1000;
  }
  int logged() {
    const std::lock_guard lock(fake_.mutex);
    return static_cast<int>(fake_.logs.size());
  }
  // Searches until one of them was answered by an index, or by another one.
  void until_indexed(int times = 1) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (logged() < times && std::chrono::steady_clock::now() < until) nearest(somewhere(), 1);
    ASSERT_EQ(logged(), times);
  }

  char template_[32] = "/tmp/agentd-vectors-XXXXXX";
  const std::filesystem::path folder_ = ::mkdtemp(template_);
  std::mt19937 random_{7};
  std::normal_distribution<float> normal_;
  testing::FakeWorld fake_;
  testing::FakeInstance instance_{fake_, false};
  std::map<std::int64_t, std::vector<float>> kept_;
  Db db_{file(), Db::Mode::write, {kVectorTables}};
  Vectors vectors_{db_, file(), sdk::Host(&instance_), kMostCompared};

 private:
  std::filesystem::path file() const { return folder_ / "memory.db"; }
};

TEST_F(Shelf, AnswersThroughAnIndexWhatIsTooMuchToCompare) {
  for (std::int64_t i = 1; i <= kMostCompared; ++i) put(i, somewhere()), put(10'000 + i, somewhere(), "b");
  EXPECT_EQ(recall(), 1);
  EXPECT_EQ(logged(), 0) << "what is few is compared";
  put(kMostCompared + 1, somewhere());
  EXPECT_GE(recall(), 0.98);
  until_indexed();
  EXPECT_GE(recall(), 0.98);
  EXPECT_NE(fake_.logs[0].find("301 vectors of agent \"a\" are searched through an index"), std::string::npos) << fake_.logs[0];
}

TEST_F(Shelf, ForgetsAndLearnsWhileThereIsAnIndex) {
  for (std::int64_t i = 1; i <= 2 * kMostCompared; ++i) put(i, somewhere());
  until_indexed();
  const auto here = somewhere(), there = somewhere();
  put(1'000, here);
  EXPECT_EQ(nearest(here, 1), std::vector<std::uint64_t>{1'000}) << "what is put is found at once";
  put(1'000, there);
  EXPECT_NE(nearest(here, 1), std::vector<std::uint64_t>{1'000}) << "where it was it is no more";
  EXPECT_EQ(nearest(there, 1), std::vector<std::uint64_t>{1'000});
  put(1'000, {});
  EXPECT_NE(nearest(there, 1), std::vector<std::uint64_t>{1'000});
  for (std::int64_t i = 1; i <= 100; ++i) drop(i), put(2'000 + i, somewhere());
  EXPECT_GE(recall(), 0.98);
  EXPECT_EQ(nearest(here, 400), truly_nearest(here, 400)) << "a large part of all is compared";
  EXPECT_EQ(nearest(here, 10, sdk::MemoryType::procedural), std::vector<std::uint64_t>{});
}

TEST_F(Shelf, HearsOfWhatAnotherConnectionDid) {
  for (std::int64_t i = 1; i <= 2 * kMostCompared; ++i) put(i, somewhere());
  until_indexed();
  const auto here = somewhere();
  Db other(folder_ / "memory.db", Db::Mode::write, {kVectorTables});
  Vectors others(other, folder_ / "memory.db", sdk::Host(&instance_));
  sdk::MemoryEntry e;
  e.agent_id = "a", e.type = sdk::MemoryType::long_term, e.space = "small", e.vector = here;
  others.put(5'000, e);
  EXPECT_EQ(nearest(here, 1), std::vector<std::uint64_t>{5'000});
  others.drop(5'000);
  EXPECT_NE(nearest(here, 1), std::vector<std::uint64_t>{5'000});
}

TEST_F(Shelf, BuildsAnIndexAnewWhenMuchOfItIsGone) {
  for (std::int64_t i = 1; i <= 2 * kMostCompared; ++i) put(i, somewhere());
  until_indexed();
  for (std::int64_t i = 1; i <= 2 * kMostCompared; ++i) put(i, somewhere());
  EXPECT_GE(recall(), 0.98);
  until_indexed(2);
  EXPECT_GE(recall(), 0.98);
}

TEST_F(Shelf, LeavesOffBuildingWhenItEnds) {
  for (std::int64_t i = 1; i <= 2 * kMostCompared; ++i) put(i, somewhere());
  nearest(somewhere(), 1);
}

}  // namespace
}  // namespace agentd::sqlite
