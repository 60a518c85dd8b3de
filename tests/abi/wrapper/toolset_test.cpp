#include <agentd/testing/fake_host.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

using namespace agentd::sdk;
using agentd::testing::FakeHost;

namespace toolset_test {

enum class Unit { metres, feet };
AGENTD_CHOICES(Unit, {"m", Unit::metres}, {"ft", Unit::feet})

double half(double x) { return x / 2; }

struct Tools : Toolset {
  struct Config {
    int limit = 5;
    AGENTD_FIELDS(limit)
  };
  Tools(const Config& config, const Host& host) : host_(host) {
    if (config.limit < 0) throw std::invalid_argument("limit is below zero");
    add("convert", "Convert a length", {"value", {"unit", "its unit", Unit::metres}, {"digits", "after the point"}}, Effect::pure,
        [](double value, Unit unit, std::optional<int> digits) {
          return std::to_string(static_cast<int>(unit == Unit::feet ? value * 12 : value)) + "/" + std::to_string(digits.value_or(-1));
        });
    add("half", "A function", {{"x", "a number"}}, Effect::pure, half);
    add("limit", "A member", Effect::pure, [limit = config.limit] { return limit; });
    add("nothing", "Returns nothing", Effect::idempotent, [] {});
    add("literal", "Returns a literal", Effect::pure, []() -> const char* { return "text"; });
    add("throws", "Throws", Effect::once, []() -> int { throw std::runtime_error("boom \xff"); });
    add("throws_int", "Throws an int", Effect::once, []() -> int { throw 7; });
    add("later", "Retryable", Effect::once, []() -> int { throw Error("later", Failure::retryable, 1500); });
    add("wait", "Until cancelled", Effect::once, [](Call& call) {
      std::promise<void> stopped;
      call.on_cancel([&] { stopped.set_value(); });
      call.progress("waiting");
      stopped.get_future().wait();
      return call.cancelled();
    });
    add("who", "The call", Effect::pure, [](const Call& call) { return call.id() + " " + call.agent_id() + " " + call.run_id(); });
    add("async", "Answers from a thread of its own", {"text"}, Effect::pure, [](Reply<std::string> reply, std::string_view text) {
      std::thread([reply = std::move(reply), copy = std::string(text)]() mutable { reply(copy + "!"); }).detach();
    });
    add("forget", "Never answers", Effect::once, [](Reply<int>) {});
    add("async_throws", "Throws before it answers", Effect::once, [](Reply<int>) { throw Error("not now", Failure::retryable); });
    add("raw", "Any JSON", {"any"}, Effect::pure, [own = std::make_unique<int>(1)](Raw any) { return any; });
    add("overlap", "How many run at once", Effect::pure, [this] {
      const int now = ++running_;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      --running_;
      return now;
    });
    add({"described", "At run time", R"({"type":"object"})", Effect::pure}, [](Json arguments) { return arguments["a"].integer<int>() + 1; });
    add("sized", "Numbers that fit", {"count", {"share", "of it", 0.5, between(0, 1)}, {"small", "at most 5", at_most(5)}, {"times", "maybe", at_least(1)}}, Effect::pure,
        [](int count, double share, int8_t small, std::optional<uint32_t> times) { return count * share + small + times.value_or(0); });
    add("add_more", "Publishes", Effect::once, [this] {
      add("more", "New", Effect::pure, [] { return 1; });
      remove("half");
      publish();
    });
  }
  Host host_;
  std::atomic<int> running_{0};
};

struct Files : Toolset {
  struct View : Scope {
    std::vector<std::string> roots;
  };
  struct Narrow {
    std::optional<std::vector<std::string>> roots;
    AGENTD_FIELDS(roots)
  };
  View bind(const Narrow& narrow) const {
    View view;
    view.roots = narrow.roots.value_or(std::vector<std::string>{"/srv"});
    for (const auto& root : view.roots) {
      if (root.rfind("/srv", 0) != 0) throw Error("roots: \"" + root + "\" is outside of /srv");
    }
    return view;
  }
  Files() {
    add("roots", "What this agent may see", Effect::pure, [](const View& view) { return view.roots; });
    add("both", "A call and a scope, in any order", {"x"}, Effect::pure,
        [](const View& view, Call& call, int x) { return call.id() + view.roots[0] + std::to_string(x); });
  }
};

struct Ledgerless : Toolset {
  Ledgerless() {
    add("write", "Once", {"path"}, Effect::once, [](const std::string&) { return 7; })
        .reconcile([](Call& call, const std::string& path) -> std::optional<int> {
          if (path == "broken") throw Error("cannot tell", Failure::retryable);
          if (path == call.id()) return 7;
          return std::nullopt;
        });
    add("send", "Once", Effect::once, [] {}).reconcile([] { return true; });
    add("plain", "Once", Effect::once, [] {});
  }
};

struct WrongScope : Toolset {
  WrongScope() {
    add("roots", "", Effect::pure, [](const Files::View&) {});
  }
};
struct Twice : Toolset {
  Twice() {
    add("same", "", Effect::pure, [] {});
    add("same", "", Effect::pure, [] {});
  }
};
struct SameParam : Toolset {
  SameParam() {
    add("a", "", {"l", "m", "l"}, Effect::pure, [](double l, double m, double n) { return l * m * n; });
  }
};
struct BadName : Toolset {
  BadName() { add("a.b", "", Effect::pure, [] {}); }
};
struct BadDefault : Toolset {
  BadDefault() {
    add("f", "", {{"n", "a count", 300}}, Effect::pure, [](int8_t n) { return n; });
  }
};
struct DefaultOutOfRange : Toolset {
  DefaultOutOfRange() {
    add("f", "", {{"n", "a count", 0, between(1, 3)}}, Effect::pure, [](int n) { return n; });
  }
};
struct EmptyRange : Toolset {
  EmptyRange() {
    add("f", "", {{"n", "a count", between(3, 1)}}, Effect::pure, [](int n) { return n; });
  }
};
struct NeverAsked : Toolset {
  NeverAsked() {
    add("f", "", Effect::idempotent, [] {}).reconcile([] { return true; });
  }
};
struct Parallel : Tools {
  static constexpr bool concurrent = true;
  using Tools::Tools;
};

}  // namespace toolset_test

using namespace toolset_test;

AGENTD_PLUGIN("toolset_test", "1.2.3", provides<Tools>("tools", "Some tools"), provides<Files>("files"), provides<Ledgerless>("ledgerless"),
              provides<WrongScope>("wrong_scope"), provides<Twice>("twice"), provides<BadName>("bad_name"), provides<BadDefault>("bad_default"),
              provides<Parallel>("parallel"), provides<DefaultOutOfRange>("default_out_of_range"), provides<EmptyRange>("empty_range"),
              provides<NeverAsked>("never_asked"), provides<SameParam>("same_param"), license{"MIT"}, needs{AGENTD_HOST_KV_1, AGENTD_HOST_KV_1})

namespace {

struct ToolsetTest : ::testing::Test {
  FakeHost host;
};

TEST_F(ToolsetTest, DescribesItself) {
  const agentd_plugin& plugin = host.plugin();
  EXPECT_EQ(view(plugin.name), "toolset_test");
  EXPECT_EQ(view(plugin.version), "1.2.3");
  EXPECT_EQ(view(plugin.license), "MIT");
  std::vector<std::string> services;
  for (uint64_t i = 0; i < plugin.requires_count; ++i) services.emplace_back(view(plugin.requires_services[i]));
  EXPECT_EQ(services, (std::vector<std::string>{AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1, AGENTD_HOST_TOOLS_1, AGENTD_HOST_KV_1}));
  EXPECT_EQ(plugin.components[0]->flags, 0u);
  EXPECT_EQ(plugin.components[7]->flags, uint32_t{AGENTD_CONCURRENT});
  EXPECT_EQ(host.settings_schema("tools"),
            R"({"type":"object","properties":{"limit":{"type":"integer","default":5}},)"
            R"("additionalProperties":false})");
}

TEST_F(ToolsetTest, DeducesSchemasFromSignatures) {
  const auto tools = host.create("tools");
  EXPECT_EQ(tools.tools()[0].schema,
            R"({"type":"object","properties":{"value":{"type":"number"},"unit":{"type":"string","enum":["m","ft"],"description":"its unit",)"
            R"("default":"m"},"digits":{"type":"integer","description":"after the point"}},)"
            R"("required":["value"],"additionalProperties":false})");
  EXPECT_EQ(tools.tools()[3].effect, AGENTD_EFFECT_IDEMPOTENT);
}

TEST_F(ToolsetTest, FillsParametersAndDefaults) {
  auto tools = host.create("tools", R"({"limit": 9})");
  EXPECT_EQ(tools.call("convert", R"({"value": 2, "unit": "ft", "digits": 3.0})").value, R"("24/3")");
  EXPECT_EQ(tools.call("convert", R"({"value": 2})").value, R"("2/-1")");
  EXPECT_EQ(tools.call("half", R"({"x": 5})").value, "2.5");
  EXPECT_EQ(tools.call("limit").value, "9");
  EXPECT_EQ(tools.call("nothing").value, "null");
  EXPECT_EQ(tools.call("literal").value, R"("text")");
  EXPECT_EQ(tools.call("raw", R"({"any": {"a": [1, 2.50, null]}})").value, R"({"a": [1, 2.50, null]})");
  EXPECT_EQ(tools.call("described", R"({"a": 41})").value, "42");
  EXPECT_EQ(tools.call("who").value, R"("run/0/0 agent run")");
}

TEST_F(ToolsetTest, MapsEveryException) {
  auto tools = host.create("tools");
  EXPECT_EQ(tools.call("throws").status, AGENTD_TERMINAL);
  EXPECT_EQ(tools.call("throws").value, "boom \uFFFD");
  EXPECT_EQ(tools.call("throws_int").status, AGENTD_TERMINAL);
  const auto later = tools.call("later");
  EXPECT_EQ(later.status, AGENTD_RETRYABLE);
  EXPECT_EQ(later.retry_after_ms, 1500);
  EXPECT_EQ(tools.call("no_such_tool").status, AGENTD_TERMINAL);
  EXPECT_EQ(tools.call("half", R"({"x": )").status, AGENTD_TERMINAL);
  EXPECT_EQ(tools.call("half").value, R"(argument "x": is missing)");
}

TEST_F(ToolsetTest, HoldsNumbersToTheirRange) {
  auto tools = host.create("tools");
  const auto refusal = [&tools](const char* arguments) { return tools.call("sized", arguments).value; };
  EXPECT_EQ(tools.call("sized", R"({"count": 4, "share": 1, "small": 5, "times": 1})").value, "10");
  EXPECT_EQ(tools.call("sized", R"({"count": -2147483648, "share": 0, "small": -128})").value, "-128");
  EXPECT_EQ(refusal(R"({"count": 2147483648, "small": 1})"), R"(argument "count": expected an integer in range, got 2147483648)");
  EXPECT_EQ(refusal(R"({"count": 1, "share": 1.5, "small": 1})"), R"(argument "share": expected a number from 0 to 1, got 1.5)");
  EXPECT_EQ(refusal(R"({"count": 1, "small": 6})"), R"(argument "small": expected a number of at most 5, got 6)");
  EXPECT_EQ(refusal(R"({"count": 1, "small": 1, "times": 0})"), R"(argument "times": expected a number of at least 1, got 0)");
}

TEST_F(ToolsetTest, SaysInASchemaOnlyTheBoundsThatTellSomething) {
  auto tools = host.create("tools");
  const auto sized = std::find_if(tools.tools().begin(), tools.tools().end(), [](const auto& tool) { return tool.name == "sized"; });
  EXPECT_EQ(sized->schema, R"({"type":"object","properties":{"count":{"type":"integer"},)"
                           R"("share":{"type":"number","minimum":0,"maximum":1,"description":"of it","default":0.5},)"
                           R"("small":{"type":"integer","minimum":-128,"maximum":5,"description":"at most 5"},)"
                           R"("times":{"type":"integer","minimum":1,"description":"maybe"}},"required":["count","small"],"additionalProperties":false})");
}

TEST_F(ToolsetTest, RepliesLater) {
  auto tools = host.create("tools");
  EXPECT_EQ(tools.call("async", R"({"text": "hi"})").value, R"("hi!")");
  EXPECT_EQ(tools.call("forget").status, AGENTD_UNKNOWN_OUTCOME);
  const auto thrown = tools.call("async_throws");
  EXPECT_EQ(thrown.status, AGENTD_RETRYABLE);
  EXPECT_EQ(thrown.value, "not now");
}

TEST_F(ToolsetTest, HearsOfACancel) {
  auto tools = host.create("tools");
  const agentd_op op = tools.start("wait");
  tools.cancel(op);
  EXPECT_EQ(tools.wait(op).value, "true");
}

TEST_F(ToolsetTest, AnswersOnceEvenAfterADeadline) {
  auto tools = host.create("tools");
  const agentd_op op = tools.start("wait");
  tools.abandon(op);
  tools.cancel(op);
  EXPECT_EQ(tools.wait(op).status, AGENTD_UNKNOWN_OUTCOME);
  EXPECT_EQ(tools.call("limit").value, "5");
  EXPECT_EQ(host.stale_finishes(), 1);
}

TEST_F(ToolsetTest, PublishesChanges) {
  auto tools = host.create("tools");
  const std::size_t before = tools.tools().size();
  EXPECT_TRUE(tools.call("add_more").ok());
  EXPECT_EQ(tools.tools().size(), before);
  EXPECT_EQ(tools.tools().back().name, "more");
  EXPECT_EQ(tools.call("more").value, "1");
  EXPECT_EQ(tools.call("half", R"({"x": 1})").status, AGENTD_TERMINAL);
}

TEST_F(ToolsetTest, RefusesToBeMade) {
  EXPECT_EQ(host.try_create("tools", R"({"limit": -1})").created().value, "limit is below zero");
  EXPECT_EQ(host.try_create("tools", R"({"limit": "x"})").created().value, R"(settings: limit: expected an integer, got "x")");
  EXPECT_EQ(host.try_create("twice").created().value, R"(two tools are named "same")");
  EXPECT_EQ(host.try_create("same_param").created().value, R"(two parameters of "a" are named "l")");
  EXPECT_EQ(host.try_create("bad_name").created().value, R"("a.b" is not a name of a tool: 1 to 64 of A-Z a-z 0-9 _ -)");
  EXPECT_EQ(host.try_create("bad_default").created().value, R"(tool "f": default of "n": expected an integer in range, got 300)");
  EXPECT_EQ(host.try_create("default_out_of_range").created().value, R"(tool "f": default of "n": expected a number from 1 to 3, got 0)");
  EXPECT_EQ(host.try_create("empty_range").created().value, R"(tool "f": range of "n": nothing is a number from 3 to 1)");
  EXPECT_EQ(host.try_create("never_asked").created().value,
            R"(tool "f" has a reconcile, but it is not Effect::once: a pure or idempotent call is simply made again)");
  EXPECT_EQ(host.try_create("wrong_scope").created().value, R"(tool "roots" takes a scope that this toolset's bind does not make)");
  host.without(AGENTD_HOST_TOOLS_1);
  EXPECT_EQ(host.try_create("tools").created().value, "this host has no agentd.host.tools/1");
}

TEST_F(ToolsetTest, NarrowsForSomeAgents) {
  auto files = host.create("files");
  ASSERT_TRUE(files.binds());
  EXPECT_EQ(files.call("roots").value, R"(["/srv"])");
  EXPECT_EQ(files.bind(R"({"roots": ["/srv/a"]})").value, "1");
  EXPECT_EQ(files.bind(R"({"roots": ["/srv/b"]})").value, "2");
  EXPECT_EQ(files.bind(R"( {"roots":["\/srv/a"]} )").value, "1");  // equal scopes are shared
  EXPECT_EQ(files.call("roots", "{}", 1).value, R"(["/srv/a"])");
  EXPECT_EQ(files.call("both", R"({"x": 5})", 2).value, R"("run/0/0/srv/b5")");
}

TEST_F(ToolsetTest, RefusesToWiden) {
  auto files = host.create("files");
  EXPECT_EQ(files.bind(R"({"roots": ["/etc"]})").value, R"(roots: "/etc" is outside of /srv)");
  EXPECT_EQ(files.bind(R"({"root": ["/srv"]})").value, R"(unknown key "root"; known are: roots)");
  EXPECT_EQ(files.call("roots", "{}", 3).status, AGENTD_TERMINAL);
  EXPECT_FALSE(host.create("tools").binds());
}

TEST_F(ToolsetTest, TellsWhatBecameOfALostCall) {
  auto tools = host.create("ledgerless");
  EXPECT_TRUE(tools.tools()[0].reconciles);
  EXPECT_FALSE(tools.tools()[2].reconciles);
  EXPECT_EQ(tools.reconcile("write", R"({"path": "run/0/0"})").value, "7");
  EXPECT_EQ(tools.reconcile("write", R"({"path": "other"})").status, AGENTD_RETRYABLE);
  EXPECT_EQ(tools.reconcile("write", R"({"path": "broken"})").status, AGENTD_UNKNOWN_OUTCOME);
  EXPECT_EQ(tools.reconcile("write", "{}").status, AGENTD_UNKNOWN_OUTCOME);
  EXPECT_EQ(tools.reconcile("send").value, "null");
  EXPECT_EQ(tools.reconcile("plain").status, AGENTD_UNKNOWN_OUTCOME);
}

TEST_F(ToolsetTest, RunsManyCallsAtOnce) {
  auto tools = host.create("parallel");
  std::vector<agentd_op> ops;
  for (int i = 0; i < 64; ++i) ops.push_back(tools.start(i % 2 == 0 ? "overlap" : "async", R"({"text": "x"})"));
  for (const agentd_op op : ops) EXPECT_TRUE(tools.wait(op).ok());
}

}  // namespace
