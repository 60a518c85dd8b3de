"""Memory and events on a server that is killed and comes back while agents run: what is expected whichever server that is.

A test that derives from it has in setUp a `server` with start, kill and port, and an `endpoint`; `stores(more)` names both for the server,
and `copied` gives the ids of events there, in the order of commits. It is abstract: only what derives from it runs.
"""
import time
import unittest

from agentd import WATCHER, AgentdTest, openai, until

WORKER = WATCHER + """
[memory]
window = 4
[retry]
delay = "200ms"
"""


class ServedStores(AgentdTest):
    @classmethod
    def setUpClass(cls):
        if cls is ServedStores:
            raise unittest.SkipTest("abstract")
        super().setUpClass()

    def event_ids(self):
        page, ids = self.agentd.get("/v1/events?limit=1000"), []
        while True:
            ids += [event["id"] for event in page["events"]]
            if not page["next"]:
                return ids
            page = self.agentd.get(f"/v1/events?limit=1000&since={page['next']}")

    def expect_all_copied_once(self):
        ids = self.event_ids()
        until("the copy is whole", lambda: self.copied()[-1:] >= ids[-1:])
        copied = self.copied()
        self.assertEqual(copied[:len(ids)], ids)
        self.assertEqual(len(copied), len(set(copied)))

    def remembered(self):
        lines = [line.split("\t") for line in self.agentd.cli("memory", "list", "worker", "--limit", "100").stdout.splitlines()]
        return [line for line in lines if not line[0].startswith("summary/")]

    def test_nothing_is_lost_or_repeated_when_the_server_and_the_host_are_killed(self):
        self.agentd = self.host(openai(self.endpoint) + self.stores(), worker=WORKER)
        self.agentd.start()
        runs = []
        for n in range(6):
            runs.append(self.agentd.submit("worker", key=f"k{n}"))
            if n % 3 == 0:
                self.server.kill()
                time.sleep(0.3)
                self.server.start()
            if n == 4:
                self.agentd.kill()
                self.agentd.start()
        for run in runs:
            self.assertEqual(self.agentd.wait_run(run)["status"], "completed", self.agentd.log())
        self.assertEqual(len(self.remembered()), 2 * len(runs), "what was asked and what was answered, of each run once")
        self.expect_all_copied_once()
        last = [asked["body"] for asked in self.endpoint.journal("asked") if "running summary" not in asked["body"]][-1]
        self.assertGreaterEqual(last.count("How is the load?"), 2, "a run is given what was said before it")

    def test_a_run_waits_for_a_memory_that_is_away(self):
        self.agentd = self.host(openai(self.endpoint) + self.stores('timeout = "500ms"\n'), worker=WORKER)
        self.agentd.start()
        self.server.kill()
        run = self.agentd.submit("worker")
        until("the log tells of it", lambda: f"127.0.0.1:{self.server.port} cannot be used now" in self.agentd.log())
        self.assertNotIn(self.agentd.run_status(run), ("completed", "failed"))
        self.server.start()
        self.assertEqual(self.agentd.wait_run(run)["status"], "completed", self.agentd.log())
        self.expect_all_copied_once()
        self.assertEqual(len(self.remembered()), 2)
