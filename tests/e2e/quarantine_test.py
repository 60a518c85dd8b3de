"""Runs that were given up until a person has looked at them: listed, changed, let begin again, given up."""
import json
import unittest

from agentd import AgentdTest, until

DEADLY = """
[model]
provider = "played"
model = "m"
[task]
query = "say nothing"
[limits]
max_crashes = 1
"""

SCRIPT = """
agent = [
  { match = "say nothing", step = [{ delay = "59m", say = "Never." }] },
  { step = [{ say = "Said." }] },
]
"""


class Quarantine(AgentdTest):
    def setUp(self):
        super().setUp()
        (self.folder / "script.toml").write_text(SCRIPT)
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', deadly=DEADLY)
        self.agentd.start()

    def listed(self):
        return [run["run_id"] for run in self.agentd.get("/v1/quarantine")["quarantine"]]

    def gauge(self):
        line = next(line for line in self.agentd.request("GET", "/metrics")[1].splitlines() if line.startswith("agentd_quarantined_runs "))
        return int(float(line.split()[1]))

    def deadly_runs(self, count):
        """Runs that the host has died of."""
        runs = []
        for _ in range(count):
            run = self.agentd.submit("deadly", params={"n": len(runs)})
            until("it runs", lambda: self.agentd.run_status(run) == "running")
            self.agentd.kill()
            self.agentd.start()
            self.assertEqual(self.agentd.wait_run(run)["status"], "quarantined")
            runs.append(run)
        return runs

    def review(self, run, verb, body=None, method="POST"):
        status, text = self.agentd.request(method, f"/v1/quarantine/{run}{verb}", {} if body is None else body)
        return status, json.loads(text)

    def test_is_listed_edited_retried_and_dropped(self):
        first, second = self.deadly_runs(2)
        self.assertEqual(self.listed(), [second, first])
        self.assertEqual(self.gauge(), 2)
        self.assertIn(first, self.agentd.cli("quarantine", "list", "--agent", "deadly").stdout)
        self.assertIn("the host died 1 times", self.agentd.cli("quarantine", "show", first).stdout)
        status, problem = self.agentd.request("POST", f"/v1/runs/{first}/retry")  # or two people would start it twice
        self.assertEqual((status, "agentd quarantine retry" in problem), (409, True))

        edited = json.loads(self.agentd.cli("quarantine", "edit", first, "--query", "say it", "--by", "ana", "--json").stdout)
        self.assertEqual((edited["status"], edited["query"], edited["params"]), ("quarantined", "say it", {"n": 0}))
        self.assertEqual(self.listed(), [second, first])
        self.agentd.kill()  # what was said is durable
        self.agentd.start()
        self.assertEqual(self.gauge(), 2)
        self.assertEqual(self.agentd.cli("quarantine", "retry", first, "--by", "ana").stdout.split("\t")[0], first)
        run = self.agentd.wait_run(first)
        self.assertEqual((run["status"], run["result"], run["attempt"], run["query"]), ("completed", "Said.", 2, "say it"))
        self.assertEqual(self.review(first, "/retry")[0], 409)  # a stale click
        queued = [e for e in self.agentd.get(f"/v1/events?run={first}")["events"] if e["type"] == "background_task_queued"]
        self.assertEqual([e["payload"].get("by") for e in queued], [None, "ana"])

        self.agentd.cli("quarantine", "drop", second, "--reason", "a test")
        self.assertEqual((self.listed(), self.gauge()), ([], 0))
        self.assertEqual(self.review(second, "/retry")[0], 409)
        self.assertEqual(self.review(second, "", {"query": "x"}, "PATCH")[0], 409)
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual((self.listed(), self.gauge()), ([], 0))
        self.assertEqual(self.agentd.get(f"/v1/runs/{second}")["status"], "dropped")
        self.assertEqual([run["run_id"] for run in self.agentd.get("/v1/runs?status=dropped")["runs"]], [second])

    def test_refuses_what_makes_no_sense(self):
        run, = self.deadly_runs(1)
        for body, pointer in (({}, ""), ({"query": 1}, "/query"), ({"params": []}, "/params"), ({"query": "x", "who": "me"}, "/who")):
            status, problem = self.review(run, "", body, "PATCH")
            self.assertEqual((status, problem["errors"][0]["pointer"]), (422, pointer), problem)
        self.assertEqual(self.review(run, "/retry", {"query": "x"})[0], 422)
        for unknown in ("1-0000000", "nonsense"):
            self.assertEqual(self.review(unknown, "/drop")[0], 404)
        self.assertEqual(self.agentd.cli("quarantine", "edit", run, check=False).returncode, 2)
        self.assertEqual(self.listed(), [run])
        refused = self.agentd.cli("runs", "retry", run, check=False)  # what becomes of it is decided once
        self.assertEqual((refused.returncode, "agentd quarantine retry" in refused.stderr), (1, True))
        refused = self.agentd.cli("runs", "forget", run, check=False)  # nor does it go unseen
        self.assertEqual((refused.returncode, "agentd quarantine drop" in refused.stderr), (1, True))
        self.assertEqual(self.listed(), [run])

    def test_holds_no_secret(self):
        self.agentd.stop()
        self.agentd.configure('[providers.played]\nplugin = "script"\nfile = "script.toml"\n[providers.openai]\napi_key = "env:QUARANTINE_KEY"\n', deadly=DEADLY)
        secret = "sk-0123456789abcdef0123456789"
        self.agentd.start(QUARANTINE_KEY=secret)
        run = self.agentd.submit("deadly")
        until("it runs", lambda: self.agentd.run_status(run) == "running")
        self.agentd.kill()
        self.agentd.start(QUARANTINE_KEY=secret)
        self.agentd.wait_run(run)
        self.assertEqual(self.review(run, "", {"query": f"say {secret}", "params": {"k": secret}, "reason": secret}, "PATCH")[0], 200)
        self.assertNotIn(secret, json.dumps(self.agentd.get(f"/v1/runs/{run}")) + json.dumps(self.agentd.get(f"/v1/events?run={run}")))


if __name__ == "__main__":
    unittest.main()
