#include "host/cli/agent_patch.hpp"

#include <gtest/gtest.h>

namespace agentd::cli {
namespace {

std::string patch(const std::vector<std::string>& changes) {
  const auto made = agent_patch(changes);
  return made ? made->dump() : "refused: " + made.error().message;
}

TEST(AgentPatch, ReadsValuesAsTomlDoes) {
  EXPECT_EQ(patch({"limits.max_steps=3"}), R"({"limits":{"max_steps":3}})");
  EXPECT_EQ(patch({"enabled=false"}), R"({"enabled":false})");
  EXPECT_EQ(patch({"model.temperature=0.5"}), R"({"model":{"temperature":0.5}})");
  EXPECT_EQ(patch({R"(tools.allow=["fs.*", "system.load"])"}), R"({"tools":{"allow":["fs.*","system.load"]}})");
  EXPECT_EQ(patch({"task.params={ a = 1 }"}), R"({"task":{"params":{"a":1}}})");
  EXPECT_EQ(patch({"labels.team=\"007\""}), R"({"labels":{"team":"007"}})");
  EXPECT_EQ(patch({"schedule.start=2026-01-01T00:00:00Z"}), R"({"schedule":{"start":"2026-01-01T00:00:00Z"}})");
}

TEST(AgentPatch, TakesWhatIsNoTomlForText) {
  EXPECT_EQ(patch({"schedule.interval=5m"}), R"({"schedule":{"interval":"5m"}})");
  EXPECT_EQ(patch({"labels.team=ops"}), R"({"labels":{"team":"ops"}})");
  EXPECT_EQ(patch({"task.query=Is a = b? # or not"}), R"({"task":{"query":"Is a = b? # or not"}})");
  EXPECT_EQ(patch({"description=1\nenabled = false"}), R"({"description":"1\nenabled = false"})");
  EXPECT_EQ(patch({"description=07"}), R"({"description":"07"})");
}

TEST(AgentPatch, RemovesWithNothing) {
  EXPECT_EQ(patch({"limits.max_steps=", "labels=null"}), R"({"limits":{"max_steps":null},"labels":null})");
}

TEST(AgentPatch, PutsChangesTogether) {
  EXPECT_EQ(patch({"limits.max_steps=3", "limits.queue_size=4", "labels.\"a.b=c\"=x"}), R"({"limits":{"max_steps":3,"queue_size":4},"labels":{"a.b=c":"x"}})");
}

TEST(AgentPatch, RefusesWhatIsNoChange) {
  EXPECT_EQ(patch({"enabled"}), "refused: \"enabled\" is not KEY=VALUE; limits.max_steps=3, for instance");
  EXPECT_EQ(patch({"a b=1"}), "refused: \"a b\" is not a key: dotted as in TOML, limits.max_steps");
  EXPECT_EQ(patch({"=1"}), "refused: \"\" is not a key: dotted as in TOML, limits.max_steps");
  EXPECT_EQ(patch({"a=1", "a.b=2"}), "refused: \"a.b=2\" is below a key that has a value of its own here");
  EXPECT_EQ(patch({"a=1", "a=2"}), "refused: \"a=2\" gives a key another value than a word before it");
}

}  // namespace
}  // namespace agentd::cli
