// The script provider, from the outside: a file and a conversation in, an answer out.
#include <agentd/testing/fake_host.hpp>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "parse.hpp"

namespace agentd {
namespace {

using sdk::Role;
using testing::Ended;
using testing::FakeComponent;
using testing::FakeHost;
using namespace std::chrono_literals;

class ScriptFile {
 public:
  explicit ScriptFile(std::string_view text) {
    char name[] = "/tmp/script-test-XXXXXX.toml";
    const int fd = ::mkstemps(name, 5);
    std::ofstream(name) << text;
    ::close(fd);
    path = name;
  }
  ~ScriptFile() { std::remove(path.c_str()); }
  std::string settings(std::string_view more = "") const { return "{\"file\":\"" + path + "\"" + std::string(more) + "}"; }
  std::string path;
};

std::string in_quotes(std::string_view text) { return sdk::to_json(std::string(text)); }

// A run as the host would have it: the question, then what was called and came back.
class Story {
 public:
  explicit Story(std::string_view query = "go", std::string_view params = "") {
    std::string text(query);
    if (!params.empty()) text += "\n\nParameters:\n```json\n" + std::string(params) + "\n```";
    messages.emplace_back(Role::user, "{\"role\":\"user\",\"content\":" + in_quotes(text) + "}");
  }
  Story& called(std::string_view wire_name, std::string_view result) { return called_all({{wire_name, result}}); }
  Story& called_all(std::vector<std::pair<std::string_view, std::string_view>> calls) {
    std::string json;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      json += (i ? "," : "") + std::string(R"({"id":")") + id(i) + R"(","type":"function","function":{"name":)" + in_quotes(calls[i].first) + R"(,"arguments":"{}"}})";
    }
    messages.emplace_back(Role::assistant, R"({"role":"assistant","content":null,"tool_calls":[)" + json + "]}");
    for (std::size_t i = 0; i < calls.size(); ++i) {
      messages.emplace_back(Role::tool, R"({"role":"tool","tool_call_id":")" + id(i) + R"(","content":)" + in_quotes(calls[i].second) + "}");
    }
    ++step_;
    return *this;
  }
  Story& said(std::string_view text) {
    messages.emplace_back(Role::assistant, R"({"role":"assistant","content":)" + in_quotes(text) + "}");
    return *this;
  }
  Story& noted(std::string_view text) {
    messages.emplace_back(Role::user, R"({"role":"user","content":)" + in_quotes(text) + "}");
    return *this;
  }
  std::vector<std::pair<Role, std::string>> messages;

 private:
  std::string id(std::size_t i) const { return "run/" + std::to_string(step_) + "/" + std::to_string(i); }
  int step_ = 0;
};

Ended play(std::string_view script, const Story& run, std::string_view tools = "") {
  const ScriptFile file(script);
  FakeHost host;
  auto provider = host.create("script", file.settings());
  return provider.complete(run.messages, "{}", tools);
}
std::string says(std::string_view script, const Story& run) {
  const auto ended = play(script, run);
  return ended.answer ? ended.answer->text : "failed: " + ended.value;
}

constexpr char kHealth[] = R"(
[[agent]]
name = "agent"
[[agent.step]]
call = [{ tool = "system.cpu" }, { tool = "system.disk", arguments = { path = "{{params/path}}", deep = true } }]
[[agent.step]]
[[agent.step.choose]]
when = { value = "{{system.cpu/usage_percent}}", op = ">", than = "{{params/limit}}" }
say = "CPU is at {{system.cpu/usage_percent|fixed1}} %, over {{params/limit}} %."
[[agent.step.choose]]
say = "All is well; {{system.disk/free|bytes}} free."
)";

TEST(Script, CallsToolsWithArgumentsFromTheParameters) {
  const auto ended = play(kHealth, Story("check", R"({"path":"/srv","limit":80})"), R"([{"type":"function","function":{"name":"system__cpu"}}])");
  ASSERT_TRUE(ended.ok()) << ended.value;
  ASSERT_EQ(ended.answer->calls.size(), 2U);
  EXPECT_EQ(ended.answer->calls[0].name, "system__cpu");
  EXPECT_EQ(ended.answer->calls[0].arguments, "{}");
  EXPECT_EQ(ended.answer->calls[1].name, "system__disk");
  EXPECT_EQ(ended.answer->calls[1].arguments, R"({"deep":true,"path":"/srv"})");
  EXPECT_EQ(ended.answer->finish, sdk::Finish::tool_calls);
}

TEST(Script, ChoosesByComparingAResultWithAParameter) {
  const auto after = [](std::string_view cpu) {
    return says(kHealth, Story("check", R"({"path":"/srv","limit":80})").called_all({{"system__cpu", cpu}, {"system__disk", R"({"free":5368709120})"}}));
  };
  EXPECT_EQ(after(R"({"usage_percent":93.27})"), "CPU is at 93.3 %, over 80 %.");
  EXPECT_EQ(after(R"({"usage_percent":12})"), "All is well; 5.0 GiB free.");
  EXPECT_EQ(after(R"({"usage_percent":80})"), "All is well; 5.0 GiB free.");
  EXPECT_EQ(after("denied: not allowed here"), "All is well; 5.0 GiB free.");  // no number there: the condition does not hold
}

TEST(Script, RepeatsATextForEveryElementUpToABound) {
  constexpr char kScript[] = R"(
[[agent]]
[[agent.step]]
call = { tool = "fs.list" }
[[agent.step]]
say = "{{fs.list/entries|count}} files:{{#each fs.list/entries limit 2}} {{number}}. {{item/path}} ({{item/size|bytes}}){{/each}}"
)";
  EXPECT_EQ(says(kScript, Story().called("fs__list", R"({"entries":[{"path":"a","size":10},{"path":"b","size":2048},{"path":"c","size":1}]})")), "3 files: 1. a (10 B) 2. b (2.0 KiB)");
  EXPECT_EQ(says(kScript, Story().called("fs__list", R"({"entries":[]})")), "0 files:");
}

TEST(Script, CallsOnceForEveryElement) {
  constexpr char kScript[] = R"(
[[agent]]
[[agent.step]]
call = { tool = "fs.list" }
[[agent.step]]
call = { tool = "fs.stat", each = "fs.list/entries", limit = 2, arguments = { path = "{{item/path}}", n = "{{number}}", note = "file {{item/path}}" } }
[[agent.step]]
say = "{{#each all/fs.stat}}{{item/size}} {{/each}}and {{all/fs.stat/1/size}}, last {{fs.stat/size}}, first result {{results/0/entries/0/path}}"
)";
  auto run = Story();
  run.called("fs__list", R"({"entries":[{"path":"a"},{"path":"b"},{"path":"c"}]})");
  const auto calls = play(kScript, run);
  ASSERT_TRUE(calls.ok()) << calls.value;
  ASSERT_EQ(calls.answer->calls.size(), 2U);
  EXPECT_EQ(calls.answer->calls[1].arguments, R"({"n":2,"note":"file b","path":"b"})");
  run.called_all({{"fs__stat", R"({"size":7})"}, {"fs__stat", R"({"size":9})"}});
  EXPECT_EQ(says(kScript, run), "7 9 and 9, last 9, first result a");
}

TEST(Script, ComparesInEveryWay) {
  const auto holds = [](std::string_view condition) {
    const std::string script = "[[agent]]\n[[agent.step]]\n[[agent.step.choose]]\nwhen = [" + std::string(condition) + "]\nsay = \"yes\"\n[[agent.step.choose]]\nsay = \"no\"\n";
    return says(script, Story("look at the logs", R"({"n":5,"t":"5","list":["a","b"],"nothing":null,"o":{"k~/":1}})"));
  };
  for (const char* yes : {R"({value="{{params/n}}", op="<", than=6})", R"({value="{{params/n}}", op="<=", than=5})", R"({value="{{params/n}}", op=">", than=4.5})",
                          R"({value="{{params/t}}", op=">=", than=5})", R"({value="{{params/t}}", op="==", than="5"})", R"({value="{{params/n}}", op="!=", than=6})",
                          R"({value="{{query}}", op="contains", than="logs"})", R"({value="{{params/list}}", op="contains", than="b"})", R"({value="{{params/n}}"})",
                          R"({value="{{params/x}}", op="missing"})", R"({value="{{params/o/k~0~1}}", op="==", than=1})", R"({value="{{agent}}", op="==", than="agent"})",
                          R"({value=1, op="<", than=2}, {value=2, op="<", than=3})"})
    EXPECT_EQ(holds(yes), "yes") << yes;
  for (const char* no : {R"({value="{{params/n}}", op="<", than=5})", R"({value="{{params/x}}", op="<", than=5})", R"({value="{{params/x}}"})", R"({value="{{params/list}}", op="contains", than="c"})",
                         R"({value="{{params/x}}", op="!=", than=5})", R"({value=1, op="<", than=2}, {value=3, op="<", than=3})"})
    EXPECT_EQ(holds(no), "no") << no;
}

TEST(Script, PlaysThePartThatFits) {
  constexpr char kScript[] = R"(
[[agent]]
name = "other"
step = [{ say = "other" }]
[[agent]]
match = "weather"
step = [{ say = "rain" }]
[[agent]]
name = "agent"
step = [{ say = "mine: {{query}}" }]
)";
  EXPECT_EQ(says(kScript, Story("the weather please")), "rain");
  EXPECT_EQ(says(kScript, Story("something else")), "mine: something else");
}

TEST(Script, KnowsWhereItIsFromTheConversationAlone) {
  constexpr char kScript[] = "[[agent]]\nstep = [{ call = { tool = 't.a' } }, { call = { tool = 't.b' } }, { say = 'done' }]\n";
  const auto first_call = [&](const Story& run) {
    const auto ended = play(kScript, run);
    return !ended.ok() ? ended.value : ended.answer->calls.empty() ? ended.answer->text : ended.answer->calls[0].name;
  };
  EXPECT_EQ(first_call(Story()), "t__a");
  EXPECT_EQ(first_call(Story().called("t__a", "1")), "t__b");
  EXPECT_EQ(first_call(Story().called("t__a", "1").called("t__b", "2")), "done");
  EXPECT_EQ(first_call(Story().said("earlier").noted("again")), "t__a");  // what earlier runs said is no part of this one
  EXPECT_EQ(first_call(Story().called("t__a", "1").called("t__b", "2").said("bad").noted("not what was asked for")), "done");
}

TEST(Script, SaysWhatIsMissingAndWhere) {
  const auto ended = play("[[agent]]\n[[agent.step]]\nsay = 'x {{fs.list/entries}}'\n", Story());
  EXPECT_EQ(ended.status, AGENTD_TERMINAL);
  EXPECT_NE(ended.value.find(".toml:3:7: there is no {{fs.list/entries}} in this run"), std::string::npos) << ended.value;
  EXPECT_NE(play("[[agent]]\nname='x'\nstep=[{say='x'}]", Story()).value.find("no [[agent]] fits the agent \"agent\""), std::string::npos);
}

TEST(Script, SaysWhatThereIsInPlaceOfWhatIsMissing) {
  const auto told = [](std::string_view text, const Story& run) { return play("[[agent]]\n[[agent.step]]\nsay = '-'\n[[agent.step]]\nsay = '" + std::string(text) + "'\n", run).value; };
  const Story read = Story().called("fs__read_file", R"({"content":"x","path":"/a","size":1})");
  EXPECT_NE(told("{{fs.read_file/text}}", read).find("in this run: fs.read_file has content, path, size"), std::string::npos);
  EXPECT_NE(told("{{all/fs.read_file/0/text}}", read).find("in this run: all/fs.read_file/0 has content, path, size"), std::string::npos);
  EXPECT_NE(told("{{#each all/fs.read_file}}{{item/text}}{{/each}}", read).find("in this run: item has content, path, size"), std::string::npos);
  EXPECT_NE(told("{{fs.read/text}}", read).find("in this run: those that have answered are fs.read_file"), std::string::npos);
  EXPECT_NE(told("{{fs.list/entries}}", Story().called("fs__list", "no such folder")).find("in this run: fs.list is a text: no such folder"), std::string::npos);
  EXPECT_NE(told("{{params/x}}", read).find("the run has no parameters"), std::string::npos);
}

TEST(Script, NamesAToolThatIsMisspeltAtItsPlace) {
  constexpr std::string_view kTools = R"([{"type":"function","function":{"name":"fs__list","parameters":{}}}])";
  const auto called = [&](const std::string& tool) { return play("[[agent]]\n[[agent.step]]\ncall = [{ tool = '" + tool + "' }]\n", Story(), kTools); };
  for (const auto* slip : {"fs.lst", "fs.lists", "fs.lost", "fs.lsit"}) {
    const auto told = called(slip).value;
    EXPECT_NE(told.find(".toml:3:9: there is no tool \"" + std::string(slip) + "\" here; did you mean \"fs.list\"?"), std::string::npos) << told;
  }
  for (const auto* other : {"fs.list", "fs.stat"}) EXPECT_TRUE(called(other).ok()) << "the host decides: " << other;
}

TEST(Script, EstimatesItsTokensUnlessToldNotTo) {
  const ScriptFile file("[[agent]]\nstep=[{say='12345678'}]");
  FakeHost host;
  const Story run;
  const auto usage = host.create("script", file.settings()).complete(run.messages).answer->usage;
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->output_tokens, 2);
  EXPECT_EQ(usage->input_tokens, static_cast<int64_t>((run.messages[0].second.size() + 3) / 4));
  EXPECT_FALSE(host.create("script", file.settings(R"(,"usage":"none")")).complete(run.messages).answer->usage);
}

TEST(Script, WaitsAsLongAsAStepSays) {
  const ScriptFile file("[[agent]]\nstep=[{delay='2s', say='late'}]");
  FakeHost host;
  auto provider = host.create("script", file.settings());
  const auto op = provider.start_complete(Story().messages);
  provider.advance(1999ms);
  provider.advance(1ms);
  EXPECT_EQ(provider.wait(op).answer->text, "late");
}

TEST(Script, StopsWaitingWhenCancelled) {
  const ScriptFile file("[[agent]]\nstep=[{delay='2s', say='late'}]");
  FakeHost host;
  auto provider = host.create("script", file.settings());
  const auto op = provider.start_complete(Story().messages);
  provider.cancel(op);
  EXPECT_EQ(provider.wait(op).status, AGENTD_CANCELLED);
  provider.advance(1h);
  EXPECT_EQ(host.stale_finishes(), 0);
}

TEST(Script, StreamsWhereSomebodyListens) {
  const ScriptFile file("[[agent]]\nstep=[{say='hello'}]");
  FakeHost host;
  auto provider = host.create("script", file.settings());
  EXPECT_EQ(provider.complete(Story().messages).deltas.size(), 1U);
  provider.streamed = false;
  EXPECT_EQ(provider.complete(Story().messages).deltas.size(), 0U);
}

TEST(Script, RefusesAMalformedScriptWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"agent = 1", "s.toml:1:9: \"agent\" is a table or a list of tables"},
      {"", "s.toml:1:1: a script has at least one [[agent]]"},
      {"[[agent]]\n", "at least one [[agent.step]]"},
      {"[[agent]]\nstep = [{}]", "s.toml:2:9: one of \"say\" and \"call\" is needed"},
      {"[[agent]]\nstep = [{say='x', call={tool='t'}}]", "one of \"say\" and \"call\" is needed"},
      {"[[agent]]\nstep = [{say='x', dealy='1s'}]", "s.toml:2:19: unknown key \"dealy\"; known are: delay, say, call, choose"},
      {"[[agent]]\nstep = [{say='x', delay='soon'}]", "s.toml:2:25: a delay is written"},
      {"[[agent]]\nstep = [{say='{{query'}]", "a \"{{\" without its \"}}\""},
      {"[[agent]]\nstep = [{say='{{query|shout}}'}]", "\"shout\" is not a format"},
      {"[[agent]]\nstep = [{say='{{#each results}}x'}]", "{{#each ...}} without {{/each}}"},
      {"[[agent]]\nstep = [{say='x{{/each}}'}]", "{{/each}} without {{#each ...}}"},
      {"[[agent]]\nstep = [{say='{{}}'}]", "does not begin with a variable"},
      {"[[agent]]\nstep = [{call={}}]", "a call names its \"tool\""},
      {"[[agent]]\nstep = [{call={tool='t', limit=0}}]", "a limit is a number from 1 to 128"},
      {"[[agent]]\nstep = [{choose=[{when={value=1, op='~', than=2}, say='x'}]}]", "\"op\" is one of"},
      {"[[agent]]\nstep = [{choose=[{when={value=1, op='<'}, say='x'}]}]", "a condition with this \"op\" has a \"than\""},
      {"[[agent]]\nstep = [", "s.toml:2:"},
  };
  for (const auto& [text, expected] : cases) {
    try {
      script::parse_script(text, "s.toml");
      ADD_FAILURE() << "accepted: " << text;
    } catch (const sdk::Error& e) {
      EXPECT_NE(std::string(e.what()).find(expected), std::string::npos) << text << "\n" << e.what();
    }
  }
}

// The script that README.md begins with, for the agent of these tests.
std::string shown_script() {
  std::stringstream manual;
  manual << std::ifstream(MANUAL).rdbuf();
  auto text = manual.str();
  text.erase(0, text.find("```toml\n[[agent]]") + 8);
  text.resize(text.find("```"));
  return text.replace(text.find("\"health\""), 8, "\"agent\"");
}

TEST(Script, IsPlayedAsItsManualShowsIt) {
  const ScriptFile file(shown_script());
  FakeHost host;
  auto provider = host.create("script", file.settings());
  const auto says_a_second_later = [&provider](const char* memory_usage) {
    Story story("How is the CPU?", std::string(R"({"thresholds":{"memory_usage":)") + memory_usage + "}}");
    story.called_all({{"system__cpu", R"({"usage_percent":3.4})"}, {"system__memory", R"({"used_percent":60.25})"}});
    const auto op = provider.start_complete(story.messages);
    provider.advance(1s);
    return provider.wait(op).answer->text;
  };
  EXPECT_EQ(provider.complete(Story("How is the CPU?").messages).answer->calls.size(), 2U);
  EXPECT_EQ(says_a_second_later("60"), "Memory is short: 60.2 % in use.");
  EXPECT_EQ(says_a_second_later("90"), "All is well: CPU 3 %.");
  EXPECT_EQ(provider.complete(Story("hello").messages).answer->text, "I heard: hello");
}

TEST(Script, IsNotMadeWithoutItsFile) {
  FakeHost host;
  EXPECT_NE(host.try_create("script", R"({"file":"/nowhere/x.toml"})").created().value.find("/nowhere/x.toml"), std::string::npos);
  EXPECT_EQ(host.try_create("script", "{}").created().status, AGENTD_TERMINAL);
}

}  // namespace
}  // namespace agentd
