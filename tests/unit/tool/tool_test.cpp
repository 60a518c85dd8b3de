#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/tool/arguments_hash.hpp"
#include "core/tool/call.hpp"
#include "core/tool/policy.hpp"
#include "core/tool/wire_name.hpp"
#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::tool {
namespace {

using event::ToolOutcome;
using nlohmann::json;
using namespace std::chrono_literals;

// ---- names

TEST(WireName, IsWhatProvidersAccept) {
  EXPECT_EQ(wire_name("fs.read_file"), "fs__read_file");
  EXPECT_EQ(wire_name("mcp.github.search-code"), "mcp__github__search-code");
  EXPECT_EQ(wire_name("a b\xc3\xa9/c"), "a_b___c");
  EXPECT_EQ(wire_name(""), "_");
}

TEST(WireName, CutsALongNameAndTellsItFromOthersByAHash) {
  const std::string longest(64, 'x'), longer(65, 'x');
  EXPECT_EQ(wire_name(longest), longest);
  EXPECT_EQ(wire_name(longer).size(), 64);
  EXPECT_EQ(wire_name(longer), wire_name(longer));
  EXPECT_NE(wire_name(longer + "1"), wire_name(longer + "2"));
}

// ---- policy

TEST(Pattern, StarsStandForAnyText) {
  EXPECT_TRUE(matches("fs.*", "fs.read_file"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("fs.*_file", "fs.read_file_file"));
  EXPECT_TRUE(matches("*.delete_*", "fs.delete_"));
  EXPECT_FALSE(matches("fs.*", "fsx.read"));
  EXPECT_FALSE(matches("fs.read", "fs.read_file"));
  EXPECT_FALSE(matches("", "x"));
  EXPECT_FALSE(matches("a*b*c", std::string(10'000, 'b')));
}

TEST(Policy, DeniesFirstThenAsksThenAllows) {
  const manifest::Tools tools{.allow = {"fs.*"}, .ask = {"fs.write_*"}, .deny = {"fs.delete_*", "fs.write_all"}};
  EXPECT_EQ(decide(tools, "fs.read"), Verdict::allow);
  EXPECT_EQ(decide(tools, "fs.write_file"), Verdict::ask);
  EXPECT_EQ(decide(tools, "fs.write_all"), Verdict::deny);
  EXPECT_EQ(decide(tools, "fs.delete_file"), Verdict::deny);
  EXPECT_EQ(decide(tools, "http.get"), Verdict::deny);
  EXPECT_EQ(decide({}, "fs.read"), Verdict::deny);
}

// ---- the catalog

class Tools : public testing::Test {
 protected:
  Result<Catalog> build(std::vector<support::FakeTool> tools, manifest::Tools policy = {.allow = {"*"}}) {
    toolset_ = std::make_unique<support::FakeToolset>(world_, std::move(tools));
    return Catalog::build({{"geo", toolset_.get(), 0, toolset_->tools()}}, policy);
  }
  Reply make(const Catalog& catalog, std::string name, Millis timeout = 30s) {
    Request request{.tool = catalog.by_name(name), .call_id = "r/1/0", .arguments = "{}", .timeout = timeout, .output_limit = 1000};
    return world_.run(call(world_.world(), std::move(request), {}));
  }
  support::VirtualWorld world_;
  std::unique_ptr<support::FakeToolset> toolset_;
};

TEST_F(Tools, AreOfferedByTheirWireNames) {
  const auto catalog = build({{.name = "area", .schema = R"({"type":"object"})"}});
  EXPECT_EQ(catalog->offered(), R"([{"type":"function","function":{"name":"geo__area","description":"A tool","parameters":{"type":"object"}}}])");
  EXPECT_EQ(catalog->by_wire("geo__area")->name, "geo.area");
}

TEST_F(Tools, WithOneWireNameAreAnErrorUnlessOneIsDenied) {
  EXPECT_FALSE(build({{.name = "a b"}, {.name = "a/b"}}));
  const auto catalog = build({{.name = "a b"}, {.name = "a/b"}}, {.allow = {"*"}, .deny = {"geo.a b"}});
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->by_wire("geo__a_b")->name, "geo.a/b");
}

TEST_F(Tools, WithASchemaThatCannotBeHandledAreLeftOut) {
  const auto catalog = build({{.name = "good"}, {.name = "bad", .schema = R"({"type":7})"}});
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->tools().size(), 1);
  ASSERT_EQ(catalog->problems().size(), 1);
  EXPECT_TRUE(catalog->problems()[0].contains("geo.bad"));
}

TEST_F(Tools, WithASchemaThatIsNoObjectAreLeftOut) {
  for (const char* schema : {"true", " []", "\"x\"", "5", ""}) {
    const auto catalog = build({{.name = "good"}, {.name = "odd", .schema = schema}});
    ASSERT_TRUE(catalog);
    EXPECT_EQ(catalog->tools().size(), 1) << schema;
    EXPECT_TRUE(json::parse(catalog->offered())[0]["function"]["parameters"].is_object());
  }
}

TEST_F(Tools, OfTwoToolsetsWithOneFullNameAreAnError) {
  support::FakeToolset one(world_, {{.name = "b.c"}}), two(world_, {{.name = "c"}});
  const auto catalog = Catalog::build({{"a", &one, 0, one.tools()}, {"a.b", &two, 0, two.tools()}}, {.allow = {"*"}});
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().message, "the tools \"a.b.c\" and \"a.b.c\" are both \"a__b__c\" to a provider; deny one of them or rename its toolset");
}

TEST_F(Tools, ThatAPersonIsAskedAboutAreOfferedAndTheirArgumentsChecked) {
  const auto catalog = build({{.name = "pay", .schema = R"({"type":"object","required":["n"]})"}, {.name = "look"}}, {.allow = {"geo.look"}, .ask = {"geo.pay"}});
  ASSERT_TRUE(catalog);
  EXPECT_TRUE(catalog->offered().contains("geo__pay"));
  EXPECT_TRUE(catalog->judge({"", "geo__pay", R"({"n":1})"}, 0).asks);
  EXPECT_FALSE(catalog->judge({"", "geo__look", "{}"}, 0).asks);
  const auto wrong = catalog->judge({"", "geo__pay", "{}"}, 0);
  EXPECT_EQ(wrong.refused, ToolOutcome::error);
  EXPECT_FALSE(wrong.asks) << "nobody is asked about what is refused anyway";
}

TEST(ArgumentsHash, IsOfWhatTheArgumentsMean) {
  EXPECT_EQ(arguments_hash("{}"), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a") << "as sha256sum says";
  EXPECT_EQ(arguments_hash(R"({"b":1.0,"a":"x"})"), arguments_hash(R"( { "a" : "\u0078", "b" : 1 } )"));
  EXPECT_NE(arguments_hash(R"({"a":1})"), arguments_hash(R"({"a":2})"));
  EXPECT_NE(arguments_hash("\"{\""), arguments_hash("{"));
}

TEST_F(Tools, TakeNoArgumentsThatReadersReadDifferently) {
  const auto catalog = build({{.name = "area", .schema = R"({"type":"object","properties":{"n":{"type":"integer"}}})"}});
  const auto told = [&](std::string arguments) {
    const auto asked = catalog->judge({"", "geo__area", std::move(arguments)}, 0);
    EXPECT_TRUE(is_json(asked.arguments.text)) << asked.arguments.text.substr(0, 100);
    return asked.refused ? *event::string_value(asked.content.text) : "";
  };
  EXPECT_EQ(told(R"({"n":18446744073709551615})"), "");
  EXPECT_EQ(told(R"({"n":18446744073709551616})"), "error: the arguments are JSON with the integer 18446744073709551616, which is beyond 64 bits; call the tool again with one JSON object");
  EXPECT_TRUE(told(R"({"n":1,"n":2})").contains("the key \"n\" twice"));
  EXPECT_TRUE(told(std::string(R"({"n":1})") + std::string("\0{}", 3)).contains("a NUL at byte 8"));
  EXPECT_TRUE(told(R"({"n":NaN})").contains("not one valid JSON document"));
  EXPECT_TRUE(told("{\"n\":" + std::string(10'000, '[') + std::string(10'000, ']') + '}').contains("nests deeper than 64"));
  EXPECT_TRUE(told("{\"n\":\"\xff\"}").contains("not one valid JSON document"));
  EXPECT_TRUE(told(std::string(9 << 20, ' ') + "{}").contains("longer than 8 MiB"));
}

TEST_F(Tools, ThatDoNotExistAreNamedToTheModel) {
  const auto catalog = build({{.name = "area"}, {.name = "secret"}}, {.allow = {"*"}, .deny = {"geo.secret"}});
  const auto told = [&](std::string name) { return *event::string_value(catalog->judge({"", std::move(name), "{}"}, 0).content.text); };
  EXPECT_EQ(told("volume"), "error: there is no tool \"volume\"; call only the tools you were given");
  EXPECT_EQ(told("geo.area"), "error: there is no tool \"geo.area\"; it is \"geo__area\" here");
  EXPECT_EQ(told("geo.secret"), "error: there is no tool \"geo.secret\"; call only the tools you were given");
}

TEST_F(Tools, BeyondWhatOneAnswerMayCallAreNotEvenRead) {
  const auto catalog = build({{.name = "now"}});
  const auto asked = catalog->judge({"", "geo__now", "no JSON"}, kMostCallsOfAnAnswer);
  EXPECT_EQ(*event::string_value(asked.content.text), "error: too many calls in one answer; at most 64 are made");
}

TEST_F(Tools, TakeNoArgumentsForAnEmptyObject) {
  const auto catalog = build({{.name = "now"}});
  EXPECT_EQ(catalog->judge({"", "geo__now", ""}, 0).arguments.text, "{}");
  EXPECT_FALSE(catalog->judge({"", "geo__now", " \n"}, 0).refused);
}

TEST_F(Tools, AreCalledSoOftenAtMostInOneAnswer) {
  const auto catalog = build({{.name = "now"}});
  EXPECT_FALSE(catalog->judge({"", "geo__now", "{}"}, kMostCallsOfAnAnswer - 1).refused);
  EXPECT_EQ(catalog->judge({"", "geo__now", "{}"}, kMostCallsOfAnAnswer).refused, ToolOutcome::error);
}

// ---- one call

TEST(Reply, MapsEveryEndOfAnOperation) {
  const auto outcome_of = [](port::Status status, port::Effect effect, bool late) { return to_reply({status, "\"x\"", {}}, effect, late, 0).outcome; };
  using port::Effect;
  using port::Status;
  EXPECT_EQ(outcome_of(Status::ok, Effect::once, true), ToolOutcome::ok);
  EXPECT_EQ(outcome_of(Status::terminal, Effect::pure, false), ToolOutcome::error);
  EXPECT_EQ(outcome_of(Status::retryable, Effect::pure, false), ToolOutcome::error);
  EXPECT_EQ(outcome_of(Status::cancelled, Effect::once, true), ToolOutcome::timeout);
  EXPECT_EQ(outcome_of(Status::unknown_outcome, Effect::once, true), ToolOutcome::unknown);
  EXPECT_EQ(outcome_of(Status::unknown_outcome, Effect::pure, true), ToolOutcome::timeout);
  EXPECT_EQ(outcome_of(Status::unknown_outcome, Effect::idempotent, false), ToolOutcome::error);
}

TEST(Reply, GivesTextAsTextAndTheRestAsJson) {
  const auto content = [](std::string value) { return *event::string_value(to_reply({port::Status::ok, std::move(value), {}}, port::Effect::pure, false, 0).content.text); };
  EXPECT_EQ(content(R"("a\nb")"), "a\nb");
  EXPECT_EQ(content(R"({"a":"b"})"), R"({"a":"b"})");
  EXPECT_EQ(content(""), "null");
}

TEST(Reply, IsShortenedAtACharactersBorder) {
  const std::string text = "aa\xc3\xa9zzzz";
  const auto reply = to_reply({port::Status::ok, json_string(text), {}}, port::Effect::pure, false, 3);
  EXPECT_EQ(*event::string_value(reply.content.text), "aa\n[shortened: the first 2 of 8 bytes]");
  EXPECT_EQ(reply.whole.text, json_string(text));
  EXPECT_FALSE(to_reply({port::Status::ok, json_string(text), {}}, port::Effect::pure, false, 8).whole);
}

TEST(Reply, OfFiftyMegabytesIsCutWithoutBeingReadWhole) {
  const auto shown = [](std::string front, std::uint64_t limit, std::size_t rest = (8 << 20) + 1) {
    const auto reply = to_reply({port::Status::ok, std::move(front) + std::string(rest, 'x') + '"', {}}, port::Effect::pure, false, limit);
    EXPECT_FALSE(reply.whole);
    const auto text = *event::string_value(reply.content.text);
    EXPECT_TRUE(text.contains(" of about ") && text.ends_with(" bytes; the rest is not kept]")) << text;
    return text.substr(0, text.find("\n[shortened: "));
  };
  EXPECT_EQ(shown("\"a\\n\\u0041b", 6, 50 << 20), "a\nAbxx");
  EXPECT_EQ(shown("\"\\ud83d\\ude00\xc3\xa9", 5), "\xf0\x9f\x98\x80");
  for (std::uint64_t limit = 1; limit < 20; ++limit) {  // wherever the cut falls
    EXPECT_LE(shown("\"\\ud83d\\ude00\xe2\x82\xac\\\"\\\\\\u00e9", limit).size(), limit);
    EXPECT_GT(shown("\"\\ud83d\\ude00\xe2\x82\xac\\\"\\\\\\u00e9", limit).size() + 4, limit);
  }
  EXPECT_EQ(shown("[\"", 5), "[\"xxx");
  std::string escaped;
  for (int i = 0; i < (2 << 20); ++i) escaped += "\\u0041";
  EXPECT_EQ(event::string_value(to_reply({port::Status::ok, '"' + escaped + '"', {}}, port::Effect::pure, false, 2 << 20).content.text)->size(), 2 << 20) << "nothing was cut";
}

TEST_F(Tools, SayingItDidNotHappenAreTriedFourTimes) {
  int made = 0;
  support::FakeTool busy{.name = "busy"};
  busy.body = [&made](const port::ToolCall&) { ++made; return port::Outcome{port::Status::retryable, "busy", {}}; };
  const auto catalog = build({busy});
  EXPECT_EQ(make(*catalog, "geo.busy").outcome, ToolOutcome::error);
  EXPECT_EQ(made, 4);
  made = 0;
  make(*catalog, "geo.busy", 300ms);
  EXPECT_EQ(made, 2) << "tries count against the timeout";
}

TEST_F(Tools, ThatAskForAPauseBeyondTheCallAreNotTriedAgain) {
  int made = 0;
  support::FakeTool busy{.name = "busy", .takes = 1s};
  busy.body = [&made](const port::ToolCall&) { ++made; return port::Outcome{port::Status::retryable, "busy", Millis::max()}; };
  const auto catalog = build({busy});
  EXPECT_EQ(make(*catalog, "geo.busy").outcome, ToolOutcome::error);
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace agentd::tool
