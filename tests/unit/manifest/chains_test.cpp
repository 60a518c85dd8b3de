// Chains that lead back to where they began.
#include "core/manifest/chains.hpp"

#include <gtest/gtest.h>

#include <map>

namespace agentd::manifest {
namespace {

// "b<a": b runs when a has ended. The number of the link is its line.
std::map<int, std::string> told(const std::vector<std::string>& chains) {
  std::vector<ChainLink> links;
  for (const auto& chain : chains) {
    const auto arrow = chain.find('<');
    links.push_back(
        {chain.substr(0, arrow), "t", "completed", chain.substr(arrow + 1), {"f", static_cast<int>(links.size() + 1), 1, ""}});
  }
  std::map<int, std::string> found;
  for (const auto& [agent, problem] : cycles(links)) {
    EXPECT_EQ(agent, links[static_cast<std::size_t>(problem.line - 1)].agent_id);
    EXPECT_TRUE(found.emplace(problem.line, problem.message.substr(std::string("this chain never ends: ").size())).second)
        << "told twice";
  }
  return found;
}

using Told = std::map<int, std::string>;

TEST(Chains, ThatEndAreFine) {
  EXPECT_EQ(told({}), Told{});
  EXPECT_EQ(told({"b<a", "c<b", "c<a", "d<b", "d<c"}), Told{});
}

TEST(Chains, ThatLeadBackAreToldAtEachOfTheirLinks) {
  EXPECT_EQ(told({"a<a"}), (Told{{1, "a -> a"}}));
  EXPECT_EQ(told({"b<a", "a<b"}), (Told{{1, "a -> b -> a"}, {2, "b -> a -> b"}}));
  EXPECT_EQ(told({"b<a", "c<b", "a<c"}), (Told{{1, "a -> b -> c -> a"}, {2, "b -> c -> a -> b"}, {3, "c -> a -> b -> c"}}));
}

TEST(Chains, ThatOnlyTouchACycleAreFine) {
  EXPECT_EQ(told({"b<a", "c<b", "b<c", "d<c", "e<d"}), (Told{{2, "b -> c -> b"}, {3, "c -> b -> c"}}));
  EXPECT_EQ(told({"b<b", "c<b", "c<c"}), (Told{{1, "b -> b"}, {3, "c -> c"}}));  // between two cycles
}

TEST(Chains, OfManyAgentsAreToldShortened) {
  std::vector<std::string> ring;
  for (int i = 0; i < 1000; ++i) ring.push_back(std::to_string((i + 1) % 1000) + "<" + std::to_string(i));
  const auto found = told(ring);
  EXPECT_EQ(found.size(), 1000u);
  EXPECT_EQ(found.at(1), "0 -> 1 -> 2 -> 3 -> 4 -> 5 -> 6 -> 7 -> 8 -> 9 -> 10 -> ... -> 0");
}

}  // namespace
}  // namespace agentd::manifest
