#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/manifest/environment.hpp"
#include "core/manifest/nearest.hpp"
#include "core/manifest/overrides.hpp"
#include "core/manifest/toml_text.hpp"
#include "core/manifest/tool_pattern.hpp"

namespace agentd::manifest {
namespace {

TEST(EditDistance, CountsLettersAndSwaps) {
  EXPECT_EQ(edit_distance("interval", "intervall"), 1u);
  EXPECT_EQ(edit_distance("cron", "corn"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  EXPECT_EQ(nearest("intervall", {"interval", "cron"}), "interval");
  EXPECT_EQ(nearest("banana", {"interval", "cron"}), std::nullopt);
  EXPECT_EQ(nearest("x", {"at"}), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'a'), {"interval"}), std::nullopt);
}

TEST(ToolPattern, StarStandsForAnyText) {
  EXPECT_TRUE(matches_tool("fs.read_file", "fs.read_file"));
  EXPECT_FALSE(matches_tool("fs.read", "fs.read_file"));
  EXPECT_TRUE(matches_tool("fs.*", "fs.read_file"));
  EXPECT_TRUE(matches_tool("mcp.github.*", "mcp.github.a.b"));
  EXPECT_TRUE(matches_tool("*", "x.y"));
  EXPECT_TRUE(matches_tool("fs.*_file*", "fs.read_file"));
  EXPECT_FALSE(matches_tool("fs.*_dir", "fs.read_file"));
  EXPECT_FALSE(matches_tool("", "x"));
}

TEST(EnvFile, ReadsWhatShellsRead) {
  Environment environment = {{"SET", "really"}};
  std::vector<Problem> problems;
  add_env_file("# comment\nA=1\nexport B = two words # note\nC=\"line\\nbreak # kept\" # note\nD='$raw\\n'\nSET=file\nE=\nF=#x\r\n", ".env", environment, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(environment, (Environment{{"A", "1"}, {"B", "two words"}, {"C", "line\nbreak # kept"}, {"D", "$raw\\n"}, {"SET", "really"}, {"E", ""}, {"F", ""}}));
}

TEST(EnvFile, SaysWhereALineIsWrongWithoutRepeatingIt) {
  Environment environment;
  std::vector<Problem> problems;
  add_env_file("sk-secret\n1A=2\nB=\"open\n", ".env", environment, problems);
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(to_text(problems[0]), ".env:1:1: not NAME=VALUE");
  EXPECT_EQ(to_text(problems[1]), ".env:2:1: not NAME=VALUE");
  EXPECT_EQ(to_text(problems[2]), ".env:3:1: the value of B has no closing quote, or text after it");
}

TEST(Number, IsNeverTakenForAnother) {
  const auto guessed = [](const char* text) { return to_json(typed(Kind::open, text, {})).dump(); };
  EXPECT_EQ(guessed("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(guessed("[1,2.5]"), "[1,2.5]");
  // What no number here holds stays text, and whoever wants a number refuses it.
  EXPECT_EQ(guessed("9223372036854775808"), R"("9223372036854775808")");
  EXPECT_EQ(guessed("-9223372036854775809"), R"("-9223372036854775809")");
  EXPECT_EQ(guessed("1e400"), R"("1e400")");
  EXPECT_EQ(guessed("nan"), R"("nan")");
  EXPECT_EQ(guessed(R"({"n":18446744073709551615})"), R"({"n":"18446744073709551615"})");
  EXPECT_EQ(guessed(R"({"n":18446744073709551616})"), R"("{\"n\":18446744073709551616}")");
  for (const char* text : {"nan", "inf", "-inf", "1e400"}) EXPECT_EQ(to_json(typed(Kind::number, text, {})), text);
}

TEST(Toml, SaysThatAWordWantsQuotes) {
  const auto said = [](const std::string& text) {
    std::vector<Problem> problems;
    parse_toml(text, std::make_shared<const Source>("a.toml", "/"), problems);
    return problems.empty() ? "" : problems.front().message;
  };
  EXPECT_TRUE(said("[schedule]\ninterval = 20s\n").ends_with("; write it in quotes: \"20s\"")) << said("[schedule]\ninterval = 20s\n");
  EXPECT_TRUE(said("a = \"\xc3\xa9\"\nb = [\"\xc3\xa9\", daily]\n").ends_with("; write it in quotes: \"daily\""));
  for (const char* text : {"a = 0x1g", "a = 2026-13-01T00:00:00Z", "a = ", "a = \"x", "a b = 1", "[x", "a = 1.2.3"}) EXPECT_FALSE(said(text).contains("quotes:")) << text << ": " << said(text);
}

TEST(Number, OfAFileIsRefusedWhenNothingHoldsIt) {
  for (const char* number : {"9223372036854775808", "-9223372036854775809", "1e400", "nan", "-inf"}) {
    std::vector<Problem> problems;
    parse_toml(std::string("n = ") + number, std::make_shared<const Source>("a.toml", "/"), problems);
    EXPECT_FALSE(problems.empty()) << number;
  }
}

}  // namespace
}  // namespace agentd::manifest
