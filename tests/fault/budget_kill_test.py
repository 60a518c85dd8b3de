"""A day's limit under 64 runs at once: kept where the endpoint reports what it used, passed by the calls in flight alone where it
reports more, and free of holds whoever died."""
import random
import time
import unittest

from agentd import AgentdTest, openai, until

RUNS = 64
AGENT = """
[model]
provider = "openai"
model = "m"
max_output_tokens = 50
[task]
query = "How is the load?"
[tools]
allow = ["system.load"]
[retry]
max_retries = 0
[memory]
session = "run"
[limits]
max_concurrent = 64
queue_size = 1000
max_crashes = 1000
tokens_per_day = %d
on_budget = "stop"
"""


class Budget(AgentdTest):
    def start(self, limit, **endpoint):
        self.model = self.endpoint(tool="system__load", **endpoint)
        self.agentd = self.host(openai(self.model), worker=AGENT % limit)
        return self.agentd.start()

    def account(self):
        [budget] = [budget for budget in self.agentd.get("/v1/budgets")["budgets"] if budget["limit"] is not None]
        return budget

    def ended(self, runs):
        return [self.agentd.wait_run(run) for run in runs]

    def test_usage_that_is_told_truly_never_passes_the_limit(self):
        limit = 15_000
        self.start(limit, delay=100)
        runs = [self.agentd.submit("worker", key=f"run-{i}") for i in range(RUNS)]
        most = 0
        while self.agentd.get("/v1/agents/worker")["run_count"] < RUNS:
            account = self.account()
            self.assertLessEqual(account["spent"] + account["held"], limit)
            most = max(most, account["held"])
        ended = self.ended(runs)
        account = self.account()
        self.assertGreater(most, 0)
        self.assertEqual(account["held"], 0)
        self.assertLessEqual(account["spent"], limit)
        self.assertEqual(account["spent"], sum(run["usage"]["input_tokens"] + run["usage"]["output_tokens"] for run in ended))
        outcomes = {(run["status"], run["error_class"]) for run in ended}
        self.assertEqual(outcomes, {("completed", None), ("failed", "budget")})

    def test_usage_that_is_told_too_high_passes_it_by_the_calls_in_flight_alone(self):
        limit = 15_000
        self.start(limit, delay=50, usage=20)
        ended = self.ended([self.agentd.submit("worker", key=f"run-{i}") for i in range(RUNS)])
        self.assertEqual(self.account()["held"], 0)
        spent = self.account()["spent"]
        self.assertGreater(spent, limit)
        each = max(run["usage"]["input_tokens"] + run["usage"]["output_tokens"] for run in ended)
        asked = len(self.model.journal("asked"))
        self.assertLessEqual(spent - limit, self.most_at_once() * each)
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("worker"))["error_class"], "budget")
        self.assertEqual(len(self.model.journal("asked")), asked)  # nothing is asked any more

    def most_at_once(self):
        """Requests that were under way together, by the endpoint's own journal."""
        under_way, most = 0, 0
        for line in self.model.journal():
            under_way += {"asked": 1, "answered": -1}.get(line["event"], 0)
            most = max(most, under_way)
        self.assertLess(most, RUNS)
        return most

    def test_after_fifty_kills_nothing_is_held(self):
        limit = 2_000_000
        self.start(limit, delay=30)
        chance = random.Random(7)
        runs = []
        for kill in range(50):
            for i in range(3):
                runs.append(self.agentd.submit("worker", key=f"run-{kill}-{i}"))
            asked = len(self.model.journal("asked"))
            until("calls are under way", lambda: len(self.model.journal("asked")) > asked)
            time.sleep(chance.uniform(0, 0.06))
            self.agentd.kill()
            self.agentd.start()
        ended = self.ended(runs)
        self.assertEqual({run["status"] for run in ended}, {"completed"})
        account = self.account()
        self.assertEqual(account["held"], 0)
        self.assertLessEqual(account["spent"], limit)
        self.assertGreaterEqual(account["spent"], sum(run["usage"]["input_tokens"] + run["usage"]["output_tokens"] for run in ended))
        asked = [line["call_id"] for line in self.model.journal("asked")]
        self.assertEqual(len(set(asked)), 2 * len(runs))


if __name__ == "__main__":
    unittest.main()
