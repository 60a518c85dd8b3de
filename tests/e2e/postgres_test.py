"""Hosts whose ledger is a PostgreSQL server: one that dies and goes on, and two that share the work of one database."""
import json
import os
import pathlib
import unittest

from agentd import WATCHER, AgentdTest, Host, openai, until
from postgres import Postgres

LEDGER = '[stores.pg]\nplugin = "postgres"\nurl = "env:DATABASE_URL"\n[ledger]\nstore = "pg"\n'
BUSY = WATCHER + "[limits]\nmax_concurrent = 50\n"


class OnPostgres(AgentdTest):
    def setUp(self):
        super().setUp()
        self.database = self.enter(Postgres())
        os.environ["DATABASE_URL"] = self.database.url
        self.addCleanup(os.environ.pop, "DATABASE_URL")

    def replica(self, name, model, **agents):
        folder = pathlib.Path(self.folder) / name
        folder.mkdir()
        host = self.enter(Host(folder))
        host.configure(openai(model) + LEDGER, **agents)
        return host

    def ended(self, host, runs):
        """How each of them ended, once all have."""
        def look():
            answers = [host.request("GET", f"/v1/runs/{run}") for run in runs]
            if any(status == 503 for status, _ in answers):  # its server is not back yet
                return None
            all_of_them = [json.loads(text) for _, text in answers]
            return all_of_them if all(run["status"] not in ("queued", "running", "waiting") for run in all_of_them) else None
        return until("every run has ended", look, patience=180, pause=0.5)


class OneHost(OnPostgres):
    def test_goes_on_after_it_was_killed(self):
        model = self.endpoint(tool="system__load", text="The load is fine.", delay=1500)
        host = self.replica("one", model, watcher=WATCHER)
        host.start()
        first = host.submit("watcher")
        self.assertEqual(self.ended(host, [first])[0]["status"], "completed")
        run = host.submit("watcher")
        until("its second model call is under way", lambda: len(model.journal("asked")) == 4)
        host.kill()
        host.wait_dead()
        host.start()
        done = self.ended(host, [run])[0]
        self.assertEqual((done["status"], done["result"]), ("completed", "The load is fine."))
        self.assertEqual(len(model.journal("asked")), 5, "the answer that was durable was not asked for again")
        events = host.get("/v1/events?limit=1000")["events"]
        self.assertEqual([event["id"] for event in events], sorted(event["id"] for event in events))
        self.assertIn("records were read", host.cli("check", "--ledger").stdout)

    def test_says_what_a_backup_is_here(self):
        host = self.replica("one", self.endpoint(text="Fine."), watcher=WATCHER)
        host.start()
        done = host.cli("ledger", "backup", "copy.db", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("use pg_dump --schema=agentd", done.stdout + done.stderr)

    def test_outlives_its_server(self):
        model = self.endpoint(tool="system__load", text="The load is fine.", delay=1000)
        host = self.replica("one", model, watcher=WATCHER)
        host.start()
        run = host.submit("watcher")
        until("its first model call is under way", lambda: model.journal("asked"))
        self.database.kill()
        status, said = host.request("POST", "/v1/agents/watcher/runs", {})
        self.assertEqual(status, 503, said)
        self.database.start()
        self.assertEqual(self.ended(host, [run])[0]["status"], "completed")
        self.assertEqual(len(model.journal("asked")), 2)


class TwoHosts(OnPostgres):
    def test_share_the_work_and_one_takes_over_what_the_other_held(self):
        model = self.endpoint(tool="system__load", text="The load is fine.", delay=2000)
        one, two = self.replica("one", model, watcher=BUSY), self.replica("two", model, watcher=BUSY)
        one.start(), two.start()
        runs = [host.submit("watcher") for _ in range(6) for host in (one, two)]
        until("both hold runs", lambda: len(self.database.ask("SELECT DISTINCT worker FROM runs WHERE generation<>0")) == 2)
        one.kill()
        done = self.ended(two, runs)
        self.assertEqual({run["status"] for run in done}, {"completed"})
        self.assertEqual(self.database.ask("SELECT sum(deaths)>0 FROM runs"), ["t"])
        events = [event["id"] for event in two.get("/v1/events?limit=1000")["events"]]
        self.assertEqual(events, sorted(set(events)))
        self.assertEqual(self.database.ask("SELECT position-1-(SELECT count(*) FROM runs)-(SELECT count(*) FROM records) FROM head"), ["0"], "positions have no gaps")
        key = {"key": "once"}
        one.start()
        answers = [json.loads(host.request("POST", "/v1/agents/watcher/runs", key)[1]) for host in (one, two)]
        self.assertEqual([answer["duplicate"] for answer in answers], [False, True])
        self.assertEqual(answers[0]["run_id"], answers[1]["run_id"])


if __name__ == "__main__":
    unittest.main()
