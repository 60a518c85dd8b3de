// What a tired operator leaves in a folder of agents: every file gets a spec or a sentence, and none spoils another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/manifest/agents.hpp"
#include "core/manifest/config.hpp"
#include "tests/unit/manifest/temporary_folder.hpp"

namespace agentd::manifest {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kGood = "[model]\nprovider = \"openai\"\nmodel = \"m\"\n[task]\nquery = \"q\"\n";

class OddFiles : public testing::Test {
 protected:
  OddFiles() {
    config.providers["openai"], config.stores["local"];
    folder.write("agents/good.toml", kGood);
  }
  LoadedAgents load() { return load_agents(folders, config, {}, folder.path()); }
  // Of the folder; the good one is always there.
  std::vector<std::string> problems() {
    const auto loaded = load();
    EXPECT_TRUE(std::ranges::any_of(loaded.agents, [](const auto& agent) { return agent.agent_id == "good" && agent.spec; }));
    std::vector<std::string> texts;
    for (const auto& problem : all_problems(loaded)) texts.push_back(to_text(problem));
    return texts;
  }
  AgentSpec spec(const std::string& id) {
    for (const auto& agent : load().agents)
      if (agent.agent_id == id && agent.spec) return *agent.spec;
    ADD_FAILURE() << id << " has no spec";
    return {};
  }

  TemporaryFolder folder;
  HostConfig config;
  std::vector<std::string> folders = {folder.path("agents")};
};

TEST_F(OddFiles, EmptyIsToldWhatItLacks) {
  folder.write("agents/empty.toml", "");
  EXPECT_THAT(problems(),
              ElementsAre("agents/empty.toml:1:1: nothing to do: [task] needs a \"query\" for a model, or a \"native\" task"));
}

TEST_F(OddFiles, OfAnotherEditorAreRead) {
  folder.write("agents/bom.toml", "\xef\xbb\xbf" + kGood);
  folder.write("agents/crlf.toml",
               "[model]\r\nprovider = \"openai\"\r\nmodel = \"m\"\r\n[task]\r\nquery = \"\"\"a\r\nb\"\"\"\r\n");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(spec("bom").task.query, "q");
  EXPECT_THAT(spec("crlf").task.query, testing::AnyOf("a\nb", "a\r\nb"));
  folder.write("agents/crlf.toml", "[task]\r\nquery = \"q\"\r\nqwery = 1\r\n" + kGood.substr(0, kGood.find("[task]")));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("agents/crlf.toml:3:1: unknown key \"qwery\"")));
}

TEST_F(OddFiles, OfUtf16AreRefusedWhereTheyBegin) {
  folder.write("agents/wide.toml", std::string("\xff\xfe[\0t\0a\0s\0k\0]\0", 14));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("agents/wide.toml:1:")));
}

TEST_F(OddFiles, TooLargeAreNotRead) {
  folder.write("agents/huge.toml", kGood + "# " + std::string(10 << 20, 'x'));
  EXPECT_THAT(problems(), ElementsAre("agents/huge.toml: " + folder.path("agents/huge.toml") + " is larger than 1MiB"));
}

TEST_F(OddFiles, ThatAreNoFilesAreTold) {
  fs::create_directory(folder.path("agents/folder.toml"));
  fs::create_symlink(folder.path("gone"), folder.path("agents/dangling.toml"));
  fs::create_symlink("loop.toml", folder.path("agents/loop.toml"));
  ASSERT_EQ(mkfifo(folder.path("agents/pipe.toml").c_str(), 0600), 0);
  EXPECT_THAT(problems(),
              ElementsAre(HasSubstr("agents/dangling.toml: cannot read"),
                          "agents/folder.toml: cannot read " + folder.path("agents/folder.toml") + ": not a regular file",
                          HasSubstr("agents/loop.toml: cannot read"), HasSubstr("agents/pipe.toml: cannot read")));
}

TEST_F(OddFiles, ThatEditorsKeepBesideOthersAreNoAgents) {
  for (const auto* name : {".#good.toml", ".good.toml.swp", "good.toml~", "good.toml.bak", ".toml", "toml"})
    folder.write(std::string("agents/") + name, "x");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(load().agents.size(), 1u);
}

TEST_F(OddFiles, WithANulAreRefusedWhereItIs) {
  folder.write("agents/nul.toml", kGood + std::string("description = \"a\0b\"\n", 20));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("agents/nul.toml:6:")));
  folder.write("agents/nul.toml", kGood + "[tools]\nallow = [\"fs.a\\u0000b\"]\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("agents/nul.toml:7:10: a text must not have a NUL character in it")));
}

TEST_F(OddFiles, WithNamesOfNoTextAreToldInText) {
  folder.write("agents/\xff\x1b[31m.toml", "");
  EXPECT_THAT(problems(), testing::Each(testing::AllOf(HasSubstr("agents/\xef\xbf\xbd\xef\xbf\xbd[31m.toml:1:1: "), testing::Not(HasSubstr("\xff")),
                                                       testing::Not(HasSubstr("\x1b")))));
  EXPECT_THAT(problems(), testing::SizeIs(2)) << "the name is none, and there is nothing to do";
}

TEST_F(OddFiles, OfTheKernelAreNotHandedToAModel) {
  folder.write("agents/nosy.toml", "system_instruction = \"file:/proc/self/environ\"\n" + kGood);
  fs::create_symlink("/proc/self/environ", folder.path("agents/link"));
  folder.write("agents/sly.toml", "system_instruction = \"file:link\"\n" + kGood);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("agents/nosy.toml:1:22: \"system_instruction\": cannot read /proc/self/environ: files of /proc and /sys are not read"),
                                      HasSubstr("agents/sly.toml:1:22: \"system_instruction\": cannot read " + folder.path("agents/link"))));
}

TEST_F(OddFiles, SayAKeyTwiceOnce) {
  folder.write("agents/twice.toml", kGood + "query = \"r\"\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("agents/twice.toml:6:")));
  folder.write("agents/twice.toml", kGood + "[task]\nquery = \"r\"\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("agents/twice.toml:6:")));
}

TEST_F(OddFiles, CannotBeReadByUs) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  chmod(folder.write("agents/locked.toml", kGood).c_str(), 0);
  fs::create_directory(folder.path("closed"));
  chmod(folder.path("closed").c_str(), 0);
  folders.push_back(folder.path("closed"));
  EXPECT_THAT(problems(),
              ElementsAre(HasSubstr("agents/locked.toml: cannot read"), HasSubstr("closed: cannot read the folder of agents")));
}

TEST_F(OddFiles, StandWhereAFolderIsWanted) {
  folders.push_back(folder.write("file", "x"));
  folders.push_back(folder.path("agents/good.toml/x"));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("good.toml/x: cannot read the folder of agents"),
                                      HasSubstr("file: cannot read the folder of agents")));
}

TEST_F(OddFiles, InOneFolderUnderTwoNamesAreReadOnce) {
  fs::create_directory_symlink(folder.path("agents"), folder.path("link"));
  folders = {folder.path("agents"), folder.path("link"), folder.path("agents/../agents"), folder.path("agents")};
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(load().agents.size(), 1u);
}

// ---- paths in settings

TEST_F(OddFiles, NameFoldersOfToolsetsFromWhereTheyStand) {
  const Checks checks{.toolset_schema = [](const std::string& instance) {
    return instance == "fs"
               ? R"({"properties":{"roots":{"type":"array","items":{"type":"string","format":"path"}},"mode":{"type":"string"}}})"
               : std::string();
  }};
  folder.write("agentd.toml", "[defaults.tools.toolsets.fs]\nroots = [\"shared\"]\n");
  config.defaults =
      load_config({.environment = {}, .working_folder = folder.path(), .config_file = {}, .flags = {}}).config.defaults;
  const auto toolsets = [&](const std::string& text) {
    return read_agent(kGood + text, folder.path("agents/a.toml"), config, checks).spec.value_or(AgentSpec{}).tools.toolsets;
  };
  EXPECT_EQ(
      toolsets("[tools]\ntoolsets.fs = { roots = [\"data\", \"/srv\", \"../up\", \"env:DATA\"], mode = \"data\" }\n").at("fs"),
      R"({"mode":"data","roots":[")" + folder.path("agents/data") + R"(","/srv",")" + folder.path("up") + R"(","env:DATA"]})");
  EXPECT_EQ(toolsets("").at("fs"), R"({"roots":[")" + folder.path("shared") + "\"]}") << "of the file that has the defaults";
  EXPECT_EQ(toolsets("[tools]\ntoolsets.fs = { roots = \"data\" }\n").at("fs"), R"({"roots":"data"})")
      << "the toolset refuses it";
  EXPECT_EQ(toolsets("[tools]\ntoolsets.other = { roots = [\"data\"] }\n").at("other"), R"({"roots":["data"]})");
}

}  // namespace
}  // namespace agentd::manifest
