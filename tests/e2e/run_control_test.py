"""People cancel runs and ask for them again."""
import json
import socket
import time
import unittest
import urllib.parse

from agentd import AgentdTest, until

WORKER = """
[model]
provider = "played"
model = "m"
[task]
query = "say"
[retry]
max_retries = 0
[tools]
allow = ["system.load"]
"""

SCRIPT = """
agent = [
  { match = "never", step = [{ delay = "59m", say = "Never." }] },
  { step = [{ say = "Said." }] },
]
"""


class RunControl(AgentdTest):
    def setUp(self):
        super().setUp()
        (self.folder / "script.toml").write_text(SCRIPT)
        asking = WORKER.replace("allow", "ask").replace('query = "say"', 'query = "look"')
        (self.folder / "look.toml").write_text('agent = [{ step = [{ call = [{ tool = "system.load" }] }, { say = "Done." }] }]')
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n[providers.looks]\nplugin = "script"\nfile = "look.toml"\n',
                                worker=WORKER, asker=asking.replace('"played"', '"looks"'))
        self.agentd.start()

    def post(self, run_id, verb, body=None):
        status, text = self.agentd.request("POST", f"/v1/runs/{run_id}/{verb}", {} if body is None else body)
        return status, json.loads(text)

    def test_who_waits_for_a_run_is_answered_when_the_host_stops(self):
        run = self.agentd.submit("asker")
        until("it waits for a person", lambda: self.agentd.run_status(run) == "waiting")
        address = urllib.parse.urlsplit(self.agentd.url)
        waiting = [socket.create_connection((address.hostname, address.port)) for _ in range(2)]
        for one in waiting:
            one.sendall(f"GET /v1/runs/{run}?wait=50 HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        time.sleep(1)
        waiting[0].close()  # and does not want to know any more
        self.assertEqual(self.agentd.stop(), 0, self.agentd.log())
        answer = b"".join(iter(lambda: waiting[1].recv(65536), b"")).decode()
        self.assertIn("200", answer.splitlines()[0])
        self.assertIn('"waiting"', answer)
        waiting[1].close()

    def cancelled(self, run_id, **body):
        status, run = self.post(run_id, "cancel", body)
        self.assertEqual((status, run["status"]), (200, "cancelled"), run)
        return run

    def test_cancels_what_runs_what_is_queued_and_what_waits(self):
        running = self.agentd.submit("worker", query="never", params={"n": 1}, session_id="s")
        until("it runs", lambda: self.agentd.run_status(running) == "running")
        queued = self.agentd.submit("worker", query="never")
        waiting = self.agentd.submit("asker")
        until("it waits", lambda: self.agentd.run_status(waiting) == "waiting")
        self.assertEqual(self.agentd.run_status(queued), "queued")
        self.assertEqual(self.cancelled(queued)["reason"], "cancelled by a person")
        self.assertEqual(self.cancelled(running, reason="wrong day")["reason"], "wrong day")
        self.cancelled(waiting)
        self.assertEqual(self.agentd.get("/v1/approvals")["approvals"], [])
        self.cancelled(running)  # once more
        self.assertEqual(len([e for e in self.agentd.get(f"/v1/events?run={running}")["events"] if e["type"] == "background_task_cancelled"]), 1)

        first = self.agentd.cli("runs", "retry", running).stdout.strip()
        self.assertEqual(self.agentd.cli("runs", "retry", running).stdout.strip(), first)
        run = self.agentd.get(f"/v1/runs/{first}")
        self.assertEqual((run["trigger"], run["key"], run["query"], run["params"], run["session_id"]), ("retry", f"retry:{running}/1", "never", {"n": 1}, "s"))
        self.assertIn("cancelled", self.agentd.cli("runs", "cancel", first, "--reason", "no").stdout)
        second = json.loads(self.agentd.cli("runs", "retry", running, "--json").stdout)
        self.assertEqual((second["duplicate"], second["retry_of"]), (False, running))
        self.assertNotEqual(second["run_id"], first)
        self.cancelled(second["run_id"])

    def test_a_slot_cancels_the_run_before_it(self):
        self.agentd.stop()
        self.agentd.configure('[providers.played]\nplugin = "script"\nfile = "script.toml"\n',
                              pusher=WORKER.replace("say", "never") + '[schedule]\ninterval = "1s"\noverlap = "cancel_previous"\n')
        self.agentd.start()
        pushed = until("a run is pushed aside", lambda: self.agentd.get("/v1/runs?agent=pusher&status=cancelled")["runs"])
        self.assertRegex(pushed[0]["reason"], "^overtaken by run ")
        self.assertLessEqual(len(self.agentd.get("/v1/runs?agent=pusher&status=queued")["runs"]), 1)

    def test_what_has_ended_otherwise_is_neither_cancelled_nor_retried(self):
        done = self.agentd.submit("worker")
        self.agentd.wait_run(done)
        for verb in ("cancel", "retry"):
            status, problem = self.post(done, verb)
            self.assertEqual(status, 409)
            self.assertIn("completed", problem["detail"])
        self.assertEqual(self.post("1-0000000", "cancel")[0], 404)
        self.assertEqual(self.post("nonsense", "retry")[0], 404)
        refused = self.agentd.cli("runs", "cancel", done, check=False)
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        queued = self.agentd.submit("worker", query="never")
        self.assertEqual(self.post(queued, "retry")[0], 409)
        self.assertEqual(self.post(queued, "cancel", {"because": "x"})[0], 422)
        self.cancelled(queued)


if __name__ == "__main__":
    unittest.main()
