#include "core/manifest/agents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/manifest/config.hpp"
#include "tests/unit/manifest/temporary_folder.hpp"

namespace agentd::manifest {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A host with one provider, and manifests read as agents/a.toml.
class Manifest : public testing::Test {
 protected:
  Manifest() { config.providers["openai"].plugin = "openai", config.providers["openai"].prices["m"] = {}, config.stores["local"].plugin = "sqlite"; }

  LoadedAgent read(const std::string& text, const std::string& file = "/srv/agents/a.toml") {
    return read_agent(text, file, config, checks, [this](const std::string& path) -> Result<std::string> {
      const auto at = files.find(path);
      return at == files.end() ? Result<std::string>(fail("cannot read " + path)) : at->second;
    }, "agents/a.toml");
  }
  std::vector<std::string> problems(const std::string& text) { return texts(read(text).problems); }
  std::vector<std::string> notes(const std::string& text) { return texts(read(text).notes); }
  AgentSpec spec(const std::string& text) {
    auto agent = read(text);
    EXPECT_THAT(texts(agent.problems), IsEmpty());
    return agent.spec.value_or(AgentSpec{});
  }
  void defaults(const std::string& text) { config.defaults = configured(text).config.defaults; }
  static LoadedConfig configured(const std::string& text) {
    TemporaryFolder folder;
    folder.write("agentd.toml", text);
    return load_config({.environment = {}, .working_folder = folder.path(), .config_file = "", .flags = {}, .system_folder = folder.path("etc")});
  }
  static std::vector<std::string> texts(const std::vector<Problem>& problems) {
    std::vector<std::string> out;
    for (const auto& p : problems) out.push_back(to_text(p));
    return out;
  }

  HostConfig config;
  Checks checks;
  std::map<std::string, std::string> files;
};

const std::string kModel = "[model]\nprovider = \"openai\"\nmodel = \"m\"\n";
const std::string kWorks = kModel + "[task]\nquery = \"q\"\n[schedule]\ninterval = \"10m\"\n";

TEST_F(Manifest, NeedsNoMoreThanATaskAModelAndASchedule) {
  const auto a = spec(kWorks);
  EXPECT_EQ(a.agent_id, "a");
  EXPECT_EQ(a.task.query, "q");
  EXPECT_EQ(std::get<Interval>(a.schedule.when).every, 10min);
  AgentSpec plain;  // everything else is what the header says
  plain.agent_id = "a", plain.task.query = "q", plain.model.provider = "openai", plain.model.model = "m", plain.schedule.when = Interval{10min};
  EXPECT_EQ(a, plain);
}

TEST_F(Manifest, ReadsEveryShapeOfValue) {
  const auto a = spec(R"(
agent_id = "a"
enabled = false
labels = { team = "ops" }
[model]
provider = "openai"
model = "m"
temperature = 1
[task]
query = "q"
params = { thresholds = { cpu = 80 } }
timeout = 90
[schedule]
cron = "0 9 * * MON-FRI"
timezone = "Europe/Berlin"
start = 2026-01-01T00:00:00Z
end = "2027-01-01T00:00:00+01:00"
overlap = "cancel_previous"
misfire = "skip"
[limits]
tool_output_limit = "128KiB"
total_tokens_limit = 0
[memory]
session = "fixed:shared"
[tools]
allow = ["fs.*"]
toolsets.fs = { roots = ["/var/log"] }
)");
  EXPECT_FALSE(a.enabled);
  EXPECT_EQ(a.labels.at("team"), "ops");
  EXPECT_EQ(a.model.temperature, 1.0);
  EXPECT_EQ(a.task.params, R"({"thresholds":{"cpu":80}})");
  EXPECT_EQ(a.task.timeout, 90s);
  EXPECT_EQ(std::get<Cron>(a.schedule.when).expression, "0 9 * * MON-FRI");
  EXPECT_EQ(a.schedule.end, parse_instant("2026-12-31T23:00:00Z").value());
  EXPECT_EQ(a.schedule.overlap, port::Overlap::cancel_previous);
  EXPECT_EQ(a.schedule.misfire, Misfire::skip);
  EXPECT_EQ(a.limits.tool_output_limit, 131072u);
  EXPECT_EQ(a.limits.total_tokens_limit, 0);
  EXPECT_EQ(a.memory.session, (Session{Session::Scope::fixed, "shared"}));
  EXPECT_EQ(a.tools.toolsets.at("fs"), R"({"roots":["/var/log"]})");
}

TEST_F(Manifest, TakesDottedPathsOfAGateAndANativeTaskFromItsOwnFolder) {
  const auto a = spec(R"(
[task]
native = "copy"
params = { from = "../data", to = ["./out", "plain", "..."], deep = { here = "." } }
[gate]
native = "changed_files"
params = { roots = ["../inbox", "/etc"] }
[schedule]
interval = "10m"
)");
  EXPECT_EQ(a.task.params, R"({"deep":{"here":"/srv/agents"},"from":"/srv/data","to":["/srv/agents/out","plain","..."]})");
  EXPECT_EQ(a.gate.value().params, R"({"roots":["/srv/inbox","/etc"]})");
  EXPECT_EQ(spec(kModel + "[task]\nquery = \"q\"\nparams = { from = \"../data\" }\n[schedule]\ninterval = \"10m\"\n").task.params, R"({"from":"../data"})");
}

TEST_F(Manifest, TellsEveryMistakeInOnePassWithItsPlace) {
  EXPECT_THAT(problems(R"([model]
provider = "openai"
model = "m"
temperature = "warm"
[task]
query = "q"
timeout = "5 minutes"
[schedule]
intervall = "10m"
[limits]
queue_size = 0
tool_output_limit = "1TB"
[retry]
backoff = "linear"
jitter = 2
)"),
              ElementsAre(R"(agents/a.toml:4:15: "temperature" must be a number, not text)",
                          R"(agents/a.toml:7:11: "timeout": "5 minutes" is not a duration; write it like "250ms", "30s", "5m", "1h" or "7d")",
                          R"(agents/a.toml:9:1: unknown key "intervall"; did you mean "interval"?)",
                          R"(agents/a.toml:11:14: "queue_size" must be between 1 and 1000000, not 0)",
                          R"(agents/a.toml:12:21: "tool_output_limit": "1TB" is not a size; write it like "64KiB", "8MiB" or a number of bytes)",
                          R"(agents/a.toml:14:11: "backoff" must be "exponential" or "fixed", not "linear")",
                          R"(agents/a.toml:15:10: "jitter" must be between 0 and 1)"));
}

TEST_F(Manifest, SaysWhereOtherNamesWent) {
  EXPECT_THAT(problems(kWorks + "[model_config]\nx = 1\n"), ElementsAre(HasSubstr(R"(unknown key "model_config"; the model stands in [model])")));
  EXPECT_THAT(problems("task_config = {}\n" + kWorks), ElementsAre(HasSubstr("[task]")));
  EXPECT_THAT(problems("retry_delay = 5\n" + kWorks), ElementsAre(HasSubstr("\"delay\" in [retry]")));
  EXPECT_THAT(problems("max_instances = 5\n" + kWorks), ElementsAre(HasSubstr("\"max_concurrent\" in [limits]")));
  EXPECT_THAT(problems("max_steps = 5\n" + kWorks), ElementsAre("agents/a.toml:1:1: unknown key \"max_steps\"; \"max_steps\" belongs in [limits]"));
  EXPECT_THAT(problems(kModel + "[task]\nquery = \"q\"\n[schedule]\ninterval = \"*/5 * * * *\"\n"), ElementsAre(HasSubstr("a cron expression goes into \"cron\"")));
}

TEST_F(Manifest, NeedsSomethingToDoAndSomebodyToDoIt) {
  EXPECT_THAT(problems(kModel), ElementsAre(HasSubstr("a.toml:1:1: nothing to do")));
  EXPECT_THAT(problems("[task]\nquery = \"q\"\n"), ElementsAre(HasSubstr("needs a \"model\""), HasSubstr("needs a \"provider\"")));
  EXPECT_THAT(problems("[task]\nquery = \"q\"\nnative = \"n\"\n" + kModel), ElementsAre("agents/a.toml:3:1: \"native\" does not go with \"query\": a task is one or the other"));
  EXPECT_THAT(problems("[task]\nnative = \"disk_report\"\n"), IsEmpty());
  EXPECT_THAT(problems("[task]\nnative = \"disk_report\"\nrequire = [\"fs.x\"]\n"), testing::Contains(HasSubstr("a native task has no model")));
}

TEST_F(Manifest, TakesOneOfIntervalCronAndAt) {
  EXPECT_THAT(problems(kWorks + "cron = \"@daily\"\n"), ElementsAre(HasSubstr("8:8: \"cron\" does not go with another")));
  EXPECT_THAT(notes(kModel + "[task]\nquery = \"q\"\n"), ElementsAre(HasSubstr("runs only by hand")));
  EXPECT_THAT(notes(kWorks), IsEmpty());
}

TEST_F(Manifest, IsNamedByItsFile) {
  EXPECT_THAT(problems("agent_id = \"b\"\n" + kWorks), ElementsAre("agents/a.toml:1:12: \"agent_id\" is \"b\" but the file is \"a.toml\": they must be equal; it may be left out"));
  const auto bad = read(kWorks, "/srv/agents/Bad Name.toml");
  EXPECT_THAT(texts(bad.problems), ElementsAre(HasSubstr("is not an agent's name")));
}

TEST_F(Manifest, RefusesWhatDoesNotGoTogether) {
  EXPECT_THAT(problems(kWorks + "start = 2027-01-01T00:00:00Z\nend = 2026-01-01T00:00:00Z\n"), ElementsAre(HasSubstr("9:1: \"end\" must be after")));
  EXPECT_THAT(problems(kWorks + "jitter = \"10m\"\n"), ElementsAre(HasSubstr("shorter than the interval")));
  EXPECT_THAT(problems(kWorks + "[retry]\ndelay = \"1h\"\n"), ElementsAre(HasSubstr("must not be longer than \"max_delay\"")));
  EXPECT_THAT(problems(kWorks + "start = 2026-01-01T00:00:00\n"), ElementsAre(HasSubstr("is not an instant")));
}

TEST_F(Manifest, KnowsTheHostsEntries) {
  EXPECT_THAT(problems("[model]\nprovider = \"opnai\"\nmodel = \"m\"\n[task]\nquery = \"q\"\n"),
              ElementsAre("agents/a.toml:2:1: no provider \"opnai\": agentd.toml has no [providers.opnai]; did you mean \"openai\"?"));
  EXPECT_THAT(problems("[model]\nprovider = \"openrouter\"\nmodel = \"m\"\n[task]\nquery = \"q\"\n"),
              ElementsAre("agents/a.toml:2:1: no provider \"openrouter\": agentd.toml has no [providers.openrouter]; set OPENROUTER_API_KEY, or add [providers.openrouter]"));
  EXPECT_THAT(problems(kWorks + "[memory]\nstore = \"redis\"\n"), ElementsAre(HasSubstr("no store \"redis\"")));
}

TEST_F(Manifest, AsksLaterRoomsAndPutsTheirAnswersInPlace) {
  const auto refuse = [](const std::string& what) { return [what](const std::string& v) -> Result<void> { return fail(what + " " + v); }; };
  checks = {.cron = refuse("cron"), .zone = refuse("zone"), .provider = refuse("provider"), .store = refuse("store"), .native_task = refuse("task"),
            .tool = refuse("tool"), .tool_pattern = [](const std::string& p) -> Result<std::string> { return p == "mcp.x.*" ? Result<std::string>("cannot know") : fail("pattern " + p); },
            .toolset = [](const std::string& name, const std::string& json) { return std::vector<SettingFault>{{"", "toolset " + name + json}}; }, .json_schema = refuse("schema")};
  files["/srv/agents/s.json"] = "{}";
  const auto agent = read(R"([model]
provider = "openai"
model = "m"
[task]
query = "q"
require = ["fs.a"]
output_schema = "s.json"
[schedule]
cron = "x"
timezone = "Mars"
[memory]
store = "local"
[tools]
allow = ["fs.a", "mcp.x.*"]
toolsets.fs = {}
)");
  EXPECT_THAT(texts(agent.problems), ElementsAre("agents/a.toml:2:1: provider openai", "agents/a.toml:6:12: tool fs.a", "agents/a.toml:7:1: schema {}", "agents/a.toml:9:1: cron x",
                                                 "agents/a.toml:10:1: zone Mars", "agents/a.toml:12:1: store local", "agents/a.toml:14:10: pattern fs.a", "agents/a.toml:15:10: tools.toolsets.fs: toolset fs{}"));
  EXPECT_THAT(texts(agent.notes), ElementsAre("agents/a.toml:14:18: cannot know"));
}

TEST_F(Manifest, LetsNothingBeRequiredThatIsNotAllowed) {
  const auto with = [](const std::string& tools) { return kModel + "[task]\nquery = \"q\"\nrequire = [\"fs.write_file\"]\n[tools]\n" + tools; };
  EXPECT_THAT(problems(with("allow = [\"fs.*\"]")), IsEmpty());
  EXPECT_THAT(problems(with("allow = [\"system.*\"]")), ElementsAre(HasSubstr("6:12: \"fs.write_file\" is required")));
  EXPECT_THAT(problems(with("allow = [\"fs.*\"]\ndeny = [\"*.write_*\"]")), ElementsAre(HasSubstr("may not call it")));
  EXPECT_THAT(problems(with("allow = [\"fs.*\", \"system\"]")), ElementsAre(HasSubstr("all of a toolset's are \"system.*\"")));
}

TEST_F(Manifest, ReadsTheFilesItNames) {
  files["/srv/agents/AGENTS.md"] = "Be brief.";
  files["/srv/agents/s.json"] = R"({"type":"object"})";
  files["/srv/agents/bad.json"] = "{";
  const auto a = spec("system_instruction = \"file:AGENTS.md\"\n[task]\nquery = \"q\"\noutput_schema = \"s.json\"\n" + kModel);
  EXPECT_EQ(a.system_instruction, "Be brief.");
  EXPECT_EQ(a.task.output_schema, R"({"type":"object"})");
  EXPECT_THAT(problems("system_instruction = \"file:../x.md\"\n" + kWorks), ElementsAre(HasSubstr("1:22: \"system_instruction\": cannot read /srv/x.md")));
  EXPECT_THAT(problems("[task]\nquery = \"q\"\noutput_schema = \"bad.json\"\n" + kModel), ElementsAre(HasSubstr("is not JSON")));
}

TEST_F(Manifest, TakesDefaultsWhereItIsSilent) {
  defaults("[defaults]\nmodel = { provider = \"openai\", model = \"d\" }\n[defaults.schedule]\ncron = \"@daily\"\ntimezone = \"Europe/Berlin\"\n[defaults.limits]\nmax_steps = 3\n");
  const auto a = spec("[task]\nquery = \"q\"\n[schedule]\ninterval = \"1h\"\n[limits]\nqueue_size = 7\n");
  EXPECT_EQ(a.model.model, "d");
  EXPECT_EQ(std::get<Interval>(a.schedule.when).every, 1h);  // its own choice, not the default's cron
  EXPECT_EQ(a.schedule.timezone, "Europe/Berlin");
  EXPECT_EQ(a.limits.max_steps, 3);
  EXPECT_EQ(a.limits.queue_size, 7);
  EXPECT_EQ(std::get<Cron>(spec("[task]\nquery = \"q\"\n").schedule.when).expression, "@daily");
}

TEST_F(Manifest, BlamesTheDefaultsForTheirMistakes) {
  EXPECT_THAT(texts(configured("[defaults]\nlimits = { max_step = 3 }\nagent_id = \"x\"\n").problems),
              ElementsAre(R"(agentd.toml:2:12: unknown key "max_step"; did you mean "max_steps"?)", HasSubstr("agentd.toml:3:1: \"agent_id\" has no default")));
  defaults("[defaults]\nmodel = { provider = \"gone\", model = \"d\" }\n");
  EXPECT_THAT(problems("[task]\nquery = \"q\"\n"), ElementsAre(HasSubstr("agentd.toml:2:11: no provider \"gone\"")));
}

TEST_F(Manifest, IsRefusedWhereItsSyntaxIsWrong) {
  EXPECT_THAT(problems("[task\nquery = 1\n"), ElementsAre(HasSubstr("agents/a.toml:1:")));
  EXPECT_THAT(problems("[task]\nquery = \"q\"\nquery = \"r\"\n"), ElementsAre(HasSubstr("agents/a.toml:3:")));
  EXPECT_THAT(problems("x = \xff\n"), ElementsAre(HasSubstr("agents/a.toml:1:")));
  EXPECT_THAT(problems(kWorks + "[task.params]\nx = nan\n"), testing::Contains(HasSubstr("agents/a.toml")));
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  EXPECT_THAT(problems("\n" + deep + " = 1\n"), ElementsAre("agents/a.toml:2:1: a key has too many parts: at most 16"));
  EXPECT_THAT(problems(kWorks + "[retry]\n# a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s\n"), IsEmpty());
  EXPECT_THAT(problems("description = \"\"\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s\n\"\"\"\n" + kWorks), IsEmpty());
}

TEST_F(Manifest, RefusesWhatIsNotBuiltYetWhereItIsSet) {
  EXPECT_THAT(problems(kWorks + "[memory]\nstores = { long_term = \"local\" }\n"), IsEmpty());
  EXPECT_THAT(problems("skills = [\"skills/report\"]\n" + kWorks), ElementsAre("agents/a.toml:1:1: \"skills\" is not supported yet"));
  EXPECT_THAT(problems(kWorks + "misfire = \"al\"\n"), ElementsAre(HasSubstr("must be \"latest\", \"skip\" or \"all\"")));
  EXPECT_THAT(problems(kWorks + "[memory]\nsummarize = true\nlearn = [\"procedural\"]\n"), IsEmpty());
}

TEST_F(Manifest, SaysWhatATriggerNeeds) {
  const auto trigger = [&](const std::string& rest) { return problems(kWorks + "[[trigger]]\nname = \"t\"\n" + rest); };
  EXPECT_THAT(trigger("on = \"agent\"\n"), ElementsAre(HasSubstr("a.toml:10:6: \"agent\" is missing")));
  EXPECT_THAT(trigger("on = \"agent\"\nagent = \"b\"\n"), IsEmpty());
  const std::string follows = "[[trigger]]\nname = \"t\"\non = \"agent\"\nagent = \"b\"\n";
  EXPECT_THAT(notes(kWorks + follows), ElementsAre(HasSubstr("a.toml:10:6: what ends while a run is alive starts none; [schedule] overlap = \"queue\"")));
  EXPECT_THAT(notes(kWorks + "overlap = \"queue\"\n" + follows), IsEmpty());
  EXPECT_THAT(trigger("on = \"webhook\"\n"), ElementsAre(HasSubstr("a.toml:10:6: \"secret\" is missing")));
  EXPECT_THAT(trigger("on = \"webhook\"\nsecret = \"whsec_abc\"\n"), ElementsAre(HasSubstr("\"secret\" must be a reference")));
  EXPECT_THAT(trigger("on = \"webhook\"\nsecret = \"env:S\"\nglob = \"*\"\n"), ElementsAre(HasSubstr("belongs to a trigger with on = \"file\"")));
  EXPECT_THAT(trigger("on = \"file\"\n"), ElementsAre(HasSubstr("a.toml:10:6: \"path\" is missing")));
  EXPECT_THAT(trigger("on = \"file\"\npath = \"/in\"\nglob = \"a/*.csv\"\n"), ElementsAre(HasSubstr("a.toml:12:8: \"glob\" is for the names of files")));
  EXPECT_THAT(trigger("on = \"file\"\npath = \"in\"\n"), IsEmpty());
  EXPECT_THAT(trigger("on = \"agent\"\nagent = \"b\"\n[[trigger]]\nname = \"t\"\non = \"agent\"\nagent = \"c\"\n"), ElementsAre(HasSubstr("a.toml:13:8: another trigger is called \"t\"")));
  EXPECT_THAT(trigger("on = \"agent\"\nagent = \"b\"\noutcome = \"done\"\n"), ElementsAre(HasSubstr("must be \"completed\"")));
}

TEST(AgentFolders, TellChainsToAgentsThatAreNotThereAndThoseThatNeverEnd) {
  TemporaryFolder folder;
  HostConfig config;
  config.stores["local"], config.providers["openai"];
  const auto follows = [&](const std::string& id, const std::string& followed) {
    folder.write("agents/" + id + ".toml", kWorks + "[[trigger]]\nname = \"t\"\non = \"agent\"\nagent = \"" + followed + "\"\n");
  };
  follows("a", "c"), follows("b", "a"), follows("c", "b"), follows("d", "collectr"), follows("e", "a");
  folder.write("agents/collector.toml", kWorks);
  const auto loaded = load_agents({folder.path("agents")}, config, {}, folder.path());
  std::map<std::string, std::string> told;
  for (const auto& agent : loaded.agents) {
    EXPECT_EQ(agent.spec.has_value(), agent.problems.empty());
    if (!agent.problems.empty()) told[agent.agent_id] = to_text(agent.problems[0]);
  }
  EXPECT_EQ(told, (std::map<std::string, std::string>{{"a", "agents/a.toml:11:9: this chain never ends: c -> a -> b -> c"},
                                                      {"b", "agents/b.toml:11:9: this chain never ends: a -> b -> c -> a"},
                                                      {"c", "agents/c.toml:11:9: this chain never ends: b -> c -> a -> b"},
                                                      {"d", "agents/d.toml:11:9: there is no agent \"collectr\"; did you mean \"collector\"?"}}));
}

TEST_F(Manifest, RefusesLiteralSecrets) {
  const auto got = problems(kWorks + "[tools]\ntoolsets.http = { api_key = \"sk-abcdef\", nested = { token = \"env:TOKEN\" } }\n");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_THAT(got[0], HasSubstr("must be a reference"));
  EXPECT_THAT(got[0], testing::Not(HasSubstr("sk-abcdef")));
}

TEST(AgentFolders, AreReadInParts) {
  TemporaryFolder folder;
  HostConfig config;
  config.stores["local"], config.providers["openai"];
  for (const char* id : {"c", "a", "b"}) folder.write("agents/" + std::string(id) + ".toml", kWorks);
  folder.write("more/b.toml", kWorks);
  const auto found = find_agents({folder.path("agents"), folder.path("more")}, folder.path());
  ASSERT_EQ(found.folders.size(), 2u);
  EXPECT_THAT(found.folders[0].stems, ElementsAre("a", "b", "c"));
  const auto first = load_agents(found, 0, 0, 2, config, {}), second = load_agents(found, 0, 2, 2, config, {}), other = load_agents(found, 1, 0, 2, config, {});
  ASSERT_TRUE(first.size() == 2 && second.size() == 1 && other.size() == 1);
  EXPECT_EQ(first[1].file, "agents/b.toml");
  EXPECT_EQ(second[0].spec->agent_id, "c");
  EXPECT_FALSE(other[0].spec);  // its id is the earlier folder's, though only now it is read
  EXPECT_TRUE(load_agents(found, 0, 3, 2, config, {}).empty());
}

TEST(AgentFolders, GiveEachFileASpecOrItsProblems) {
  TemporaryFolder folder;
  HostConfig config;
  config.stores["local"], config.providers["openai"];
  folder.write("agents/good.toml", kWorks);
  folder.write("agents/bad.toml", "x = 1\n[task]\nnative = \"n\"\n");
  folder.write("agents/.hidden.toml", "x");
  folder.write("agents/readme.md", "x");
  folder.write("more/good.toml", kWorks);
  const auto got = load_agents({folder.path("agents"), folder.path("more"), folder.path("none")}, config, {}, folder.path());
  ASSERT_EQ(got.agents.size(), 3u);
  EXPECT_EQ(got.agents[0].agent_id, "bad");
  EXPECT_FALSE(got.agents[0].spec);
  EXPECT_TRUE(got.agents[1].spec);
  EXPECT_FALSE(got.agents[2].spec);
  std::vector<std::string> all;
  for (const auto& p : all_problems(got)) all.push_back(to_text(p));
  EXPECT_THAT(all, ElementsAre("agents/bad.toml:1:1: unknown key \"x\"", "more/good.toml:1:1: agent \"good\" exists already: agents/good.toml", HasSubstr("none: cannot read the folder")));
}

}  // namespace
}  // namespace agentd::manifest
