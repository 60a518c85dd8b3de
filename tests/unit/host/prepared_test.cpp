#include "host/prepared.hpp"

#include <gtest/gtest.h>

namespace agentd::host {
namespace {

run::AgentRef agent() {
  return std::make_shared<const run::Agent>(run::Parts{.spec = {}, .endpoint = nullptr, .task = nullptr, .tools = {}, .memory = {}});
}

TEST(Prepared, ForgetsTheOneThatWasAskedForLongestAgo) {
  Prepared prepared(2);
  const auto a = agent(), b = agent(), c = agent();
  prepared.keep({"a", 1}, a);
  prepared.keep({"b", 1}, b);
  EXPECT_EQ(prepared.find({"a", 1}), a);
  prepared.keep({"c", 1}, c);
  EXPECT_EQ(prepared.find({"b", 1}), nullptr);
  EXPECT_EQ(prepared.find({"a", 1}), a);
  EXPECT_EQ(prepared.find({"c", 1}), c);
}

TEST(Prepared, TellsRevisionsApart) {
  Prepared prepared(2);
  const auto old = agent(), current = agent();
  prepared.keep({"a", 1}, old);
  prepared.keep({"a", 2}, current);
  EXPECT_EQ(prepared.find({"a", 1}), old);
  EXPECT_EQ(prepared.find({"a", 2}), current);
}

TEST(Prepared, KeepsTheFirstOfTwoThatWerePreparedAtOnce) {
  Prepared prepared(2);
  const auto first = agent(), second = agent();
  prepared.keep({"a", 1}, first);
  prepared.keep({"a", 1}, second);
  EXPECT_EQ(prepared.find({"a", 1}), first);
}

}  // namespace
}  // namespace agentd::host
