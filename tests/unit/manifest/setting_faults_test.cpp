#include "core/manifest/setting_faults.hpp"

#include <gtest/gtest.h>

#include "core/manifest/toml_text.hpp"

namespace agentd::manifest {
namespace {

constexpr const char* kText = R"([toolsets.fs]
roots = ["/srv", 7]
rots = []
[toolsets.fs.limits]
"read me" = 1
)";

std::string told(const SettingFault& fault, std::vector<std::string> path = {"toolsets", "fs"}) {
  std::vector<Problem> problems;
  const auto source = std::make_shared<const Source>("agentd.toml", "/etc/agentd");
  const auto tree = parse_toml(kText, source, problems);
  return to_text(problem_of(fault, tree.value(), path));
}

TEST(SettingFault, IsToldWhereTheSettingWasWritten) {
  EXPECT_EQ(told({"/roots", "expected object, got array"}), "agentd.toml:2:9: toolsets.fs.roots: expected object, got array");
  EXPECT_EQ(told({"/roots/1", "expected string, got integer"}),
            "agentd.toml:2:18: toolsets.fs.roots[1]: expected string, got integer");
  EXPECT_EQ(told({"/limits", "expected array, got object"}), "agentd.toml:4:14: toolsets.fs.limits: expected array, got object");
  EXPECT_EQ(told({"/limits/read me", "must be 2 or more"}),
            "agentd.toml:5:13: toolsets.fs.limits.\"read me\": must be 2 or more");
  EXPECT_EQ(told({"", "\"max\" is missing"}), "agentd.toml:1:11: toolsets.fs: \"max\" is missing");
}

TEST(SettingFault, NamesAnUnknownKeyAndTheNearest) {
  EXPECT_EQ(told({"/rots", "unknown", {{"limits", "roots"}}}),
            "agentd.toml:3:1: toolsets.fs: unknown key \"rots\"; did you mean \"roots\"?");
  EXPECT_EQ(told({"/rots", "unknown", {{"depth", "limits"}}}),
            "agentd.toml:3:1: toolsets.fs: unknown key \"rots\"; there are: depth, limits");
}

TEST(SettingFault, IsToldAtTheNearestPlaceThatWasWritten) {
  EXPECT_EQ(told({"/path", "must be absolute"}), "agentd.toml:1:11: toolsets.fs.path: must be absolute");
  EXPECT_EQ(told({"/a~1b/0", "is wrong"}), "agentd.toml:1:11: toolsets.fs.\"a/b\".0: is wrong");
  EXPECT_EQ(told({"", "\"path\" is missing"}, {"stores", "local"}), "agentd.toml:1:1: stores.local: \"path\" is missing");
}

}  // namespace
}  // namespace agentd::manifest
