#include "core/metrics/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace agentd::metrics {
namespace {

using port::RunStatus;

class Scrape : public ::testing::Test {
 protected:
  void see(const event::Body& body, RunStatus status = RunStatus::queued, const std::string& agent = "watcher") {
    const port::StoredRecord record{5, *parse_instant("2026-01-01T00:00:02Z"), RunId{5, 0}, agent, event::kind(body), status, event::encode(body)};
    metrics.observe(record, *event::decode(record.kind, record.payload));
  }
  bool shows(const std::string& line, const Snapshot& now = {}) { return ("\n" + metrics.render(now)).find("\n" + line + "\n") != std::string::npos; }

  Metrics metrics{{"0.1.0", "abc", "clang"}};
};

TEST_F(Scrape, ExportsWhatIsKnownAsZero) {
  metrics.know_agent("watcher", "m");
  metrics.know_tool("fs.read");
  metrics.know_model("script", "m");
  EXPECT_TRUE(shows(R"(agentd_runs_total{agent="watcher",outcome="failed"} 0)"));
  EXPECT_TRUE(shows(R"(agentd_tool_calls_total{outcome="timeout",tool="fs.read"} 0)") || shows(R"(agentd_tool_calls_total{tool="fs.read",outcome="timeout"} 0)"));
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="coalesced"} 0)"));
  EXPECT_TRUE(shows(R"(agentd_retries_total{agent="watcher",reason="rate"} 0)"));
  metrics.know_alert("silent", "critical");
  EXPECT_TRUE(shows(R"(agentd_alerts_raised_total{rule="silent",severity="critical"} 0)"));
  metrics.know_route("/v1/runs/{id}");
  EXPECT_TRUE(shows(R"(agentd_http_request_duration_seconds_count{route="/v1/runs/{id}"} 0)"));
  EXPECT_TRUE(shows(R"(agentd_model_tokens_total{model="m",provider="script",type="input"} 0)") || shows(R"(agentd_model_tokens_total{provider="script",model="m",type="input"} 0)"));
}

TEST_F(Scrape, CountsARunByWhatItsRecordsSay) {
  event::Entered slot;
  slot.trigger = "schedule";
  slot.scheduled_at = *parse_instant("2026-01-01T00:00:00Z");
  see(slot);
  event::Ended end;
  end.answer.emplace();
  end.answer->provider = "script";
  end.answer->model = "m";
  end.answer->usage = port::Usage{.input_tokens = 12, .output_tokens = 3};
  end.answer->cost = dollars(0.25);
  end.duration_ms = 700;
  see(end);
  const auto text = metrics.render({});
  EXPECT_NE(text.find("agentd_schedule_lateness_seconds_sum 2"), std::string::npos);
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="started"} 1)"));
  EXPECT_TRUE(shows(R"(agentd_runs_total{agent="watcher",outcome="completed"} 1)"));
  EXPECT_NE(text.find("agentd_run_duration_seconds_bucket{outcome=\"completed\",le=\"1\"} 1"), std::string::npos);
  EXPECT_NE(text.find("agentd_cost_usd_total{agent=\"watcher\",model=\"m\"} 0.25"), std::string::npos);
  EXPECT_TRUE(shows(R"(agentd_agent_last_completed_timestamp_seconds{agent="watcher"} 1767225602)", {.agents = {{.id = "watcher"}}}));
}

TEST_F(Scrape, CountsNoCallThatARecordAnsweredAndNoReplayAsTheAgentsLastRun) {
  metrics.know_completed("watcher", std::nullopt);
  event::Ended end{.answer = event::Answered{.step = 1, .calls = {{.tool = "fs.read", .refused = event::ToolOutcome::ok, .recorded = true}}}, .replay_of = "run-1"};
  see(end);
  EXPECT_TRUE(shows(R"(agentd_runs_total{agent="watcher",outcome="completed"} 1)"));
  EXPECT_TRUE(shows(R"(agentd_agent_last_completed_timestamp_seconds{agent="watcher"} 0)", {.agents = {{.id = "watcher"}}}));
  EXPECT_EQ(metrics.render({}).find(R"(tool="fs.read")"), std::string::npos);
}

TEST_F(Scrape, KnowsWhenAnAgentLastCompletedARunBeforeTheHostBegan) {
  const auto shown = [&](const std::string& seconds) { return shows(R"(agentd_agent_last_completed_timestamp_seconds{agent="watcher"} )" + seconds, {.agents = {{.id = "watcher"}}}); };
  EXPECT_EQ(metrics.render({.agents = {{.id = "watcher"}}}).find("agentd_agent_last_completed"), std::string::npos);
  metrics.know_completed("watcher", *parse_instant("2025-12-31T00:00:00Z"));
  EXPECT_TRUE(shown("1767139200"));
  see(event::Ended{});
  EXPECT_TRUE(shown("1767225602"));
  metrics.know_completed("watcher", *parse_instant("2025-12-31T00:00:00Z"));  // found out late
  EXPECT_TRUE(shown("1767225602"));
}

TEST_F(Scrape, SaysNothingOfTheStateOfAnAgentThatIsGone) {
  const auto slot = *parse_instant("2026-01-01T00:00:00Z");
  const Snapshot there{.agents = {{"watcher", 1, 100, slot}}, .budgets = {{"watcher", "tokens", 0.5}}};
  const auto said = [&](const Snapshot& now) {
    std::vector<std::string> families;
    for (const char* family : {"agentd_agent_last_completed_timestamp_seconds", "agentd_agent_next_slot_timestamp_seconds", "agentd_queue_depth", "agentd_queue_capacity", "agentd_budget_used_ratio"})
      if (metrics.render(now).find(std::string("\n") + family + "{agent=\"watcher\"") != std::string::npos) families.emplace_back(family);
    return families;
  };
  see(event::Ended{});
  EXPECT_EQ(said(there).size(), 5u);
  EXPECT_EQ(said({.agents = {{"watcher", 1, 100, std::nullopt}}}), (std::vector<std::string>{"agentd_agent_last_completed_timestamp_seconds", "agentd_queue_depth", "agentd_queue_capacity"}));
  EXPECT_TRUE(said({}).empty());
  EXPECT_TRUE(shows(R"(agentd_runs_total{agent="watcher",outcome="completed"} 1)"));
  EXPECT_EQ(said(there).size(), 5u);
}

TEST_F(Scrape, ShowsHowManyCallsWaitForAPerson) {
  EXPECT_TRUE(shows("agentd_approvals_pending 0"));
  EXPECT_TRUE(shows("agentd_approvals_pending 3", {.approvals_pending = 3}));
}

TEST_F(Scrape, CountsEverySlotThatARecordStandsFor) {
  event::Entered lost;
  lost.trigger = "schedule";
  lost.count = 6;
  lost.first = lost.last = *parse_instant("2026-01-01T00:00:00Z");
  see(lost, RunStatus::skipped);
  see(lost, RunStatus::missed);
  lost.into = *parse_instant("2026-01-02T00:00:00Z");
  see(lost, RunStatus::missed);
  event::Entered one;
  one.scheduled_at = *parse_instant("2026-01-01T00:00:00Z");
  see(one, RunStatus::skipped);
  see(event::Entered{}, RunStatus::dropped);  // asked for by a person: no slot
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="skipped"} 7)"));
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="missed"} 6)"));
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="coalesced"} 6)"));
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="dropped"} 0)"));
}

TEST_F(Scrape, CountsASlotOfAGatedAgentWhenItsGateHasSpoken) {
  const auto slot = *parse_instant("2026-01-01T00:00:00Z");
  see(event::Entered{.trigger = "schedule", .scheduled_at = slot, .gated = true}, RunStatus::queued);
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="started"} 0)"));
  see(event::Gated{.proceed = true, .scheduled_at = slot});
  see(event::Gated{.proceed = false, .scheduled_at = slot});
  see(event::Gated{.proceed = false});  // of a file: no slot
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="started"} 1)"));
  EXPECT_TRUE(shows(R"(agentd_slots_total{disposition="gated"} 1)"));
}

TEST_F(Scrape, CallsOfToolsThatDoNotExistShareOneLabel) {
  event::Answered answer;
  answer.provider = "script";
  answer.model = "m";
  for (const char* invented : {"a", "b", "c"}) answer.calls.push_back({.tool = invented, .known = false, .refused = event::ToolOutcome::error, .content = {"\"\""}});
  see(answer);
  const auto text = metrics.render({});
  EXPECT_EQ(text.find("tool=\"a\""), std::string::npos);
  EXPECT_NE(text.find("tool=\"unknown\""), std::string::npos);
  EXPECT_TRUE(shows(R"(agentd_tool_calls_total{outcome="error",tool="unknown"} 3)") || shows(R"(agentd_tool_calls_total{tool="unknown",outcome="error"} 3)"));
}

TEST_F(Scrape, BoundsTheAgentLabel) {
  for (std::size_t i = 0; i < Metrics::kAgentLabels + 5; ++i) metrics.know_agent("agent" + std::to_string(i), "");
  event::Ended end;
  see(end, RunStatus::queued, "agent1003");
  const auto text = metrics.render({});
  EXPECT_EQ(text.find("agent1003"), std::string::npos);
  EXPECT_TRUE(shows(R"(agentd_runs_total{agent="other",outcome="completed"} 1)"));
}

TEST_F(Scrape, BoundsWhatModelsAndToolsAreNamed) {
  for (int i = 0; i < 6000; ++i) {
    const auto n = std::to_string(i);
    metrics.know_tool("tool" + n);
    see(event::Answered{.provider = "p", .model = "model" + n, .cost = dollars(0.25)});
  }
  const auto text = metrics.render({});
  for (const auto* last : {"tool5999", "model5999"}) EXPECT_FALSE(text.contains(last)) << last;
  EXPECT_LT(std::ranges::count(text, '\n'), 60'000);
  EXPECT_TRUE(text.contains(R"(agentd_model_calls_total{model="other",outcome="ok",provider="p"} 5000)"));
  EXPECT_TRUE(text.contains(R"(agentd_cost_usd_total{agent="watcher",model="other"} 500)"));
}

TEST_F(Scrape, ShowsTheSeriesOfAFamilyInOrder) {
  Snapshot now;
  std::string wanted;
  for (const char* state : {"error", "idle", "paused", "running", "stopped"}) {
    now.agents_by_state[state] = 1;
    wanted += std::string("agentd_agents{state=\"") + state + "\"} 1\n";
  }
  EXPECT_NE(metrics.render(now).find(wanted), std::string::npos) << metrics.render(now);
}

TEST_F(Scrape, RefusesAPluginsMetricWithABadName) {
  EXPECT_EQ(metrics.declare("fs", "fs", false, "bad-name", ""), 0u);
  const auto id = metrics.declare("fs", "fs", false, "reads", "Reads.");
  metrics.add(id, 2);
  metrics.add(id, -1);  // a counter never falls
  EXPECT_TRUE(shows(R"(agentd_plugin_fs_reads{instance="fs"} 2)"));
  EXPECT_EQ(metrics.declare("fs", "fs", true, "reads", ""), 0u);
}

TEST_F(Scrape, ShowsHowMuchOfADaysBudgetIsUsed) {
  Snapshot now;
  now.budgets = {{"", "cost", 0.5}, {"a", "tokens", 0.25}};
  EXPECT_TRUE(shows(R"(agentd_budget_used_ratio{agent="",resource="cost",window="day"} 0.5)", now) || shows(R"(agentd_budget_used_ratio{agent="",window="day",resource="cost"} 0.5)", now)) << metrics.render(now);
  EXPECT_NE(metrics.render(now).find("0.25"), std::string::npos);
}

}  // namespace
}  // namespace agentd::metrics
