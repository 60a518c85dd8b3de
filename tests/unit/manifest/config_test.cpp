#include "core/manifest/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/manifest/agents.hpp"
#include "core/manifest/tree.hpp"
#include "tests/unit/manifest/temporary_folder.hpp"

namespace agentd::manifest {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A host that is started in a folder of its own.
class Config : public testing::Test {
 protected:
  LoadedConfig load(const std::string& text) {
    folder.write("agentd.toml", text);
    return load();
  }
  LoadedConfig load() {
    return load_config({.environment = environment, .working_folder = folder.path(), .config_file = config_file, .flags = flags, .system_folder = folder.path("etc")});
  }
  std::vector<std::string> problems(const std::string& text) { return texts(load(text)); }
  static std::vector<std::string> texts(const LoadedConfig& loaded) {
    std::vector<std::string> out;
    for (const auto& p : loaded.problems) out.push_back(to_text(p));
    return out;
  }
  static std::string origin(const LoadedConfig& loaded, const std::string& key) {
    const auto at = std::ranges::find(loaded.settings, key, &Setting::key);
    return at == loaded.settings.end() ? "(none)" : at->value + " from " + at->from;
  }
  static Json defaults(const LoadedConfig& loaded) { return to_json(*loaded.config.defaults); }

  TemporaryFolder folder;
  Environment environment;
  std::string config_file;
  std::vector<Flag> flags;
};

TEST_F(Config, NeedsNoFile) {
  const auto got = load();
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_EQ(got.config.file, "");
  EXPECT_THAT(got.notes, ElementsAre("no configuration file: there is no " + folder.path("agentd.toml") + ", no " + folder.path("etc/agentd.toml") + "; the defaults serve"));
  EXPECT_THAT(load("").notes, IsEmpty());
  EXPECT_THAT(got.config.host.agent_dirs, ElementsAre(folder.path("agents")));
  EXPECT_EQ(got.config.host.state_dir, folder.path("state"));
  EXPECT_EQ(got.config.stores.at("local").plugin, "sqlite");
  EXPECT_EQ(got.config.api.listen, "127.0.0.1:8765");
  EXPECT_EQ(origin(got, "log.level"), "\"info\" from default");
}

TEST_F(Config, IsFoundWhereItIsSearched) {
  folder.write("etc/agentd.toml", "[log]\nlevel = \"error\"\n");
  EXPECT_EQ(load().config.log.level, "error");
  environment["XDG_CONFIG_HOME"] = folder.path("xdg");
  folder.write("xdg/agentd/agentd.toml", "[log]\nlevel = \"warn\"\n");
  EXPECT_EQ(load().config.log.level, "warn");
  EXPECT_EQ(load("[log]\nlevel = \"debug\"\n").config.log.level, "debug");
  environment["AGENTD_CONFIG"] = folder.write("other.toml", "[log]\nlevel = \"trace\"\n");
  EXPECT_EQ(load().config.log.level, "trace");
  folder.write("flag.toml", "[log]\nlevel = \"off\"\n");
  config_file = "flag.toml";
  EXPECT_EQ(load().config.log.level, "off");
  config_file = "missing.toml";
  EXPECT_THAT(texts(load()), ElementsAre(HasSubstr("missing.toml: cannot read")));
}

TEST_F(Config, ResolvesPathsAgainstTheFileThatNamesThem) {
  environment["AGENTD_CONFIG"] = folder.write("deep/c.toml", "[host]\nagent_dirs = [\"a\", \"/b\"]\nstate_dir = \"../s/\"\n[providers.openai]\napi_key = \"file:key\"\n");
  const auto got = load();
  EXPECT_THAT(got.config.host.agent_dirs, ElementsAre(folder.path("deep/a"), "/b"));
  EXPECT_EQ(got.config.host.state_dir, folder.path("s"));
  EXPECT_EQ(got.config.providers.at("openai").settings, R"({"api_key":"file:)" + folder.path("deep/key") + "\"}");
}

TEST_F(Config, KeepsThePluginsKeysForThePlugin) {
  const auto got = load(R"(
[stores.team]
plugin = "postgres"
url = "env:DATABASE_URL"
[providers.openai]
base_url = "http://localhost/v1"
api_key = "env:KEY"
timeout = "5s"
organization = "o"
[providers.openai.prices."gpt-4.1-mini"]
input = 0.15
cache_read = 0.075
[toolsets.fs]
roots = ["/srv"]
)");
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_EQ(got.config.stores.at("team").settings, R"({"url":"env:DATABASE_URL"})");
  const auto& openai = got.config.providers.at("openai");
  EXPECT_EQ(openai.plugin, "openai");
  EXPECT_EQ(openai.settings, R"({"api_key":"env:KEY","base_url":"http://localhost/v1","organization":"o"})");
  EXPECT_EQ(openai.timeout, 5s);
  EXPECT_EQ(openai.prices.at("gpt-4.1-mini").input, 150'000'000);
  EXPECT_EQ(openai.prices.at("gpt-4.1-mini").cache_read, 75'000'000);
  EXPECT_EQ(got.config.toolsets.at("fs").plugin, "fs");
  EXPECT_EQ(origin(got, "providers.openai.prices.\"gpt-4.1-mini\".input"), "0.15 from agentd.toml:11");
}

TEST_F(Config, TellsEveryMistakeWithItsPlace) {
  EXPECT_THAT(problems("[log]\nlevle = \"info\"\n[api]\nlisten = \"0.0.0.0:80\"\n[ledger]\nstore = \"locl\"\n[events]\nstores = [\"x\"]\n[plugins.p]\nsha256 = \"abc\"\n"),
              ElementsAre("agentd.toml:2:1: unknown key \"levle\"; did you mean \"level\"?",
                          "agentd.toml:4:10: an address that others reach takes [api] tokens; without them listen on 127.0.0.1",
                          "agentd.toml:6:9: no store \"locl\": there is no [stores.locl]; did you mean \"local\"?", HasSubstr("agentd.toml:8:10: no store \"x\""),
                          HasSubstr("agentd.toml:10:10: \"sha256\" must be 64 hex digits")));
  EXPECT_THAT(problems("[api]\nlisten = \"127.0.0.1\"\n"), ElementsAre(HasSubstr("must be ADDRESS:PORT")));
  EXPECT_THAT(problems("[api]\nlisten = \"127.0.0.1:80000\"\n"), ElementsAre(HasSubstr("at most 65535")));
  EXPECT_THAT(problems("[api]\nlisten = \"[::1]:0\"\n"), IsEmpty());
}

TEST_F(Config, RefusesLiteralSecretsWithoutRepeatingThem) {
  for (const auto* text : {"[providers.openai]\napi_key = \"sk-abcdef\"\n", "[stores.x]\nurl = \"postgres://u:sk-abcdef@h/d\"\n", "[toolsets.http.headers]\nAuthorization = \"Bearer sk-abcdef\"\n"}) {
    const auto got = load(text);
    ASSERT_EQ(got.problems.size(), 1u) << text;
    EXPECT_THAT(got.problems[0].message, HasSubstr("must be a reference"));
    EXPECT_THAT(got.problems[0].message, Not(HasSubstr("sk-abcdef")));
    for (const auto& setting : got.settings) EXPECT_THAT(setting.value, Not(HasSubstr("sk-abcdef")));
  }
}

TEST_F(Config, RefusesAddressesThatCarryMoreThanAnAddress) {
  const auto base = [this](const std::string& url) { return problems("[providers.a]\nplugin = \"openai\"\nbase_url = \"" + url + "\"\n"); };
  for (const auto* url : {"https://api.example.com/v1", "http://127.0.0.1:1", "http://[::1]:8080/v1?x=%20", "https://h/a@b", "env:BASE"}) EXPECT_THAT(base(url), IsEmpty()) << url;
  for (const auto* url : {"https://user:pass-word@h/v1", "https://token-abc@h", "https://:pass-word@h"}) {
    EXPECT_THAT(base(url), ElementsAre(HasSubstr("agentd.toml:3:12: \"base_url\" holds credentials"))) << url;
    EXPECT_THAT(base(url), ElementsAre(Not(testing::ContainsRegex("pass-word|token-abc")))) << url;
  }
  for (const auto* url : {"https://h/a b", "https://h/\\r\\nX: y", "https://h\\t", "https://h/\\u007f", "https://h\\\\evil"})
    EXPECT_THAT(base(url), ElementsAre(HasSubstr("agentd.toml:3:12: \"base_url\" has a space, a control character or a backslash"))) << url;
  for (const auto* url : {"localhost:8080", "ftp://h", "file:///etc/passwd", "//h"}) EXPECT_THAT(base(url), ElementsAre(HasSubstr("must begin with \"http://\""))) << url;
  for (const auto* url : {"https://", "http:///v1", "http://:80/"}) EXPECT_THAT(base(url), ElementsAre(HasSubstr("names no host"))) << url;
}

TEST_F(Config, TellsOfEveryUnsafeAddressInOnePass) {
  environment = {{"OPENAI_BASE_URL", "http://h/\r\nEvil: 1"}, {"AGENTD__STORES__HOOK__URL", "https://h/ x"}};
  EXPECT_THAT(problems("[stores.hook]\nplugin = \"webhook\"\n[toolsets.http]\nbase_url = \"https://me@h\"\nother_url = \"https://h\\n\"\n[providers.a]\nbase_url = \"h\"\n"),
              ElementsAre(HasSubstr("agentd.toml:4:12: \"base_url\" holds credentials"), HasSubstr("agentd.toml:5:13: \"other_url\" has a space"),
                          HasSubstr("agentd.toml:7:12: \"base_url\" must begin with"), HasSubstr("env AGENTD__STORES__HOOK__URL: \"url\" has a space"),
                          HasSubstr("env OPENAI_BASE_URL: \"base_url\" has a space")));
}

TEST_F(Config, KnowsWhereItsValuesWereWritten) {
  const auto got = load("[ledger]\nstore = \"local\"\n[providers.a]\nplugin = \"openai\"\n");
  EXPECT_EQ(to_text(problem_at(got, {"ledger", "store"}, "m")), "agentd.toml:2:9: m");
  EXPECT_EQ(to_text(problem_at(got, {"providers", "a"}, "m")), "agentd.toml:3:12: m");
  EXPECT_EQ(to_text(problem_at(got, {"memory", "store"}, "m")), "agentd.toml:1:1: m");
}

TEST_F(Config, FlagsWinOverTheEnvironmentOverTheFile) {
  const std::string file = "[log]\nlevel = \"error\"\nformat = \"json\"\n[api]\nlisten = \"127.0.0.1:1\"\n";
  environment = {{"AGENTD__LOG__LEVEL", "warn"}, {"AGENTD__API__LISTEN", "127.0.0.1:2"}};
  flags = {{"--listen", "api.listen", {"127.0.0.1:3"}}, {"--agents", "host.agent_dirs", {"x", "/y"}}};
  const auto got = load(file);
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_EQ(origin(got, "api.listen"), "\"127.0.0.1:3\" from --listen");
  EXPECT_EQ(origin(got, "log.level"), "\"warn\" from env AGENTD__LOG__LEVEL");
  EXPECT_EQ(origin(got, "log.format"), "\"json\" from agentd.toml:3");
  EXPECT_THAT(got.config.host.agent_dirs, ElementsAre(folder.path("x"), "/y"));
}

TEST_F(Config, TypesTheEnvironmentByTheKey) {
  environment = {{"AGENTD__PROVIDERS__MY_GATE__MAX_CONCURRENT", "5"}, {"AGENTD__PROVIDERS__MY_GATE__STRICT", "true"},   {"AGENTD__HOST__AGENT_DIRS", "a, /b"},
                 {"AGENTD__HOST__PLUGIN_DIRS", "[\"/p\"]"},            {"AGENTD__HOST__DRAIN_TIMEOUT", "5"},           {"AGENTD__DEFAULTS__RETRY__JITTER", "0.5"},
                 {"AGENTD__DEFAULTS__DEBUG", "1"},                     {"AGENTD__TOOLSETS__FS__ROOTS", "[\"/srv\"]"},  {"AGENTD__DEFAULTS__DESCRIPTION", "5"},
                 {"AGENTD__LOG__LEVELS__EVENTS", "debug"},             {"AGENTD__DEFAULTS__TASK__PARAMS__N", "5"}};
  const auto got = load("[providers.My-Gate]\nplugin = \"openai\"\n");
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_EQ(got.config.providers.at("My-Gate").max_concurrent, 5);
  EXPECT_EQ(got.config.providers.at("My-Gate").settings, R"({"strict":true})");
  EXPECT_THAT(got.config.host.agent_dirs, ElementsAre(folder.path("a"), "/b"));
  EXPECT_THAT(got.config.host.plugin_dirs, ElementsAre("/p"));
  EXPECT_EQ(got.config.host.drain_timeout, 5s);
  EXPECT_EQ(got.config.toolsets.at("fs").settings, R"({"roots":["/srv"]})");
  EXPECT_EQ(got.config.log.levels.at("events"), "debug");
  EXPECT_EQ(defaults(got), Json::parse(R"({"retry":{"jitter":0.5},"debug":true,"description":"5","task":{"params":{"n":5}}})"));
}

TEST_F(Config, RefusesUnknownOverridesByName) {
  environment = {{"AGENTD__LOG__LEVLE", "info"}, {"AGENTD__X", "1"}, {"AGENTD__API__", "1"}, {"AGENTD__API__LISTEN__X", "1"}, {"AGENTD__LOG", "x"}, {"AGENTD__HOST__DRAIN_TIMEOUT", "soon"},
                 {"AGENTD_URL", "ours"}, {"AGENTD__PROVIDERS__OPENAI__API_KEY", "sk-abcdef"}};
  EXPECT_THAT(texts(load()), ElementsAre("env AGENTD__API__: not a key: write AGENTD__SECTION__KEY", "env AGENTD__API__LISTEN__X: \"listen\" must be text, not a table",
                                         HasSubstr("env AGENTD__HOST__DRAIN_TIMEOUT: \"drain_timeout\": \"soon\" is not a duration"),
                                         "env AGENTD__LOG: contradicts AGENTD__LOG__LEVLE, which sets a part of it", "env AGENTD__LOG__LEVLE: unknown key \"levle\"; did you mean \"level\"?",
                                         HasSubstr("env AGENTD__PROVIDERS__OPENAI__API_KEY: \"api_key\" must be a reference"), "env AGENTD__X: unknown key \"x\""));
}

TEST_F(Config, BorrowsAProviderFromItsUsualKey) {
  environment = {{"OPENAI_API_KEY", "sk-1"}, {"OPENROUTER_API_KEY", "sk-2"}, {"GEMINI_API_KEY", ""}, {"LLM_PROVIDER", "openai"}, {"MODEL", "gpt"}};
  const auto got = load();
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_EQ(got.config.providers.size(), 2u);
  EXPECT_EQ(got.config.providers.at("openai").settings, R"({"api_key":"env:OPENAI_API_KEY"})");
  EXPECT_EQ(got.config.providers.at("openrouter").plugin, "openai");
  EXPECT_EQ(defaults(got), Json::parse(R"({"model":{"model":"gpt","provider":"openai"}})"));
  EXPECT_EQ(origin(got, "providers.openai.api_key"), "\"env:OPENAI_API_KEY\" from env OPENAI_API_KEY");
  environment["OPENAI_BASE_URL"] = "http://localhost:1/v1";
  EXPECT_THAT(load().config.providers.at("openai").settings, HasSubstr("http://localhost:1/v1"));
  EXPECT_EQ(defaults(load("[defaults]\nmodel = { provider = \"openrouter\" }\n"))["model"], Json::parse(R"({"model":"gpt","provider":"openrouter"})"));
}

TEST_F(Config, SendsABorrowedKeyNowhereItIsNotKnownToBelong) {
  environment = {{"OPENAI_API_KEY", "sk-1"}};
  const auto got = load("[providers.openai]\nbase_url = \"https://elsewhere.example/v1\"\n");
  EXPECT_EQ(got.config.providers.at("openai").settings, R"({"base_url":"https://elsewhere.example/v1"})");
  EXPECT_THAT(got.notes, ElementsAre(HasSubstr("OPENAI_API_KEY is not sent to [providers.openai]")));
  EXPECT_THAT(load("[providers.openai]\ntimeout = 5\n").config.providers.at("openai").settings, HasSubstr("env:OPENAI_API_KEY"));
}

TEST_F(Config, BorrowsWhatBackgroundAgentsWereGiven) {
  environment = {{"BG_AGENT_MAX_RETRIES", "5"}, {"BG_AGENT_TIMEOUT", "60"}, {"BG_AGENT_TOKEN_BUDGET", "1000"}};
  EXPECT_EQ(defaults(load()), Json::parse(R"({"limits":{"total_tokens_limit":1000},"retry":{"max_retries":5},"task":{"timeout":60}})"));
  environment["BG_AGENT_COST_BUDGET"] = "1.5";
  EXPECT_EQ(defaults(load())["limits"]["cost_limit"], 1.5);
}

TEST_F(Config, TakesAChoiceOfStoresWhereTheFileMakesNone) {
  environment = {{"QDRANT_HOST", "h"}, {"QDRANT_PORT", "tcp://10.0.0.1:6333"}, {"DATABASE_URL", "postgres://x"}};
  auto got = load();
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_THAT(got.notes, Contains(HasSubstr("QDRANT_PORT is ignored: an orchestrator set it")));
  EXPECT_THAT(got.notes, Contains(HasSubstr("QDRANT_HOST is set, and nothing")));
  environment["MEMORY_STORE_TYPE"] = "papyrus";
  EXPECT_THAT(texts(load()), ElementsAre(HasSubstr("\"qdrant\" or \"chromadb\", not \"papyrus\"")));
  EXPECT_THAT(problems("[memory]\nstore = \"local\"\n[events]\nstores = []\n"), IsEmpty());  // the file decides
  environment["EVENT_STORE_TYPE"] = "papyrus";
  EXPECT_THAT(problems("[memory]\nstore = \"local\"\n"), ElementsAre(HasSubstr("must be \"memory\" or \"redis_stream\", not \"papyrus\"")));
  environment = {{"MEMORY_STORE_TYPE", "memory"}, {"EVENT_STORE_TYPE", "memory"}};
  folder.write("agentd.toml", "");
  got = load();
  EXPECT_EQ(got.config.memory.store, "memory");
  EXPECT_EQ(got.config.stores.at("memory").plugin, "ram");
}

TEST_F(Config, BorrowsARedisThatIsChosen) {
  environment = {{"REDIS_HOST", "cache"}, {"REDIS_PORT", "6380"}, {"REDIS_DB", "2"}, {"REDIS_STREAM_KEY", "copies"}, {"REDIS_PASSWORD", "x"}};
  auto got = load();
  EXPECT_FALSE(got.config.stores.contains("redis"));
  EXPECT_THAT(got.notes, Contains(HasSubstr("REDIS_HOST is set, and nothing")));

  const auto settings = R"({"db":2,"host":"cache","password":"env:REDIS_PASSWORD","port":6380,"stream":"copies"})";
  environment["MEMORY_STORE_TYPE"] = "redis";
  got = load();
  EXPECT_EQ(got.config.memory.store, "redis");
  EXPECT_THAT(got.config.events.stores, IsEmpty());
  EXPECT_EQ(got.config.stores.at("redis").plugin, "redis");
  EXPECT_EQ(got.config.stores.at("redis").settings, settings);
  EXPECT_THAT(got.notes, Not(Contains(HasSubstr("REDIS_"))));

  environment.erase("MEMORY_STORE_TYPE");
  environment["EVENT_STORE_TYPE"] = "redis_stream";
  got = load();
  EXPECT_EQ(got.config.memory.store, "local");
  EXPECT_THAT(got.config.events.stores, ElementsAre("redis"));
  EXPECT_EQ(got.config.stores.at("redis").settings, settings);

  environment["REDIS_PORT"] = "tcp://10.0.0.1:6379";
  got = load("[stores.redis]\nprefix = \"team:\"\n");
  EXPECT_EQ(got.config.stores.at("redis").settings, R"({"db":2,"host":"cache","password":"env:REDIS_PASSWORD","prefix":"team:","stream":"copies"})");
  EXPECT_THAT(got.notes, ElementsAre(HasSubstr("REDIS_PORT is ignored: an orchestrator set it")));
}

TEST_F(Config, BorrowsAVectorDatabaseThatIsChosen) {
  environment = {{"MEMORY_STORE_TYPE", "qdrant"}, {"QDRANT_HOST", "vectors"}, {"QDRANT_PORT", "7333"}, {"QDRANT_API_KEY", "x"}};
  auto got = load();
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_EQ(got.config.memory.store, "qdrant");
  EXPECT_EQ(got.config.stores.at("qdrant").plugin, "qdrant");
  EXPECT_EQ(got.config.stores.at("qdrant").settings, R"({"api_key":"env:QDRANT_API_KEY","host":"vectors","port":7333})");

  environment = {{"MEMORY_STORE_TYPE", "chromadb"}, {"CHROMADB_HOST", "vectors"}, {"CHROMADB_PORT", "9000"}, {"CHROMADB_PERSIST_DIRECTORY", "/srv/vectors"}};
  got = load();
  EXPECT_EQ(got.config.stores.at("chromadb").plugin, "chroma");
  EXPECT_EQ(got.config.stores.at("chromadb").settings, R"({"host":"vectors","port":9000})");
  EXPECT_THAT(got.notes, Contains(HasSubstr("CHROMADB_PERSIST_DIRECTORY is set, and nothing")));

  environment.erase("CHROMADB_HOST"), environment.erase("CHROMADB_PORT");
  got = load();
  EXPECT_EQ(got.config.memory.store, "chromadb");
  EXPECT_EQ(got.config.stores.at("chromadb").plugin, "sqlite");
  EXPECT_EQ(got.config.stores.at("chromadb").settings, R"({"path":"/srv/vectors"})");
  EXPECT_THAT(got.notes, Contains(HasSubstr("the embedded store (sqlite) keeps memory and vectors in /srv/vectors")));
}

TEST_F(Config, BorrowsADatabaseThatIsChosen) {
  environment = {{"MEMORY_STORE_TYPE", "database"}};
  EXPECT_THAT(texts(load()), ElementsAre("env MEMORY_STORE_TYPE: \"database\" needs DATABASE_URL"));
  environment["DATABASE_URL"] = "postgres://x";
  auto got = load();
  EXPECT_THAT(texts(got), IsEmpty());
  EXPECT_EQ(got.config.memory.store, "database");
  EXPECT_EQ(got.config.stores.at("database").plugin, "postgres");
  EXPECT_EQ(got.config.stores.at("database").settings, R"({"url":"env:DATABASE_URL"})");
  EXPECT_EQ(load("[stores.database]\nurl = \"env:OTHER\"\n").config.stores.at("database").settings, R"({"url":"env:OTHER"})");
  environment.erase("MEMORY_STORE_TYPE");
  EXPECT_THAT(load("").notes, Contains(HasSubstr("DATABASE_URL is set, and nothing")));
  EXPECT_THAT(load("[stores.team]\nplugin = \"postgres\"\nurl = \"env:DATABASE_URL\"\n").notes, Not(Contains(HasSubstr("DATABASE_URL"))));
}

TEST_F(Config, SendsABorrowedPasswordToNoOtherRedis) {
  environment = {{"REDIS_HOST", "cache"}, {"REDIS_PASSWORD", "x"}, {"MEMORY_STORE_TYPE", "redis"}};
  for (const auto* own : {"url = \"redis://elsewhere\"", "host = \"elsewhere\"", "plugin = \"ram\""}) {
    const auto got = load("[stores.redis]\n" + std::string(own) + "\n");
    EXPECT_THAT(got.config.stores.at("redis").settings, Not(HasSubstr("REDIS_PASSWORD"))) << own;
    EXPECT_THAT(got.notes, Contains(HasSubstr("REDIS_HOST is set, and nothing"))) << own;
  }
}

TEST_F(Config, KeepsStateWhereTheSystemSays) {
  environment = {{"HOME", "/home/u"}};
  EXPECT_EQ(load().config.host.state_dir, "/home/u/.local/state/agentd");
  environment["XDG_STATE_HOME"] = "/xs";
  EXPECT_EQ(load().config.host.state_dir, "/xs/agentd");
  environment["STATE_DIRECTORY"] = "/var/lib/agentd:/var/lib/more";
  EXPECT_EQ(load().config.host.state_dir, "/var/lib/agentd");
}

TEST_F(Config, ShowsOnlyWhatIsInForce) {
  const auto got = load("[providers.p]\nplugin = \"openai\"\n");
  EXPECT_EQ(origin(got, "ledger.retention"), "\"30d\" from default");
  EXPECT_EQ(origin(got, "providers.p.timeout"), "\"2m\" from default");
  EXPECT_EQ(origin(got, "stores.local.plugin"), "\"sqlite\" from default");
}

TEST_F(Config, SurvivesBytesThatAreNotText) {
  environment = {{"OPENAI_BASE_URL", "\xff"}, {"AGENTD__LOG__LEVEL", "\xff"}, {"STATE_DIRECTORY", "/\xff"}, {"AGENTD__TOOLSETS__A\xff__B", "[[[[\xff"}, {"AGENTD__DEFAULTS__TASK__PARAMS", std::string(100'000, '[')}};
  EXPECT_FALSE(load().problems.empty());
}

}  // namespace
}  // namespace agentd::manifest
