"""Replicas: hosts that share one PostgreSQL ledger. What one of them does for all is done once, and by another one when it dies."""
import json
import os
import pathlib
import time
import unittest

from agentd import WATCHER, AgentdTest, Host, openai, until
from postgres import Postgres
from receiver import Receiver

LEDGER = '[stores.pg]\nplugin = "postgres"\nurl = "env:DATABASE_URL"\n[ledger]\nstore = "pg"\n'
COPY = '[stores.copy]\nplugin = "jsonl"\npath = "copy.jsonl"\n[events]\nstores = ["copy"]\n'
TAKEN_OVER = 60  # seconds; a lease is 15


class Replicas(AgentdTest):
    def setUp(self):
        super().setUp()
        self.database = self.enter(Postgres())
        self.receiver = self.enter(Receiver())
        os.environ["DATABASE_URL"] = self.database.url
        self.addCleanup(os.environ.pop, "DATABASE_URL")

    def replica(self, name, model, config="", **agents):
        folder = pathlib.Path(self.folder) / name
        folder.mkdir()
        host = self.enter(Host(folder))
        host.configure(openai(model) + LEDGER + config.replace("URL", self.receiver.url), **agents)
        return host

    def two(self, model, config="", **agents):
        both = [self.replica(name, model, config, **agents) for name in ("one", "two")]
        for host in both:
            host.start()
        until("each knows of the other", lambda: all(len(host.get("/v1/status")["replicas"]) == 2 for host in both))
        return both

    def holder(self, lease, hosts):
        """Who of them does it for all; then the other one."""
        def look():
            return [host for host in hosts if any(lease in replica["leases"] for replica in host.get("/v1/status")["replicas"] if replica["is_this"])]
        one = until(f"somebody holds {lease}", look, TAKEN_OVER)[0]
        return one, next(host for host in hosts if host is not one)

    def holds(self, lease, host):
        return any(lease in replica["leases"] for replica in host.get("/v1/status")["replicas"] if replica["is_this"])

    def copied(self, *hosts):
        lines = []
        for host in hosts:
            file = host.folder / "copy.jsonl"
            if file.exists():
                lines += [json.loads(line)["id"] for line in file.read_text().split("\n")[:-1]]
        return lines

    def event_ids(self, host):
        found, since = [], ""
        while True:
            page = host.get(f"/v1/events?limit=1000{since}")["events"]
            if not page:
                return found
            found += [event["id"] for event in page]
            since = "&since=" + found[-1]

    def metric(self, host, start):
        rows = [row for row in host.request("GET", "/metrics")[1].splitlines() if row.startswith(start)]
        return sum(float(row.split()[-1]) for row in rows) if rows else None

    def test_events_are_copied_once_and_by_another_when_the_copier_is_killed(self):
        one, two = self.two(self.endpoint(text="Fine."), COPY, watcher=WATCHER)
        for host in (one, two, one, two):
            self.assertEqual(host.wait_run(host.submit("watcher"))["status"], "completed")
        ids = self.event_ids(one)
        until("all are copied", lambda: set(ids) <= set(self.copied(one, two)))
        self.assertEqual(len(self.copied(one, two)), len(set(self.copied(one, two))), "each once")
        copier, other = self.holder("events:copy", (one, two))
        self.assertEqual(self.copied(other), [], "one of them copies")
        self.assertIn("agentd_event_store_lag_seconds", copier.request("GET", "/metrics")[1])
        self.assertNotIn('agentd_event_store_lag_seconds{', other.request("GET", "/metrics")[1])
        copier.kill()
        other.wait_run(other.submit("watcher"))
        until("the other copies", lambda: set(self.event_ids(other)) <= set(self.copied(one, two)), TAKEN_OVER)
        self.assertTrue(self.holds("events:copy", other))

    def test_a_sink_is_told_once_and_by_another_when_the_teller_is_killed(self):
        sinks = '[sinks.ops]\nkind = "webhook"\nurl = "URL/ops"\n'
        one, two = self.two(self.endpoint(text="Fine."), sinks, watcher=WATCHER + '[[deliver]]\nsinks = ["ops"]\non = ["completed"]\n')
        runs = [host.submit("watcher") for host in (one, two, one, two)]
        for run in runs:
            one.wait_run(run)
        until("it is on record that all are told", lambda: len(one.get("/v1/events?limit=1000&type=result_delivered")["events"]) == 4)
        teller, other = self.holder("deliver:ops", (one, two))
        self.receiver.answers["/ops"] = [500]
        run = other.submit("watcher")
        until("it is told of one more, and refuses", lambda: len(self.receiver.told("/ops")) == 5)
        until("that is known", lambda: other.get(f"/v1/events?run={run}&type=result_undelivered")["events"])
        teller.kill()
        until("the other tells it again", lambda: len(self.receiver.told("/ops")) == 6, TAKEN_OVER)
        until("that is known", lambda: other.get(f"/v1/events?run={run}&type=result_delivered")["events"])
        told = [body["data"]["run_id"] for body in self.receiver.bodies("/ops")]
        self.assertEqual(sorted(told), sorted(runs + [run, run]))

    def test_an_alert_is_raised_once_and_cleared_by_another_when_who_raised_it_is_killed(self):
        failing = WATCHER + "[retry]\nmax_retries = 0\n[alerts]\nconsecutive_failures = 1\n"
        one, two = self.two(self.endpoint(fail="*=400"), watcher=failing)
        watcher, other = self.holder("alerts", (one, two))
        for host in (one, two):
            self.assertEqual(host.wait_run(host.submit("watcher"))["status"], "failed")

        def raised(host):
            return [event["payload"]["rule"] for event in host.get("/v1/events?limit=1000&type=alert_raised")["events"]]
        until("an alert is raised", lambda: raised(one), TAKEN_OVER)
        time.sleep(6)  # the other one looks every 5 s: it would have by then
        self.assertEqual(raised(one), ["failures"], "once")
        firing = [alert["rule"] for alert in watcher.get("/v1/alerts")["alerts"]]
        self.assertEqual([alert["rule"] for alert in other.get("/v1/alerts")["alerts"]], firing)
        watcher.kill()
        until("the other watches", lambda: self.holds("alerts", other), TAKEN_OVER)
        (other.folder / "agents" / "watcher.toml").write_text(failing.replace("consecutive_failures = 1", "consecutive_failures = 9"))
        until("it clears it", lambda: not other.get("/v1/alerts")["alerts"])
        self.assertEqual(len(other.get("/v1/events?type=alert_cleared")["events"]), 1)

    def test_a_run_that_another_replica_has_in_hand_is_cancelled_within_a_second(self):
        model = self.endpoint(text="Fine.", delay=60000)
        one, two = self.two(model, watcher=WATCHER)
        run = one.submit("watcher")
        until("it is under way", lambda: one.run_status(run) == "running")
        has = {host: self.metric(host, "agentd_runs_in_flight") for host in (one, two)}
        self.assertEqual(sorted(has.values()), [0, 1])
        other = next(host for host in (one, two) if has[host] == 0)
        began = time.monotonic()
        status, text = other.request("POST", f"/v1/runs/{run}/cancel", {"reason": "enough"})
        took = time.monotonic() - began
        self.assertEqual((status, json.loads(text)["status"]), (200, "cancelled"), text)
        self.assertLess(took, 2, "it is within a second where a machine is not shared")
        self.assertIn("enough", json.dumps(other.get(f"/v1/runs/{run}")))

    def test_a_cancel_outlives_the_replica_that_had_the_run_in_hand(self):
        model = self.endpoint(text="Fine.", delay=60000)
        one, two = self.two(model, watcher=WATCHER)
        run = one.submit("watcher")
        until("it is under way", lambda: one.run_status(run) == "running")
        has, other = sorted((one, two), key=lambda host: -self.metric(host, "agentd_runs_in_flight"))
        has.kill()
        status, text = other.request("POST", f"/v1/runs/{run}/cancel", {})
        self.assertIn(status, (200, 202), text)
        until("it is cancelled", lambda: other.run_status(run) == "cancelled", TAKEN_OVER)

    def test_a_cancel_outlives_everybody_who_heard_of_it(self):
        model = self.endpoint(text="Fine.", delay=60000)
        one, two = self.two(model, watcher=WATCHER)
        run = one.submit("watcher")
        until("it is under way", lambda: one.run_status(run) == "running")
        has, other = sorted((one, two), key=lambda host: -self.metric(host, "agentd_runs_in_flight"))
        has.kill()
        status, text = other.request("POST", f"/v1/runs/{run}/cancel", {})
        self.assertEqual(status, 202, text)
        other.kill()
        has.start()
        until("it is cancelled", lambda: has.run_status(run) == "cancelled", TAKEN_OVER)

    def test_counters_are_each_replicas_own_and_gauges_of_the_fleet_are_told_by_one(self):
        one, two = self.two(self.endpoint(text="Fine."), watcher=WATCHER)
        for host in (one, two, one, two):
            host.wait_run(host.submit("watcher"))
        of = 'agentd_runs_total{agent="watcher",outcome="completed"}'
        until("each run is counted once", lambda: sum(self.metric(host, of) for host in (one, two)) == 4)
        until("each model call is, two a run", lambda: sum(self.metric(host, 'agentd_model_calls_total{') for host in (one, two)) == 8)
        teller, other = self.holder("gauges", (one, two))
        for gauge in ("agentd_queue_depth", "agentd_agents{", "agentd_approvals_pending", "agentd_agent_last_completed_timestamp_seconds", "agentd_alerts_firing"):
            self.assertIsNotNone(self.metric(teller, gauge), gauge)
            self.assertIsNone(self.metric(other, gauge), gauge)
        self.assertEqual([self.metric(host, 'agentd_leases{name="gauges"}') for host in (teller, other)], [1, 0])
        self.assertEqual(sum(self.metric(host, 'agentd_leases{name="prune"}') for host in (one, two)), 1)

    def test_status_lists_who_shares_the_ledger(self):
        one, two = self.two(self.endpoint(text="Fine."), watcher=WATCHER)
        replicas = one.get("/v1/status")["replicas"]
        self.assertEqual({replica["process"] for replica in replicas}, {one.process.pid, two.process.pid})
        self.assertEqual([replica["process"] for replica in replicas if replica["is_this"]], [one.process.pid])
        for replica in replicas:
            self.assertTrue(replica["host"] and replica["version"])
            self.assertLess(replica["lease_age"], 15)
            self.assertLess(abs(replica["clock_ahead"]), 5)
        until("the leases are somebody's", lambda: {"alerts", "gauges", "prune"} <= {name for each in one.get("/v1/status")["replicas"] for name in each["leases"]})
        table = one.cli("status").stdout
        self.assertIn(f"{two.process.pid}", table)
        self.assertIn("(this)", table)
        two.stop()
        until("who has left is not listed", lambda: len(one.get("/v1/status")["replicas"]) == 1)

    def test_several_replicas_are_refused_on_a_ledger_that_is_one_process_s_alone(self):
        host = self.enter(Host(self.folder))
        host.configure(openai(self.endpoint(text="Fine.")), watcher=WATCHER)
        file = self.folder / "agentd.toml"
        file.write_text(file.read_text().replace("[host]\n", "[host]\nreplicas = 2\n"))
        said = 'agentd.toml:2:12: 2 replicas need a ledger that they can share, and store "local" (sqlite) is one process\'s alone; name one of plugin = "postgres" in [ledger] store'
        checked = host.cli("check", check=False)
        self.assertEqual(checked.returncode, 2)
        self.assertIn(said, checked.stdout)
        host.start(wait=False)
        self.assertNotEqual(host.wait_dead(), 0)
        self.assertIn(said, host.log())

    def test_replicas_that_are_missing_are_told_of(self):
        one = self.replica("one", self.endpoint(text="Fine."), watcher=WATCHER)
        file = one.folder / "agentd.toml"
        file.write_text(file.read_text().replace("[host]\n", "[host]\nreplicas = 2\n"))
        self.assertEqual(one.cli("check").returncode, 0)
        one.start()
        alerts = lambda: [alert["summary"] for alert in one.get("/v1/alerts")["alerts"] if alert["rule"] == "replicas"]
        until("one is missed", lambda: alerts() == ["1 of 2 replicas are there"], 90, pause=0.2)
        self.replica("two", self.endpoint(text="Fine."), watcher=WATCHER).start()
        until("none is", lambda: not alerts(), pause=0.2)

    def test_what_is_forgotten_on_one_is_forgotten_by_all(self):
        one, two = self.two(self.endpoint(text="Fine."), watcher=WATCHER)
        run = one.submit("watcher")
        one.wait_run(run)
        until("the other has its events", lambda: two.get(f"/v1/events?run={run}&type=background_task_completed")["events"])
        one.cli("runs", "forget", run)
        until("the other has none", lambda: not [event for event in two.get("/v1/events?limit=1000")["events"] if event["run_id"] == run])
        self.assertEqual(two.request("GET", f"/v1/runs/{run}")[0], 404)

    def test_what_is_paused_on_one_is_paused_on_all(self):
        one, two = self.two(self.endpoint(text="Fine."), watcher=WATCHER, other=WATCHER)
        one.cli("agents", "pause", "watcher")
        until("the other knows", lambda: two.get("/v1/agents/watcher")["state"] == "paused")
        two.cli("agents", "pause", "other")
        two.cli("agents", "resume", "watcher")
        until("each knows", lambda: (one.get("/v1/agents/watcher")["state"], one.get("/v1/agents/other")["state"]) == ("idle", "paused"))

    def test_an_agent_that_came_through_the_api_is_everywhere_and_so_is_its_end(self):
        one, two = self.two(self.endpoint(text="Fine."), watcher=WATCHER)
        manifest = {"agent_id": "sent", "model": {"provider": "openai", "model": "test"}, "task": {"query": "Say it."}}
        self.assertEqual(one.request("POST", "/v1/agents", manifest)[0], 201)
        until("the other has it", lambda: two.request("GET", "/v1/agents/sent")[0] == 200)
        self.assertEqual(two.wait_run(two.submit("sent"))["status"], "completed")
        self.assertEqual(two.request("DELETE", "/v1/agents/sent")[0], 200)
        until("it is gone", lambda: one.request("GET", "/v1/agents/sent")[0] == 404)

    def test_a_manifest_that_is_new_is_in_force_everywhere_and_one_that_is_old_nowhere(self):
        model = self.endpoint(text="Fine.")
        one, two = self.two(model, watcher=WATCHER)
        newer = WATCHER.replace("How is the load?", "How is the load now?")
        (one.folder / "agents" / "watcher.toml").write_text(newer)
        asks = lambda host: host.get("/v1/agents/watcher")["manifest"]["task"]["query"]
        until("both go by it", lambda: [asks(one), asks(two)] == ["How is the load now?"] * 2)
        until("the other says that its own is old", lambda: "has been superseded; revision 2 is in force" in two.log())
        two.stop()
        two.start()
        self.assertEqual([asks(one), asks(two)], ["How is the load now?"] * 2)
        self.assertEqual({host.get("/v1/agents/watcher")["revision"] for host in (one, two)}, {2})
        (one.folder / "agents" / "watcher.toml").write_text(WATCHER)
        until("an edit goes back where the newest was in force", lambda: [asks(one), asks(two)] == ["How is the load?"] * 2)
        (two.folder / "agents" / "watcher.toml").unlink()
        until("its loss is told", lambda: "stays, though there is no more" in two.log())
        self.assertEqual(two.get("/v1/agents/watcher")["agent_id"], "watcher")
        self.assertEqual(one.wait_run(two.submit("watcher"))["status"], "completed")

    def test_a_run_that_nobody_can_take_up_stays_queued_and_is_told_of(self):
        model = self.endpoint(text="Fine.", delay=2000)
        one = self.replica("one", model, watcher=WATCHER, gone=WATCHER)
        one.start()
        runs = [one.submit("gone") for _ in range(3)]
        one.stop()
        (one.folder / "agents" / "gone.toml").unlink()
        one.start()
        until("an alert tells of it", lambda: [alert["agent_id"] for alert in one.get("/v1/alerts")["alerts"] if alert["rule"] == "stranded"] == ["gone"], 120, pause=0.5)
        self.assertEqual(one.run_status(runs[-1]), "queued")


if __name__ == "__main__":
    unittest.main()
