"""Replicas of one host over a PostgreSQL ledger, agents with a slot every second, and what became of each slot.

What is expected is computed from the manifests' start and end alone: agents have a slot at every whole second from the one to the other."""
import collections
import datetime
import os
import pathlib
import time

from agentd import AgentdTest, Host, until
from doorstep import Doorstep
from postgres import Postgres

LEASE = 15  # seconds; nothing is begun after two thirds of it
LEDGER = '[stores.pg]\nplugin = "postgres"\nurl = "env:DATABASE_URL"\n[ledger]\nstore = "pg"\n'
PLAYED = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
SCRIPT = 'agent = [{ step = [{ call = [{ tool = "courier.deliver" }] }, { say = "It is delivered." }] }]\n'
COURIER = """
[model]
provider = "played"
model = "m"
[task]
query = "Deliver it."
[tools]
allow = ["courier.deliver"]
[memory]
session = "run"
"""
NATIVE = '[task]\nnative = "disk_report"\n'


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def every_second(manifest, begin, end):
    return f'{manifest}[schedule]\ninterval = "1s"\nstart = {instant(begin)}\nend = {instant(end)}\n'


Slot = collections.namedtuple("Slot", "status entered begun ended")


class Replica(Host):
    """Its ledger's address may be one of its own."""

    def __init__(self, folder, url):
        super().__init__(folder)
        self.name = pathlib.Path(folder).name
        self.ledger_url = url

    def start(self, wait=True, **environment):
        return super().start(wait, **{"DATABASE_URL": self.ledger_url, **environment})

    def cli(self, *arguments, **options):
        os.environ["DATABASE_URL"] = self.ledger_url
        try:
            return super().cli(*arguments, **options)
        finally:
            del os.environ["DATABASE_URL"]

    def is_dead(self):
        return self.process.poll() is not None

    def whole_log(self):
        return self.log_file.read_text(errors="replace")


class FleetTest(AgentdTest):
    def setUp(self):
        super().setUp()
        self.database = self.enter(Postgres())
        self.doorstep = self.enter(Doorstep())
        self.replicas = []

    def replica(self, name, agents, port=None, **environment):
        folder = self.folder / name
        folder.mkdir()
        (folder / "script.toml").write_text(SCRIPT)
        host = self.enter(Replica(folder, self.database.url.replace(str(self.database.port), str(port or self.database.port))))
        host.configure(PLAYED + f'[toolsets.courier]\nurl = "{self.doorstep.url}/{name}"\n' + LEDGER, **agents)
        host.start(wait=False, **environment)
        self.replicas.append(host)
        return host

    def wait_ready(self):
        for host in self.replicas:
            host.wait_ready()

    def agents(self, count, begin, end, manifests=(COURIER, NATIVE)):
        return {f"agent-{i:03}": every_second(manifests[i % len(manifests)], begin, end) for i in range(count)}

    def live_runs(self):
        return int(self.database.ask("SELECT count(*) FROM runs WHERE status>0 AND status<10")[0])

    def worker_of(self, host):
        return self.database.ask(f"SELECT id FROM workers WHERE process={host.process.pid}")[0]

    def wait_for_the_end(self, end):
        """Until every slot is in the ledger and nothing runs any more."""
        time.sleep(max(0, end + 1 - time.time()))
        until("every run has ended", lambda: self.live_runs() == 0, patience=180, pause=0.5)
        time.sleep(2)  # what a replica enters late
        until("every run has ended", lambda: self.live_runs() == 0, patience=180, pause=0.5)

    def rows(self, host):
        rows, cursor = [], ""
        while True:
            page = host.get(f"/v1/runs?limit=1000{cursor}")
            rows += page["runs"]
            if not page["next"]:
                return rows
            cursor = "&cursor=" + page["next"]

    def slots(self, host):
        """{(agent, second): what became of it}; fails where a slot has two fates."""
        found = {}

        def note(agent, second, slot):
            self.assertNotIn((agent, second), found, f"a slot of {agent} has two fates")
            found[agent, second] = slot
        at = lambda row, what: seconds_of(row[what]) if row.get(what) else None
        for row in self.rows(host):
            if row.get("count"):
                seconds = range(round(seconds_of(row["first"])), round(seconds_of(row["last"])) + 1)
                self.assertEqual(len(seconds), row["count"])
                for second in seconds:
                    note(row["agent_id"], second, Slot(row["status"], at(row, "queued_at"), None, None))
            else:
                note(row["agent_id"], round(seconds_of(row["scheduled_at"])), Slot(row["status"], at(row, "queued_at"), at(row, "started_at"), at(row, "finished_at")))
        return found

    def expect_each_slot_once(self, slots, agents, begin, end):
        expected = {(agent, second) for agent in agents for second in range(begin, end + 1)}
        self.assertEqual(len(expected - slots.keys()), 0, f"without a record: {sorted(expected - slots.keys())[:5]}")
        self.assertEqual(len(slots.keys() - expected), 0, f"slots that are none: {sorted(slots.keys() - expected)[:5]}")

    def expect_a_sound_ledger(self, host):
        gaps = self.database.ask("SELECT position-1-(SELECT count(*) FROM runs)-(SELECT count(*) FROM records) FROM head")
        self.assertEqual(gaps, ["0"], "positions have no gaps")
        self.assertIn("records were read", host.cli("check", "--ledger").stdout)

    def expect_no_call_twice(self):
        calls = collections.Counter(one.call for one in self.doorstep.deliveries())
        self.assertEqual([call for call, count in calls.items() if count > 1], [], "a once tool was called twice")
