#include "stores/vectors/cosine.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace agentd::stores {
namespace {

double of(const std::vector<float>& a, const std::vector<float>& b) { return cosine(unit(a), unit(b)); }

TEST(Cosine, IsThatOfTheAngle) {
  EXPECT_NEAR(of({1, 0}, {5, 0}), 1, 1e-6);
  EXPECT_NEAR(of({1, 0}, {0, 2}), 0, 1e-6);
  EXPECT_NEAR(of({1, 0}, {-3, 0}), -1, 1e-6);
  EXPECT_NEAR(of({1, 1}, {1, 0}), std::sqrt(0.5), 1e-6);
}

TEST(Cosine, IsTheSameForEveryNumberOfDimensions) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (std::size_t dimensions = 1; dimensions <= 70; ++dimensions) {
    std::vector<float> a, b;
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < dimensions; ++i) {
      const double x = a.emplace_back(normal(random)), y = b.emplace_back(normal(random));
      ab += x * y, aa += x * x, bb += y * y;
    }
    EXPECT_NEAR(of(a, b), ab / std::sqrt(aa * bb), 1e-5) << dimensions;
  }
}

TEST(Cosine, TakesTheLargestAndTheSmallestNumbers) {
  constexpr float kMost = std::numeric_limits<float>::max(), kLeast = std::numeric_limits<float>::denorm_min();
  EXPECT_NEAR(of({kMost, kMost}, {kLeast, kLeast}), 1, 1e-6);
  EXPECT_NEAR(of({kMost, 0}, {0, kMost}), 0, 1e-6);
}

TEST(Cosine, ReadsBytesWhereverTheyStand) {
  const auto a = unit(std::vector<float>{3, 4}), b = unit(std::vector<float>{4, 3});
  std::string shifted = "x";
  shifted += bytes_of(b);
  EXPECT_NEAR(cosine(a, std::string_view(shifted).substr(1)), 0.96, 1e-6);
}

TEST(Nearest, KeepsTheBestAndOfTwoAsGoodTheNewer) {
  Nearest nearest(3);
  for (const auto& one : {Neighbour{1, 0.1}, {2, 0.9}, {3, 0.5}, {4, 0.9}, {5, 0.2}, {6, 0.5}}) nearest.offer(one);
  std::vector<std::uint64_t> positions;
  for (const auto& one : nearest.best()) positions.push_back(one.position);
  EXPECT_EQ(positions, (std::vector<std::uint64_t>{4, 2, 6}));
}

}  // namespace
}  // namespace agentd::stores
