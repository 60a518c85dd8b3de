"""A host that is killed at every durable step of a run, and while a request is under way, loses nothing and repeats nothing."""
import collections
import json
import os
import pathlib
import shutil
import sqlite3
import time
import unittest

from agentd import BUILD, AgentdTest, Records, openai, until

SHIM = BUILD / "tests" / "die_at_sync.so"
AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "Leave a mark"
[tools]
allow = ["marker.*"]
[retry]
max_retries = 0
[limits]
max_crashes = 10
"""


def preloads():
    """The shim comes behind the sanitizers' own runtime, which must be first."""
    kept = os.environ.get("LD_PRELOAD", "")
    return f"{kept}:{SHIM}" if kept else str(SHIM)


class Kill(AgentdTest):
    def prepare(self, tool, **endpoint):
        self.marks = self.folder / "marks"
        self.model = self.endpoint(tool=f"marker__{tool}", **endpoint)
        return self.host(openai(self.model) + f'[toolsets.marker]\nfile = "{self.marks}"\n', agent=AGENT)

    def reset(self, host):
        shutil.rmtree(host.state, ignore_errors=True)
        for file in (self.marks, self.model.journal_file):
            if file.exists():
                file.write_text("")

    def marked(self):
        return self.marks.read_text().split("\n")[:-1] if self.marks.exists() else []

    def submit_and_die(self, host):
        """Asks for a run of a host that will die on the way; it may have died before it answered."""
        try:
            status, _ = host.request("POST", "/v1/agents/agent/runs", {"key": "only"})
            accepted = status == 202
        except OSError:
            accepted = False
        since = time.monotonic()
        while host.process.poll() is None:
            if time.monotonic() - since > 5:  # it wrote what it had to write in fewer groups than before, and lives on
                host.kill()
            time.sleep(0.01)
        return accepted

    def check_after(self, host, accepted, kills=1):
        """Copies the ledger as the kill left it, starts again, and holds the endpoint's journal against the copy."""
        before = Records(host.state, self.folder)
        asked_before = len(self.model.journal("asked"))
        host.start()
        runs = host.get("/v1/runs")["runs"]
        if accepted:
            self.assertEqual(len(runs), 1, "an accepted run is lost")
        if not runs:
            return None
        run = host.wait_run(runs[0]["run_id"])
        self.assertEqual(run["status"], "completed", f"{run}\n{host.log()}")
        position = int(run["run_id"].split("-")[0])
        asked = self.model.journal("asked")
        repeated = asked[asked_before:]
        for line in repeated:
            step = int(line["call_id"].split("/")[1])
            self.assertNotIn((position, step), before.answers(), f"model call {line['call_id']} was answered durably and asked again")
        ids = [line["call_id"] for line in asked]
        self.assertLessEqual(len(ids) - len(set(ids)), kills, f"more than one repeat per kill: {ids}")
        host.stop()
        self.assertEqual(self.remembered(host), [("assistant", 1), ("user", 1)])
        return run

    def remembered(self, host):
        """What the agent remembers of its one run: a message that a killed host had kept is not kept twice."""
        memory = sqlite3.connect(f"file:{host.state}/memory.db?mode=ro", uri=True)
        self.addCleanup(memory.close)
        roles = [json.loads(row)["role"] for row, in memory.execute("SELECT json FROM entries ORDER BY position")]
        return sorted(collections.Counter(roles).items())

    def syncs(self):
        return int(self.count.read_text() or 0) if self.count.exists() else 0

    def come_to_rest(self):
        """What a host writes when it has started, it may write after it is ready."""
        seen, since = self.syncs(), time.monotonic()
        while time.monotonic() - since < 0.3:
            time.sleep(0.02)
            if self.syncs() != seen:
                seen, since = self.syncs(), time.monotonic()
        return seen

    def syncs_of_a_run(self, tool):
        host = self.prepare(tool)
        self.count = self.folder / "count"
        host.start(LD_PRELOAD=preloads(), DIE_COUNT=str(self.count))
        at_start = self.come_to_rest()
        host.wait_run(host.submit("agent", key="only"))
        total = self.come_to_rest()
        host.stop()
        self.assertGreater(total, at_start)
        return host, total - at_start

    def kill_at_every_sync(self, tool, most_marks):
        host, syncs = self.syncs_of_a_run(tool)
        armed = self.folder / "armed"
        for n in range(1, syncs + 1):
            for when in ("before", "after"):
                with self.subTest(sync=n, when=when):
                    self.reset(host)
                    armed.unlink(missing_ok=True)
                    host.start(LD_PRELOAD=preloads(), DIE_AT_SYNC=str(n), DIE_WHEN=when, DIE_COUNT=str(self.count), DIE_ARMED=str(armed))
                    self.come_to_rest()
                    armed.touch()
                    accepted = self.submit_and_die(host)
                    run = self.check_after(host, accepted)
                    calls = {line.split(" ")[0] for line in self.marked()}
                    self.assertLessEqual(len(calls), 1, "one tool call has two ids")
                    self.assertLessEqual(len(self.marked()), most_marks)
                    if run is None:
                        self.assertEqual(self.marked(), [])

    def test_at_every_record_with_a_once_tool(self):
        self.kill_at_every_sync("once", most_marks=1)

    def test_at_every_record_with_an_idempotent_tool(self):
        self.kill_at_every_sync("idempotent", most_marks=2)

    def test_at_every_record_with_a_tool_that_reconciles(self):
        self.kill_at_every_sync("reconciled", most_marks=1)

    def test_between_a_request_sent_and_its_answer(self):
        host = self.prepare("once", delay=400)
        for nth in (1, 2):
            with self.subTest(request=nth):
                self.reset(host)
                host.start()
                host.submit("agent", key="only")
                until(f"request {nth} is under way", lambda: len(self.model.journal("asked")) >= nth)
                host.kill()
                self.check_after(host, accepted=True)
                self.assertLessEqual(len(self.marked()), 1)

    def test_again_and_again(self):
        """Five kills in one run, each with a request or a tool call under way."""
        host = self.prepare("once", delay=200, rounds=3)
        host.start()
        host.submit("agent", key="only")
        for nth in range(1, 6):
            until("another request is under way", lambda: len(self.model.journal("asked")) >= nth)
            host.kill()
            host.start()
        before = Records(host.state, self.folder)
        run = host.wait_run(host.get("/v1/runs")["runs"][0]["run_id"])
        self.assertEqual(run["status"], "completed", f"{run}\n{host.log()}")
        ids = [line["call_id"] for line in self.model.journal("asked")]
        self.assertLessEqual(len(ids) - len(set(ids)), 5)
        marks = [line.split(" ")[0] for line in self.marked()]
        self.assertEqual(len(marks), len(set(marks)), "a once tool ran twice under one id")
        self.assertTrue(before.rows)


if __name__ == "__main__":
    unittest.main()
