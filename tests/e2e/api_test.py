"""The API holds its bounds, whatever it is asked for."""
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import unittest

from agentd import AGENTD, PATIENCE, AgentdTest, Host, openai, until

AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "Read it."
[limits]
queue_size = 1000
"""
MIB = 1 << 20
LONG = 700_000


class LongLists(AgentdTest):
    def setUp(self):
        super().setUp()
        self.agentd = self.host(openai(self.endpoint(text="Read.")), reader=AGENT)
        self.agentd.start()
        self.runs = [self.agentd.submit("reader", params={"text": "x" * LONG}) for _ in range(3)]
        until("all have ended", lambda: {run["status"] for run in self.agentd.get("/v1/runs")["runs"]} == {"completed"})

    def pages(self, path, name):
        cursor, between = "", "&" if "?" in path else "?"
        while True:
            status, text = self.agentd.request("GET", path + (f"{between}cursor={cursor}" if cursor else ""))
            self.assertEqual(status, 200, text[:200])
            page = json.loads(text)
            yield len(text), page[name]
            cursor = page["next"]
            if cursor is None:
                return

    def test_runs_come_in_pages_that_are_bounded_and_leave_out_what_is_long(self):
        listed = []
        for size, runs in self.pages("/v1/runs?limit=1000", "runs"):
            self.assertLessEqual(size, MIB + 200)
            listed += runs
        self.assertEqual([run["run_id"] for run in listed], list(reversed(self.runs)))
        self.assertEqual({run["result"] for run in listed}, {"Read."})
        self.assertEqual(len(self.agentd.get(f"/v1/runs/{self.runs[0]}")["params"]["text"]), LONG)

    def test_a_summary_agrees_with_its_run(self):
        one = self.agentd.get("/v1/runs?limit=1")["runs"][0]
        whole = self.agentd.get(f"/v1/runs/{one['run_id']}")
        for member in ("status", "trigger", "queued_at", "finished_at", "attempt", "steps", "usage", "error", "key", "session_id"):
            self.assertEqual(one[member], whole[member], member)

    def test_events_come_in_pages_that_are_bounded(self):
        since, seen = "", set()
        while True:
            status, text = self.agentd.request("GET", "/v1/events?type=background_task_started&limit=1000" + (f"&since={since}" if since else ""))
            page = json.loads(text)
            self.assertTrue(len(text) <= MIB + 200 or len(page["events"]) == 1, len(text))
            seen |= {event["run_id"] for event in page["events"]}
            since = page["next"]
            if since is None:
                break
        self.assertEqual(seen, set(self.runs))

    def test_a_type_that_no_event_has_is_refused_with_those_there_are(self):
        status, text = self.agentd.request("GET", "/v1/events?type=host_started&type=background_task_strated")
        self.assertEqual(status, 400)
        self.assertIn('no event has the type \\"background_task_strated\\"; did you mean \\"background_task_started\\"?; types are model_delta, agent_created, ', text)
        for follow in ((), ("--follow",)):
            refused = self.agentd.cli("events", "--type", "nosuch", *follow, check=False)
            self.assertEqual((refused.returncode, refused.stdout), (2, ""))
            self.assertIn('no event has the type "nosuch"; types are ', refused.stderr)

    def test_nobody_waits_for_a_long_list(self):
        slowest, over = [0.0], threading.Event()

        def ask_for_health():
            while not over.is_set():
                begin = time.monotonic()
                self.agentd.request("GET", "/healthz")
                slowest[0] = max(slowest[0], time.monotonic() - begin)

        asking = threading.Thread(target=ask_for_health)
        asking.start()
        for _ in self.pages("/v1/runs?limit=1000", "runs"):
            pass
        over.set()
        asking.join()
        self.assertLess(slowest[0], 1.0)

    def test_the_cli_puts_the_pages_together(self):
        listed = json.loads(self.agentd.cli("runs", "list", "--json", "--limit", "1000").stdout)
        self.assertEqual([run["run_id"] for run in listed["runs"]], list(reversed(self.runs)))
        self.assertIsNone(listed["next"])
        self.assertEqual(len(json.loads(self.agentd.cli("runs", "list", "--json", "--limit", "2").stdout)["runs"]), 2)


SPENT = {"tokens_today", "cost_today"}


class Agents(AgentdTest):
    def test_show_the_limits_that_hold_and_no_others(self):
        prices = '[providers.openai.prices."priced"]\ninput = 1.0\noutput = 1.0\n'
        agentd = self.host(openai(self.endpoint()) + prices, free=AGENT, priced=AGENT.replace('"test"', '"priced"'), native='[task]\nnative = "disk_report"\n')
        agentd.start()
        limits = {agent["agent_id"]: set(agent["budget"]) for agent in agentd.get("/v1/agents")["agents"]}
        self.assertEqual(limits, {"free": {"request_limit", "total_tokens_limit"} | SPENT, "priced": {"request_limit", "total_tokens_limit", "cost_limit"} | SPENT, "native": set()})


class Address(AgentdTest):
    def test_a_host_that_cannot_have_its_address_starts_nothing(self):
        first = self.host(openai(self.endpoint()), reader=AGENT)
        first.start()
        other = Host(tempfile.mkdtemp(dir=self.folder))
        other.port = first.port
        other.configure("", reader=AGENT)
        done = subprocess.run([str(AGENTD), "serve", "--config", "agentd.toml"], cwd=other.folder, capture_output=True, text=True, timeout=PATIENCE, env=other.environment())
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"cannot listen on 127.0.0.1:{first.port}: Address already in use", done.stderr)
        self.assertEqual(list(pathlib.Path(other.state).glob("ledger*")), [])


if __name__ == "__main__":
    unittest.main()
