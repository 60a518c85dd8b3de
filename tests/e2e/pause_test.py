"""Agents that people, or their own failures, pause and stop: durable, told, and ended by people."""
import http.client
import json
import time
import unittest
from datetime import datetime

from agentd import AgentdTest, until

SCRIPT = """
agent = [
  { match = "fail", step = [{ say = "Did not look." }] },
  { match = "not done", step = [{ say = "Did not look." }, { say = "Did not look." }] },
  { match = "slow", step = [{ call = [{ tool = "stubborn.nap", arguments = { seconds = 30 } }] }, { say = "Done." }] },
  { step = [{ call = [{ tool = "system.load" }] }, { say = "Done." }] },
]
"""

AGENT = """
[model]
provider = "played"
model = "m"
[task]
query = "Do it."
require = ["system.load"]
[tools]
allow = ["system.load"]
[retry]
max_retries = 0
"""


class Pause(AgentdTest):
    def start(self, **agents):
        (self.folder / "script.toml").write_text(SCRIPT)
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', **agents)
        return self.agentd.start()

    def state(self, agent="worker"):
        return self.agentd.get(f"/v1/agents/{agent}")["state"]

    def runs(self, agent="worker"):
        return [(run["trigger"], run["status"], run["key"]) for run in self.agentd.get(f"/v1/runs?agent={agent}&limit=1000")["runs"]]

    def types(self, agent="worker"):
        return [event["type"] for event in self.agentd.get(f"/v1/events?agent={agent}&limit=1000")["events"] if event["type"].startswith("agent_")]

    def ran(self, agent="worker", **asked):
        return self.agentd.wait_run(self.agentd.submit(agent, **asked))["status"]

    def test_slots_stop_and_are_accounted_for_and_a_run_by_hand_still_works(self):
        self.start(worker=AGENT + '[schedule]\ninterval = "1s"\n')
        until("a slot runs", lambda: any(run[:2] == ("schedule", "completed") for run in self.runs()))
        paused = json.loads(self.agentd.cli("agents", "pause", "worker", "--reason", "the disk moves", "--by", "ann", "--json").stdout)
        self.assertEqual((paused["state"], paused["next_run"], paused["paused"]["by"], paused["paused"]["reason"]), ("paused", None, "ann", "the disk moves"))
        self.assertEqual(self.agentd.get("/v1/status")["paused_agents"], 1)
        self.assertEqual(json.loads(self.agentd.cli("agents", "pause", "worker", "--json").stdout)["paused"]["by"], "ann")  # twice is once
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual(self.state(), "paused")
        before = [run for run in self.runs() if run[0] == "schedule"]
        self.assertEqual(self.ran(), "completed")
        time.sleep(2.2)  # two slots that are not to run
        self.assertEqual([run for run in self.runs() if run[0] == "schedule"], before)
        self.agentd.cli("agents", "resume", "worker")
        until("a slot runs again", lambda: len([run for run in self.runs() if run[:2] == ("schedule", "completed")]) > len([run for run in before if run[1] == "completed"]))
        [skipped] = self.agentd.get("/v1/runs?agent=worker&status=skipped")["runs"]
        self.assertEqual((skipped["reason"], skipped["count"] >= 2), ("paused", True))
        # From the first slot to the last, each is in one run or in the stretch that was skipped.
        slots = set()
        for run in self.agentd.get("/v1/runs?agent=worker&limit=1000")["runs"]:
            if run["trigger"] != "schedule":
                continue
            first, last = (run["first"], run["last"]) if run.get("count") else (run["scheduled_at"],) * 2
            span = range(seconds(first), seconds(last) + 1)
            self.assertFalse(slots & set(span))
            slots |= set(span)
        self.assertEqual(slots, set(range(min(slots), max(slots) + 1)))
        self.assertEqual(self.types(), ["agent_created", "agent_paused", "agent_resumed"])

    def test_stopped_it_refuses_and_what_runs_is_cancelled(self):
        self.start(worker=AGENT.replace('require = ["system.load"]\n', "").replace('["system.load"]', '["stubborn.nap"]'))
        run = self.agentd.submit("worker", query="slow")
        until("it runs", lambda: self.agentd.run_status(run) == "running")
        queued = self.agentd.submit("worker", query="fail")
        self.agentd.cli("agents", "stop", "worker", "--reason", "enough")
        self.assertEqual(self.agentd.wait_run(run)["status"], "cancelled")
        status, body = self.agentd.request("POST", "/v1/agents/worker/runs", {})
        self.assertEqual((status, "agentd agents start worker" in body), (409, True))
        self.assertEqual(self.agentd.request("POST", "/v1/agents/worker/resume")[0], 409)
        self.assertEqual(self.agentd.request("POST", "/v1/agents/worker/pause")[0], 409)
        self.agentd.kill()
        self.agentd.start()
        time.sleep(0.5)  # in which a run that may be claimed would have been
        self.assertEqual((self.state(), self.agentd.run_status(queued)), ("stopped", "queued"))
        self.agentd.cli("agents", "start", "worker")
        self.assertEqual(self.agentd.wait_run(queued)["status"], "completed")
        self.assertEqual(self.types(), ["agent_created", "agent_stopped", "agent_resumed"])

    def test_triggers_of_a_paused_agent(self):
        inbox = self.folder / "inbox"
        inbox.mkdir()
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', worker=AGENT,
                                follower=AGENT + '[[trigger]]\nname = "after"\non = "agent"\nagent = "worker"\n'
                                f'[[trigger]]\nname = "files"\non = "file"\npath = "{inbox}"\ndebounce = "50ms"\n'
                                '[[trigger]]\nname = "hook"\non = "webhook"\nverify = "bearer"\nsecret = "env:HOOK"\n')
        (self.folder / "script.toml").write_text(SCRIPT)
        self.agentd.start(HOOK="let-me-in-now")
        self.agentd.cli("agents", "pause", "follower")
        self.assertEqual(self.ran("worker"), "completed")
        until("the chain is accounted for", lambda: [run[:2] for run in self.runs("follower")] == [("agent", "skipped")])
        (inbox / "one.csv").write_text("1")
        status, body = self.hook()
        self.assertEqual((status, "is paused" in body), (409, True))
        time.sleep(0.5)  # in which the file would have been seen
        self.assertEqual(len(self.runs("follower")), 1)
        self.agentd.cli("agents", "resume", "follower")
        until("the file that came meanwhile is taken", lambda: ("file", "completed") in [run[:2] for run in self.runs("follower")])
        self.assertEqual(self.hook()[0], 202)

    def hook(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=30)
        connection.request("POST", "/v1/hooks/follower/hook", "{}", {"Authorization": "Bearer let-me-in-now", "Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def test_too_many_failures_pause_an_agent_until_a_person_resumes_it(self):
        self.start(worker=AGENT + "pause_after_failures = 2\n")
        self.assertEqual(self.ran(query="fail"), "failed")
        self.assertEqual(self.state(), "error")
        self.assertEqual(self.ran(query="fail"), "failed")
        until("it is paused", lambda: self.state() == "paused")
        view = self.agentd.get("/v1/agents/worker")["paused"]
        self.assertEqual(view["by"], "retry.pause_after_failures")
        self.assertIn("failed 2 times in a row", view["reason"])
        until("a person is called", lambda: [(alert["rule"], alert["agent_id"]) for alert in self.agentd.get("/v1/alerts")["alerts"] if alert["rule"] == "paused"] == [("paused", "worker")])
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual(self.state(), "paused")
        self.agentd.cli("agents", "resume", "worker")
        until("the alert is over", lambda: [alert for alert in self.agentd.get("/v1/alerts")["alerts"] if alert["rule"] == "paused"] == [])
        self.agentd.kill()
        self.agentd.start()  # the failures before the person spoke do not count again
        self.assertEqual(self.state(), "error")
        self.assertEqual(self.ran(), "completed")  # nor in the next row
        for _ in range(2):
            self.assertEqual(self.ran(query="fail"), "failed")
        until("it is paused again", lambda: self.state() == "paused")
        self.agentd.cli("agents", "resume", "worker")
        self.assertEqual(self.ran(query="fail"), "failed")
        self.assertEqual(self.state(), "error")
        self.assertEqual(self.ran(query="fail"), "failed")
        until("it is paused once more", lambda: self.state() == "paused")

    def test_failures_before_a_death_pause_it_after_the_restart(self):
        self.start(worker=AGENT)
        for _ in range(2):
            self.assertEqual(self.ran(query="fail"), "failed")
        self.agentd.kill()
        (self.folder / "agents" / "worker.toml").write_text(AGENT + "pause_after_failures = 2\n")
        self.agentd.start()
        until("it is paused", lambda: self.state() == "paused")

    def test_what_is_asked_wrongly_is_refused(self):
        self.start(worker=AGENT, off=AGENT.replace("[model]", "enabled = false\n[model]", 1))
        for path, body, expected in (("/v1/agents/nobody/pause", {}, 404), ("/v1/agents/off/pause", {}, 409), ("/v1/agents/worker/pause", {"who": "ann"}, 422),
                                     ("/v1/agents/worker/pause", {"by": 7}, 422), ("/v1/agents/worker/pause", {"by": "x" * 300}, 422), ("/v1/agents/worker/pause", [], 400)):
            with self.subTest(path=path, body=body):
                self.assertEqual(self.agentd.request("POST", path, body)[0], expected)
        self.assertEqual(self.state(), "idle")


def seconds(instant):
    return int(datetime.fromisoformat(instant.replace("Z", "+00:00")).timestamp())


if __name__ == "__main__":
    unittest.main()
