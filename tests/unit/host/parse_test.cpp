#include "host/cli/parse.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace agentd::cli {
namespace {

std::variant<Command, Said> line(std::vector<const char*> words) {
  words.insert(words.begin(), "agentd");
  return parse(static_cast<int>(words.size()), words.data());
}

template <class T>
T command(std::vector<const char*> words) {
  auto parsed = line(std::move(words));
  if (const auto* said = std::get_if<Said>(&parsed)) {
    ADD_FAILURE() << said->text;
    return {};
  }
  return std::get<T>(std::get<Command>(parsed));
}

Said said(std::vector<const char*> words) {
  auto parsed = line(std::move(words));
  EXPECT_TRUE(std::holds_alternative<Said>(parsed));
  return std::holds_alternative<Said>(parsed) ? std::get<Said>(parsed) : Said{};
}

TEST(CommandLine, Serve) {
  const auto serve = command<Serve>({"serve", "--agents", "a", "--agents", "b", "--plugins", "p", "--state", "s", "--listen", "127.0.0.1:1", "--for", "20s"});
  EXPECT_EQ(serve.surroundings.agents, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(serve.surroundings.plugins, std::vector<std::string>{"p"});
  EXPECT_EQ(serve.surroundings.state, "s");
  EXPECT_EQ(serve.listen, "127.0.0.1:1");
  EXPECT_EQ(serve.run_for, std::chrono::seconds(20));
}

TEST(CommandLine, AsksForARun) {
  const auto run = command<AgentsRun>({"agents", "run", "a", "--query", "", "--params", "{}", "--key", "k", "--session", "s", "--wait", "--url", "http://h:1"});
  EXPECT_EQ(run.agent, "a");
  EXPECT_EQ(run.query, "");
  EXPECT_TRUE(run.wait);
  EXPECT_EQ(run.connection.url, "http://h:1");
}

TEST(CommandLine, CreatesChangesAndDeletesAgents) {
  const auto create = command<AgentsCreate>({"agents", "create", "/dev/null", "--id", "a", "--json"});
  EXPECT_EQ(create.file, "/dev/null");
  EXPECT_EQ(create.agent, "a");
  EXPECT_TRUE(create.connection.json);
  const auto update = command<AgentsUpdate>({"agents", "update", "a", "limits.max_steps=3", "description=-1", "labels.team="});
  EXPECT_EQ(update.agent, "a");
  EXPECT_EQ(update.changes, (std::vector<std::string>{"limits.max_steps=3", "description=-1", "labels.team="}));
  EXPECT_EQ(command<AgentsDelete>({"agents", "delete", "a"}).agent, "a");
  EXPECT_EQ(command<AgentsApply>({"agents", "apply", "/"}).folder, "/");
  EXPECT_EQ(said({"agents", "update", "a"}).exit_code, kUsage);
  EXPECT_EQ(said({"agents", "apply", "/nowhere"}).exit_code, kUsage);
}

TEST(CommandLine, FindsItsHostInTheEnvironment) {
  setenv("AGENTD_URL", "http://127.0.0.1:9", 1);
  EXPECT_EQ(command<Status>({"status"}).connection.url, "http://127.0.0.1:9");
  unsetenv("AGENTD_URL");
  EXPECT_EQ(command<Status>({"status"}).connection.url, "http://127.0.0.1:8765");
}

TEST(CommandLine, CancelsAndRetriesRuns) {
  const auto cancel = command<RunsCancel>({"runs", "cancel", "7-0000000", "--reason", "wrong day"});
  EXPECT_EQ(cancel.run, "7-0000000");
  EXPECT_EQ(cancel.reason, "wrong day");
  EXPECT_EQ(command<RunsRetry>({"runs", "retry", "7-0000000"}).run, "7-0000000");
}

TEST(CommandLine, Approvals) {
  EXPECT_EQ(command<ApprovalsList>({"approvals", "list", "--agent", "a"}).agent, "a");
  const auto approve = command<ApprovalsDecide>({"approvals", "approve", "7-0000000/1/0", "--by", "ops", "--hash", "ab"});
  EXPECT_TRUE(approve.approve);
  EXPECT_EQ(approve.call, "7-0000000/1/0");
  EXPECT_EQ(approve.by, "ops");
  EXPECT_EQ(approve.arguments_hash, "ab");
  const auto deny = command<ApprovalsDecide>({"approvals", "deny", "7-0000000/1/0", "--reason", "too dear"});
  EXPECT_FALSE(deny.approve);
  EXPECT_EQ(deny.reason, "too dear");
  EXPECT_EQ(said({"approvals", "approve"}).exit_code, kUsage);
}

TEST(CommandLine, Events) {
  const auto events = command<Events>({"events", "--type", "a", "--type", "b", "--since", "x", "--follow"});
  EXPECT_EQ(events.types, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(events.follow);
}

TEST(CommandLine, OneWayToSayWhichSchedule) {
  EXPECT_EQ(command<ScheduleNext>({"schedule", "next", "a", "--count", "3"}).count, 3U);
  EXPECT_EQ(command<ScheduleNext>({"schedule", "next", "--cron", "* * * * *"}).cron, "* * * * *");
  EXPECT_EQ(said({"schedule", "next", "a", "--cron", "* * * * *"}).exit_code, kUsage);
}

TEST(CommandLine, WrongUsageIsTwo) {
  for (const auto& words : std::vector<std::vector<const char*>>{{}, {"nonsense"}, {"serve", "--nonsense"}, {"serve", "--for", "soon"}, {"agents", "run"}, {"agents"}, {"runs", "list", "--limit", "0"}})
    EXPECT_EQ(said(words).exit_code, kUsage);
}

TEST(CommandLine, SuggestsTheCommandOrOptionThatWasMeant) {
  EXPECT_EQ(said({"agent", "list"}).text, "agentd: unknown command \"agent\"; did you mean \"agents\"?\n");
  EXPECT_EQ(said({"agents", "lsit"}).text, "agentd agents: unknown command \"lsit\"; did you mean \"list\"?\n");
  EXPECT_EQ(said({"agents", "puase", "a"}).text, "agentd agents: unknown command \"puase\"; did you mean \"pause\"?\n");
  EXPECT_EQ(said({"serve", "--listn=127.0.0.1:1"}).text, "agentd serve: unknown option \"--listn\"; did you mean \"--listen\"?\n");
  EXPECT_EQ(said({"agents", "show", "--jsno"}).text, "agentd agents show: unknown option \"--jsno\"; did you mean \"--json\"?\n");
  EXPECT_EQ(said({"nonsense"}).text, "agentd: unknown command \"nonsense\"; see agentd --help\n");
  EXPECT_EQ(said({"serve", "now"}).text, "agentd serve: one word too many: \"now\"; see agentd serve --help\n");
  EXPECT_EQ(said({"agents", "list", "--url"}).exit_code, kUsage);
  EXPECT_EQ(said({"--url", "http://h:1", "status"}).text, "agentd: --url is an option of its commands, and comes after one: agentd status --url\n");
}

TEST(CommandLine, HelpIsNotAnError) {
  const auto help = said({"agents", "run", "--help"});
  EXPECT_EQ(help.exit_code, kDone);
  EXPECT_NE(help.text.find("Examples:"), std::string::npos);
  EXPECT_EQ(said({"--version"}).exit_code, kDone);
}

TEST(CommandLine, HelpIsOfTheCommandAlone) {
  EXPECT_EQ(said({"batch", "submit", "--help"}).text.find("agentd init"), std::string::npos);
  EXPECT_EQ(said({"batch", "--help"}).text.find("agentd init"), std::string::npos);
  EXPECT_NE(said({"--help"}).text.find("agentd init"), std::string::npos);
  EXPECT_NE(said({"runs", "list", "--help"}).text.find("AGENTD_API_TOKEN"), std::string::npos);
}

TEST(CommandLine, RefusesAnEmptyId) {
  EXPECT_EQ(said({"runs", "show", ""}).exit_code, kUsage);
  EXPECT_NE(said({"runs", "show", ""}).text.find("run: it is empty"), std::string::npos) << said({"runs", "show", ""}).text;
  EXPECT_EQ(said({"agents", "run", ""}).exit_code, kUsage);
  EXPECT_EQ(said({"approvals", "approve", ""}).exit_code, kUsage);
}

TEST(CommandLine, CallsATool) {
  const auto call = command<ToolsCall>({"tools", "call", "fs.stat", "-", "--timeout", "5s"});
  EXPECT_EQ(call.tool, "fs.stat");
  EXPECT_EQ(call.arguments, "-");
  EXPECT_EQ(call.timeout, std::chrono::seconds(5));
  EXPECT_EQ(command<ToolsCall>({"tools", "call", "fs.stat"}).arguments, "{}");
  EXPECT_EQ(said({"tools", "call", "fs.stat", "{}", "--timeout", "soon"}).exit_code, kUsage);
}

TEST(CommandLine, TestsAPluginWithSettings) {
  const auto test = command<PluginsTest>({"plugins", "test", "/bin/true", "--settings", "{\"a\":1}", "--json"});
  EXPECT_EQ(test.file, "/bin/true");
  EXPECT_EQ(test.settings, "{\"a\":1}");
  EXPECT_TRUE(test.json);
  EXPECT_EQ(said({"plugins", "test", "/nowhere.so"}).exit_code, kUsage);
}

}  // namespace
}  // namespace agentd::cli
