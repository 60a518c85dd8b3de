#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/manifest/agents.hpp"

namespace agentd::manifest {
namespace {

using namespace std::chrono_literals;

AgentSpec everything() {
  AgentSpec a;
  a.agent_id = "a";
  a.description = "d \"quoted\" \n\xc3\xa9";
  a.system_instruction = "file:stays text";
  a.enabled = false;
  a.debug = true;
  a.labels = {{"team", "ops"}};
  a.skills = {"/srv/skills/x"};
  a.model = {"openai", "m", 0.1, "low", 100, {{"anthropic", "c"}}};
  a.task = {"q", "", R"({"x":[1,2.5,"y"]})", R"({"type":"object"})", {"fs.write"}, 1500ms, 2h};
  a.gate = Gate{"g", R"({"a":1})"};
  a.schedule = {Cron{"0 9 * * *"}, "Europe/Berlin", Instant(1500ms), Instant(1h), 5s, port::Overlap::allow, Misfire::all, 3h, true};
  a.triggers = {{"w", WebhookTrigger{WebhookVerify::github, {"env:S"}}}, {"f", FileTrigger{"/in", "*.csv", 1s}}, {"c", AgentTrigger{"b", "failed"}}};
  a.retry = {0, 1s, Backoff::fixed, 2s, 0.25, 4};
  a.limits = {1, 2, 0, 0, 0, NanoDollars{123'456'789}, 7, 5'000'000'001, OnBudget::park, 9, 10s, 1000, 11};
  a.memory = {"local", {{"long_term", "v"}}, {Session::Scope::fixed, "n"}, 1, 2, false, 0, {"procedural"}};
  a.tools = {{"fs.*"}, {"x.*"}, {"y.*"}, 1h, OnUnknownOutcome::fail, {{"fs", R"({"roots":["/a"]})"}}};
  a.deliver = {{{"ops"}, {"failed"}, DeliverWhen::changed}};
  a.alerts = {3h, 3, 0.8, {"ops"}};
  return a;
}

TEST(Canonical, ReadsBackToAnEqualSpec) {
  for (const auto& spec : {everything(), AgentSpec{}}) {
    const auto back = parse_canonical(canonical(spec));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, spec);
    EXPECT_EQ(canonical(*back), canonical(spec));
  }
}

TEST(Canonical, KeepsEachKindOfSchedule) {
  AgentSpec spec;
  for (const auto& when : {decltype(Schedule::when)(Interval{90s}), decltype(Schedule::when)(At{Instant(1ms)}), decltype(Schedule::when)(Cron{"@daily"})}) {
    spec.schedule.when = when;
    EXPECT_EQ(parse_canonical(canonical(spec))->schedule.when, when);
  }
}

TEST(Canonical, LeavesOutWhatIsDefault) {
  AgentSpec spec;
  spec.agent_id = "a", spec.task.query = "q";
  EXPECT_EQ(canonical(spec), R"({"agent_id":"a","task":{"query":"q"}})");
}

TEST(Canonical, IsRefusedWhenDamaged) {
  EXPECT_FALSE(parse_canonical("{"));
  EXPECT_FALSE(parse_canonical(R"({"agent_id":1})"));
  EXPECT_FALSE(parse_canonical(R"({"from_the_future":1})"));
}

TEST(ContentHash, IsSha256) { EXPECT_EQ(content_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); }

}  // namespace
}  // namespace agentd::manifest
