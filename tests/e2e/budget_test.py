"""A day's budget: a run that has no room parks, a raise lets it go on, what died holding is spent, and nothing passes the limit."""
import json
import unittest

from agentd import AgentdTest, until

SCRIPT = """
agent = [{ step = [{ call = [{ tool = "system.load" }] }, { call = [{ tool = "system.load" }] }, { say = "Done." }] }]
"""
CONFIG = """
[providers.played]
plugin = "script"
file = "script.toml"
[providers.played.prices.m]
output = 1000000                  # a dollar a token, so that a call holds a hundred
"""
AGENT = """
[model]
provider = "played"
model = "m"
max_output_tokens = 100
[task]
query = "How busy?"
[limits]
cost_limit = 0
cost_per_day = 101
on_budget = "{on_budget}"
[tools]
allow = ["system.load"]
"""


class Budget(AgentdTest):
    def setUp(self):
        super().setUp()
        self.running = self.host(CONFIG, **{on_budget: AGENT.format(on_budget=on_budget) for on_budget in ("park", "stop")})
        (self.folder / "script.toml").write_text(SCRIPT)
        self.running.start()

    def spent(self, scope):
        budgets = json.loads(self.running.cli("budgets", "list", "--json").stdout)["budgets"]
        return next(budget for budget in budgets if budget["scope"] == scope)

    def test_a_parked_run_goes_on_when_its_budget_is_raised(self):
        run = self.running.submit("park")
        until("the run is parked", lambda: self.running.get(f"/v1/runs/{run}")["waiting_for"] == "budget")
        parked = self.spent("agent:park")
        self.assertEqual(parked["held"], 0)
        self.assertTrue(0 < parked["spent"] < 101, parked)
        self.running.kill()
        self.running.start()
        self.assertEqual(self.running.get(f"/v1/runs/{run}")["waiting_for"], "budget")
        raised = self.running.cli("budgets", "raise", "agent:park", "500").stdout
        self.assertIn("agent:park may use $601.0 on ", raised)
        self.assertIn("1 parked run looks again", raised)
        self.assertEqual(self.running.get(f"/v1/runs/{run}?wait=20")["status"], "completed")
        types = [event["type"] for event in self.running.get(f"/v1/events?run={run}&limit=1000")["events"]]
        self.assertEqual(types.count("budget_exhausted"), 1)
        self.assertEqual(types.count("background_task_completed"), 1)
        self.assertEqual(self.spent("agent:park")["held"], 0)
        self.assertIn('agentd_budget_used_ratio{agent="park",resource="cost",window="day"}', self.running.request("GET", "/metrics")[1])

    def test_what_is_spent_without_a_limit_is_shown_too_and_survives_the_host(self):
        self.running.kill()
        host = self.host(CONFIG.replace("1000000 ", "1 "), park=AGENT.format(on_budget="stop").replace("cost_per_day = 101\n", ""), stop=AGENT.format(on_budget="stop"))
        (self.folder / "script.toml").write_text(SCRIPT)
        host.start()
        usage = host.wait_run(host.submit("park"))["usage"]
        tokens = usage["input_tokens"] + usage["output_tokens"]
        self.assertGreater(tokens, 0)
        said = lambda: [(budget["scope"], budget["resource"], budget["spent"], budget["limit"]) for budget in host.get("/v1/budgets")["budgets"]]
        shown = [("host", "tokens", tokens, None), ("host", "cost", usage["cost"], None), ("agent:park", "tokens", tokens, None), ("agent:park", "cost", usage["cost"], None),
                 ("agent:stop", "cost", 0.0, 101.0)]
        self.assertEqual(said(), shown)
        self.assertEqual(host.get("/v1/agents/park")["budget"]["tokens_today"], tokens)
        host.kill()
        host.start()
        until("what was spent before is found again", lambda: said() == shown)
        table = host.cli("budgets", "list").stdout
        self.assertRegex(table, rf"agent:park\s+\S+\s+tokens\s+{tokens}\s+0\s+-")

    def test_a_run_that_may_not_wait_fails_and_says_why(self):
        run = self.running.get(f"/v1/runs/{self.running.submit('stop')}?wait=20")
        self.assertEqual((run["status"], run["error_class"]), ("failed", "budget"))
        self.assertIn("limits.cost_per_day", run["error"])

    def test_what_cannot_be_raised_is_refused(self):
        for scope, amount, said in (("agent:nobody", "5", "no budget"), ("host", "5", "no limit on cost"), ("agent:park", "5tokens", "it has one on cost, and an amount of dollars is written 2.50")):
            refused = self.running.cli("budgets", "raise", scope, amount, check=False)
            self.assertEqual(refused.returncode, 1, refused)
            self.assertIn(said, refused.stderr)
        for amount in ("-5", "0", "nan", "much"):
            self.assertEqual(self.running.cli("budgets", "raise", "agent:park", "--", amount, check=False).returncode, 2, amount)
        for resource, amount in (("cost", 1e-12), ("tokens", 0.5)):  # less than there is
            status, problem = self.running.request("POST", "/v1/budgets/raise", {"scope": "agent:park", "resource": resource, "amount": amount})
            self.assertEqual((status, "at least" in problem), (422, True), problem)

    def test_check_says_what_a_day_may_cost(self):
        found = json.loads(self.running.cli("check", "--cost", "--json", "--config", "agentd.toml").stdout)
        self.assertEqual(found["problems"], [])
        self.assertEqual(found["cost"]["cost_per_day"], 202)


if __name__ == "__main__":
    unittest.main()
