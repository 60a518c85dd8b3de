// Manifests that come without a file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/manifest/agents.hpp"

namespace agentd::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Sent : public testing::Test {
 protected:
  Sent() { config.providers["openai"].plugin = "openai", config.providers["openai"].prices["m"] = {}, config.stores["local"].plugin = "sqlite"; }

  LoadedAgent read(const SentManifest& sent, const std::string& agent_id) {
    return read_sent(sent, agent_id, config, checks, [](const std::string& path) -> Result<std::string> { return path == "/srv/role.md" ? Result<std::string>("You watch.") : fail("cannot read " + path); });
  }
  std::vector<std::string> problems(const std::string& text, SentAs form = SentAs::json) {
    const auto sent = parse_sent(text, form);
    std::vector<std::string> out;
    for (const auto& problem : read(sent, sent.agent_id).problems) out.push_back(to_text(problem));
    return out;
  }

  HostConfig config;
  Checks checks;
};

const std::string kJson = R"({"agent_id": "a", "model": {"provider": "openai", "model": "m"}, "task": {"query": "q"}, "schedule": {"interval": "10m"}})";
const std::string kToml = "agent_id = \"a\"\n[model]\nprovider = \"openai\"\nmodel = \"m\"\n[task]\nquery = \"q\"\n[schedule]\ninterval = \"10m\"\n";

// One more member, before the closing brace.
std::string with(const std::string& member) { return kJson.substr(0, kJson.size() - 1) + ", " + member + "}"; }

TEST_F(Sent, JsonAndTomlSayTheSame) {
  const auto json = parse_sent(kJson, SentAs::json), toml = parse_sent(kToml, SentAs::toml);
  EXPECT_EQ(json.document, toml.document);
  const auto one = read(json, "a"), other = read(toml, "a");
  ASSERT_TRUE(one.spec && other.spec);
  EXPECT_EQ(canonical(*one.spec), canonical(*other.spec));
  EXPECT_EQ(one.file, "api");
}

TEST_F(Sent, WhatIsKeptOfItIsReadAgain) {
  const auto toml = parse_sent(kToml + "start = 2026-01-01T00:00:00Z\n", SentAs::toml);
  const auto again = parse_sent(toml.document, SentAs::json);
  EXPECT_EQ(again.document, toml.document);
  const auto one = read(toml, "a"), other = read(again, "a");
  ASSERT_TRUE(one.spec && other.spec);
  EXPECT_EQ(canonical(*one.spec), canonical(*other.spec));
  EXPECT_TRUE(other.spec->schedule.start);
}

TEST_F(Sent, ProblemsOfJsonAreToldByPointer) {
  EXPECT_THAT(problems(with(R"("limits": {"max_stepz": 3}, "labels": {"a/b~c": "x"})")),
              ElementsAre(HasSubstr("api:/labels/a~1b~0c: "), HasSubstr("api:/limits/max_stepz: unknown key \"max_stepz\"; did you mean \"max_steps\"?")));
  EXPECT_THAT(problems(with(R"("tools": {"allow": ["a.b", 7]})")), ElementsAre(HasSubstr("api:/tools/allow/1: ")));
}

TEST_F(Sent, APointerIsShortWhateverTheNamesAre) {
  const std::string name(100'000, 'n');
  const auto told = problems(with("\"task\": {\"query\": \"q\", \"params\": {\"" + name + "\": {\"token\": \"x\"}}}").replace(kJson.find("\"task\""), 22, "\"enabled\": true"));
  ASSERT_EQ(told.size(), 1);
  EXPECT_LT(told.front().size(), 400) << told.front();
  EXPECT_THAT(told.front(), HasSubstr("api:/task/params/" + std::string(128, 'n') + ".../token: "));
}

TEST_F(Sent, ProblemsOfTomlAreToldByLineAndColumn) {
  EXPECT_THAT(problems(kToml + "[limits]\nmax_stepz = 3\n", SentAs::toml), ElementsAre(HasSubstr("api:10:1: unknown key \"max_stepz\"")));
  EXPECT_THAT(problems("agent_id = \"a\"\n[task\n", SentAs::toml), ElementsAre(HasSubstr("api:2:")));
}

TEST_F(Sent, HasAName) {
  auto nameless = kJson;
  nameless.replace(nameless.find("\"agent_id\""), 15, "\"enabled\": true");
  EXPECT_THAT(problems(nameless), ElementsAre(HasSubstr("\"agent_id\" is missing")));
  EXPECT_TRUE(read(parse_sent(nameless, SentAs::json), "b").spec);
  auto odd = kJson;
  odd.replace(odd.find("\"a\""), 3, "\"A b\"");
  EXPECT_THAT(problems(odd), ElementsAre(HasSubstr("api:/agent_id: \"A b\" is not an agent's name")));
  const auto other = read(parse_sent(kJson, SentAs::json), "b");
  ASSERT_EQ(other.problems.size(), 1);
  EXPECT_THAT(to_text(other.problems.front()), HasSubstr("api:/agent_id: \"agent_id\" is \"a\" but the agent is \"b\""));
}

TEST_F(Sent, NeedsAbsolutePaths) {
  EXPECT_THAT(problems(with(R"("system_instruction": "file:role.md")")), ElementsAre(HasSubstr("api:/system_instruction: \"system_instruction\" must be an absolute path")));
  EXPECT_THAT(problems(with(R"("trigger": [{"name": "t", "on": "file", "path": "inbox"}])")), ElementsAre(HasSubstr("api:/trigger/0/path: \"path\" must be an absolute path")));
  EXPECT_THAT(problems(with(R"("trigger": [{"name": "t", "on": "webhook", "secret": "file:key"}])")), ElementsAre(HasSubstr("api:/trigger/0/secret: \"secret\" must be an absolute path")));
  const auto read_it = read(parse_sent(with(R"("system_instruction": "file:/srv/role.md")"), SentAs::json), "a");
  ASSERT_TRUE(read_it.spec);
  EXPECT_EQ(read_it.spec->system_instruction, "You watch.");
  checks.toolset_schema = [](const std::string&) { return R"({"properties": {"roots": {"items": {"format": "path"}}}})"; };
  EXPECT_THAT(problems(with(R"("tools": {"toolsets": {"fs": {"roots": ["/srv", "logs"]}}})")), ElementsAre(HasSubstr("api:/tools/toolsets/fs/roots/1: \"logs\" must be an absolute path")));
}

TEST_F(Sent, ALiteralSecretIsRefused) {
  EXPECT_THAT(problems(with(R"("trigger": [{"name": "t", "on": "webhook", "secret": "hunter2"}])")), ElementsAre(HasSubstr("must be a reference, not the secret itself")));
}

TEST_F(Sent, NullLeavesAKeyOut) {
  const auto sent = parse_sent(with(R"("description": null, "limits": {"max_steps": null})"), SentAs::json);
  EXPECT_EQ(sent.document, parse_sent(with(R"("limits": {})"), SentAs::json).document);
  EXPECT_TRUE(read(sent, "a").spec);
  EXPECT_THAT(problems(with(R"("tools": {"allow": ["a.b", null]})")), ElementsAre(HasSubstr("api:/tools/allow/1: a list holds no null")));
}

TEST_F(Sent, WhatIsNoDocumentSaysSo) {
  for (const auto* text : {"", "{", "[]", "7", R"({"a": 1, "a": 2})"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(problems(text).size(), 1);
    EXPECT_FALSE(parse_sent(text, SentAs::json).tree);
  }
}

TEST_F(Sent, IsChangedByAMergePatch) {
  const auto changed = patched(parse_sent(kJson, SentAs::json).document, R"({"schedule": {"interval": "5m"}, "task": {"query": null, "native": "n"}, "labels": {"team": "ops"}})");
  EXPECT_EQ(changed, parse_sent(R"({"agent_id": "a", "model": {"provider": "openai", "model": "m"}, "task": {"native": "n"}, "schedule": {"interval": "5m"}, "labels": {"team": "ops"}})", SentAs::json).document);
}

TEST_F(Sent, FollowsAgentsOfFilesAndOthersThatWereSent) {
  auto follower = read(parse_sent(with(R"("trigger": [{"name": "t", "on": "agent", "agent": "first"}])"), SentAs::json), "a");
  auto another = follower;
  refuse_unknown_agents({.folders = {{"/srv", "srv", {"first"}}}, .problems = {}, .sent = {}}, follower);
  EXPECT_TRUE(follower.spec);
  refuse_unknown_agents({.folders = {}, .problems = {}, .sent = {"first"}}, follower);
  EXPECT_TRUE(follower.spec);
  refuse_unknown_agents({.folders = {}, .problems = {}, .sent = {"firts"}}, another);
  ASSERT_EQ(another.problems.size(), 1);
  EXPECT_EQ(to_text(another.problems.front()), "api:/trigger/0/agent: there is no agent \"first\"; did you mean \"firts\"?");
}

}  // namespace
}  // namespace agentd::manifest
