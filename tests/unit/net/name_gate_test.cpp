#include "core/net/name_gate.hpp"

#include <gtest/gtest.h>

namespace agentd::net {
namespace {

using Ids = std::vector<NameGate::Id>;

TEST(NameGate, LetsFourInPerNameAndTheNextWhenOneLeaves) {
  NameGate gate;
  for (NameGate::Id id = 1; id <= 4; ++id) EXPECT_TRUE(gate.enter("a", id));
  EXPECT_FALSE(gate.enter("a", 5));
  EXPECT_FALSE(gate.enter("a", 6));
  EXPECT_TRUE(gate.enter("b", 7));
  EXPECT_EQ(gate.leave("a"), Ids{5});
  EXPECT_EQ(gate.leave("a"), Ids{6});
  EXPECT_EQ(gate.leave("a"), Ids{});
}

TEST(NameGate, ForgetsANameNobodyLooksUp) {
  NameGate gate;
  EXPECT_TRUE(gate.enter("a", 1));
  EXPECT_EQ(gate.leave("a"), Ids{});
  EXPECT_EQ(gate.leave("a"), Ids{});  // one too many is harmless
  for (NameGate::Id id = 2; id <= 5; ++id) EXPECT_TRUE(gate.enter("a", id));
}

}  // namespace
}  // namespace agentd::net
