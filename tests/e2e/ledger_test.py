"""The ledger over months: what is old goes, what is to be forgotten goes at once, and a backup brings back what was there."""
import json
import os
import stat
import unittest

from agentd import BUILD, AgentdTest, Records, openai, until

HELLO = '[model]\nprovider = "openai"\nmodel = "m"\n[task]\nquery = "Say hi"\n'
MARKER = """
[model]
provider = "openai"
model = "test"
[task]
query = "Leave a mark"
[tools]
allow = ["marker.*"]
"""


class Ledger(AgentdTest):
    def run_of(self, host, agent="hello"):
        run = host.submit(agent)
        self.assertEqual(host.wait_run(run)["status"], "completed", host.log())
        return run

    def ledger(self, host, *arguments, **options):
        return host.cli("ledger", *arguments, "--config", "agentd.toml", **options)

    def sound(self, host):
        host.cli("check", "--ledger", "--config", "agentd.toml")

    def runs(self, host):
        return {run["run_id"] for run in host.get("/v1/runs")["runs"]}

    def test_a_run_is_forgotten_once_it_has_ended(self):
        host = self.host(openai(self.endpoint(rounds=0, delay=1000)), hello=HELLO)
        host.start()
        kept, run = self.run_of(host), host.submit("hello")
        refused = host.cli("runs", "forget", run, check=False)
        self.assertEqual((refused.returncode, "has not ended" in refused.stderr), (1, True), refused.stderr)
        host.wait_run(run)
        self.assertEqual(host.cli("runs", "forget", run).stdout, "")
        self.assertEqual(host.request("GET", f"/v1/runs/{run}")[0], 404)
        self.assertEqual(host.request("DELETE", f"/v1/runs/{run}")[0], 404)
        self.assertEqual(self.runs(host), {kept})
        self.assertNotIn(run, host.cli("events", "--json").stdout)
        self.assertEqual(host.get("/v1/agents/hello")["run_count"], 2)
        self.sound(host)
        host.stop()
        host.start()
        self.assertEqual(self.runs(host), {kept})

    def test_a_backup_of_a_running_host_and_of_a_stopped_one(self):
        host = self.host(openai(self.endpoint(rounds=0)), hello=HELLO)
        host.start()
        first = self.run_of(host)
        told = self.ledger(host, "backup", "copy.db", "--json")
        copy = host.folder / "copy.db"
        self.assertEqual(json.loads(told.stdout), {"file": "copy.db", "bytes": copy.stat().st_size})
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        self.assertEqual(sorted(file.name for file in host.folder.glob("copy*")), ["copy.db"])
        self.assertEqual([file.name for file in host.state.glob("*backup*")], [])
        lost = self.run_of(host)
        newest = host.get("/v1/events?limit=1000")["events"][-1]["id"]
        refused = self.ledger(host, "restore", "copy.db", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"is in use by process {host.process.pid}", refused.stderr)
        host.stop()
        self.ledger(host, "backup", "later.db")

        told = self.ledger(host, "restore", "copy.db").stdout
        self.assertIn("is kept as ", told)
        self.assertIn("0 runs had not ended", told)
        self.sound(host)
        host.start()
        self.assertEqual(self.runs(host), {first})
        again = self.run_of(host)
        self.assertGreater(host.get(f"/v1/events?run={again}")["events"][0]["id"], newest, "an event's id stands for another event")
        host.stop()
        self.ledger(host, "restore", "later.db")
        host.start()
        self.assertEqual(self.runs(host), {first, lost})

    def test_a_host_that_cannot_be_asked_is_named(self):
        host = self.host(openai(self.endpoint(rounds=0)), hello=HELLO)
        host.start()
        refused = self.ledger(host, "backup", "copy.db", "--url", "http://127.0.0.1:1", check=False)
        self.assertEqual(refused.returncode, 3)
        self.assertIn(f"is in use by process {host.process.pid}", refused.stderr)
        self.assertIn("--url", refused.stderr)
        self.assertFalse((host.folder / "copy.db").exists())

    def test_a_backup_goes_nowhere_into_the_state_folder(self):
        host = self.host(openai(self.endpoint(rounds=0)), hello=HELLO)
        (self.folder / "door").symlink_to(host.state)
        for running in (True, False):
            host.start() if running else host.stop()
            for file in ("state/ledger.db", "state/memory.db", "state/deep/copy.db", "door/copy.db", str(host.state / "copy.db")):
                refused = self.ledger(host, "backup", file, check=False)
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertIn(f"{file} is in the state folder", refused.stderr)
        host.start()
        self.run_of(host)

    def test_a_backup_that_finds_no_place_leaves_nothing(self):
        host = self.host(openai(self.endpoint(rounds=0)), hello=HELLO)
        host.start()
        for file in ("nowhere/copy.db", "agents"):
            refused = self.ledger(host, "backup", file, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(file, refused.stderr)
            self.assertEqual([file.name for file in host.state.glob("*backup*")], [])

    def test_the_log_of_a_lost_ledger_is_not_played_into_what_is_restored(self):
        host = self.host(openai(self.endpoint(rounds=0)), hello=HELLO)
        host.start()
        kept = self.run_of(host)
        self.ledger(host, "backup", "copy.db")
        self.run_of(host)
        host.kill()
        self.assertGreater((host.state / "ledger.db-wal").stat().st_size, 0)
        (host.state / "ledger.db").unlink()
        self.assertIn("what was left of one is kept as ", self.ledger(host, "restore", "copy.db").stdout)
        self.sound(host)
        host.start()
        self.assertEqual(self.runs(host), {kept})

    def test_a_call_that_was_under_way_is_not_made_again_after_a_restore(self):
        marks = self.folder / "marks"
        os.mkfifo(marks)  # nobody reads: the call does not come back
        model = self.endpoint(tool="marker__once")
        host = self.host(openai(model) + f'[toolsets.marker]\nfile = "{marks}"\n', agent=MARKER)
        host.start()
        run = host.submit("agent")
        until("the answer that asks for it is kept", lambda: Records(host.state, self.folder).answers())
        host.kill()
        marks.unlink()
        self.ledger(host, "backup", "copy.db")
        self.assertIn("1 run had not ended when the backup was made, and goes on from there", self.ledger(host, "restore", "copy.db").stdout)
        host.start()
        self.assertEqual(host.wait_run(run)["status"], "completed", host.log())
        self.assertFalse(marks.exists(), "a once call was made again")
        outcomes = [step["outcome"] for step in host.get(f"/v1/runs/{run}/steps")["steps"] if step["kind"] == "tool"]
        self.assertEqual(outcomes[0], "unknown", outcomes)

    def start_ahead(self, host, hours):
        offset = self.folder / "offset"
        offset.write_text(str(int(hours * 3600)))
        preloads = [os.environ.get("LD_PRELOAD", ""), str(BUILD / "tests" / "wrong_clock.so")]
        host.start(LD_PRELOAD=":".join(filter(None, preloads)), WRONG_CLOCK=str(offset))

    def test_what_is_old_goes(self):
        weekly = HELLO + '[schedule]\ninterval = "7d"\nmisfire = "latest"\n'
        host = self.host(openai(self.endpoint(rounds=0)) + '[ledger]\nretention = "1h"\n', hello=HELLO, weekly=weekly)
        host.start()
        old = [self.run_of(host) for _ in range(3)]
        host.stop()
        self.start_ahead(host, 1.5)  # a clock that has leapt further is not believed at once
        until("old runs are gone", lambda: not self.runs(host) & set(old))
        pruned = until("it is recorded", lambda: host.get("/v1/events?type=events_pruned")["events"])
        self.assertEqual(len(pruned), 1)
        self.assertGreaterEqual(pruned[0]["payload"]["count"], 3)
        self.assertEqual(host.get("/v1/agents/hello")["run_count"], 3)
        self.assertEqual(host.request("GET", f"/v1/runs/{old[0]}")[0], 404)
        self.run_of(host)
        self.assertEqual(host.get("/v1/agents/hello")["run_count"], 4)
        self.sound(host)


if __name__ == "__main__":
    unittest.main()
