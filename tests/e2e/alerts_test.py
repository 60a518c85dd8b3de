"""People are called: once when something is not as it should be, once when it is again."""
import json
import time
import unittest

from agentd import AgentdTest, openai, until
from receiver import Receiver

SCRIPT = """
agent = [
  { match = "fail", step = [{ say = "Did not look." }] },
  { match = "not done", step = [{ say = "Did not look." }, { say = "Did not look." }] },
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
[retry]
max_retries = 0
[tools]
allow = ["system.load"]
[alerts]
sinks = ["ops"]
"""


class Alerts(AgentdTest):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        (self.folder / "script.toml").write_text(SCRIPT)

    def start(self, config="", **agents):
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n[providers.played.prices.m]\ninput = 1.0\n'
                                f'[sinks.ops]\nkind = "webhook"\nurl = "{self.receiver.url}/ops"\n[defaults.alerts]\nsinks = ["ops"]\n' + config, **agents)
        self.agentd.start()
        return self.agentd

    def listed(self):
        return [(alert["rule"], alert["severity"], alert["agent_id"], alert["subject"]) for alert in json.loads(self.agentd.cli("alerts", "list", "--json").stdout)["alerts"]]

    def told(self):
        return [(body["type"], body["data"]["rule"]) for body in self.receiver.bodies("/ops")]

    def metric(self, name, rule):
        return next(row.split()[-1] for row in self.agentd.request("GET", "/metrics")[1].splitlines() if row.startswith(name + "{") and f'rule="{rule}"' in row)

    def ran(self, agent, **asked):
        return self.agentd.wait_run(self.agentd.submit(agent, **asked))["status"]

    def test_failures_in_a_row_are_raised_once_and_cleared_once(self):
        self.start(f'[sinks.sad]\nkind = "webhook"\nurl = "{self.receiver.url}/sad"\n', worker=AGENT + 'consecutive_failures = 2\n[[deliver]]\nsinks = ["sad"]\n on = ["failed"]\n')
        self.assertEqual((self.listed(), self.metric("agentd_alerts_firing", "failures")), ([], "0"))
        for _ in range(3):
            self.assertEqual(self.ran("worker", query="fail"), "failed")
        until("it is raised", lambda: self.listed() == [("failures", "warning", "worker", None)])
        until("somebody is told", self.told)
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual(self.listed(), [("failures", "warning", "worker", None)])
        self.assertEqual(self.metric("agentd_alerts_firing", "failures"), "1")
        self.assertIn("failed 2 times in a row", self.agentd.cli("alerts", "list").stdout)
        self.assertEqual(self.ran("worker"), "completed")
        until("it is cleared", lambda: self.listed() == [])
        until("somebody is told", lambda: len(self.told()) == 2)
        self.assertEqual(self.told(), [("alert.raised", "failures"), ("alert.cleared", "failures")])
        failed = {body["id"]: (body["type"], body["data"]["error_class"]) for body in self.receiver.bodies("/sad")}  # the kill may have one told twice
        self.assertEqual(list(failed.values()), [("run.failed", "terminal")] * 3)
        events = self.agentd.get("/v1/events?agent=worker&type=alert_raised&type=alert_cleared")["events"]
        self.assertEqual([(event["type"], event["agent_id"], event["payload"]["rule"]) for event in events], [("alert_raised", "worker", "failures"), ("alert_cleared", "worker", "failures")])

    def test_silence_is_raised_and_a_completed_run_ends_it(self):
        self.start(worker=AGENT + 'silent_after = "2s"\n')
        self.assertEqual(self.ran("worker"), "completed")
        self.assertEqual(self.listed(), [])
        until("it is raised", lambda: self.listed() == [("silent", "critical", "worker", None)])
        self.assertEqual(self.ran("worker", query="fail"), "failed")
        self.assertEqual(self.listed(), [("silent", "critical", "worker", None)])
        self.assertEqual(self.ran("worker"), "completed")
        until("it is cleared", lambda: ("silent", "critical", "worker", None) not in self.listed())

    def test_silence_of_an_agent_that_never_completed_outlives_restarts(self):
        self.start(worker=AGENT + 'silent_after = "2s"\n')
        until("it is raised", lambda: self.listed() == [("silent", "critical", "worker", None)])
        until("somebody is told", self.told)
        for _ in range(2):
            self.agentd.kill()
            self.agentd.start()
            time.sleep(0.5)  # in which it would be cleared
            self.assertEqual(self.listed(), [("silent", "critical", "worker", None)])
        self.assertEqual(set(self.told()), {("alert.raised", "silent")})
        self.assertEqual(self.ran("worker"), "completed")
        until("it is cleared", lambda: self.listed() == [])

    def test_a_budget_that_is_nearly_used_up_is_told_before_it_is(self):
        endpoint = self.endpoint()
        self.start(openai(endpoint) + '[providers.openai.prices.m]\ninput = 1000.0\noutput = 1000.0\n',
                   worker=AGENT.replace('"played"', '"openai"').replace("[alerts]", "[limits]\ncost_per_day = 100.0\n[alerts]") + "budget_ratio = 0.001\n")
        self.assertEqual(self.ran("worker"), "completed")
        until("it is raised", lambda: self.listed() == [("budget", "warning", "worker", "cost")])
        [warning] = self.agentd.get("/v1/events?type=budget_warning")["events"]
        self.assertEqual((warning["payload"]["scope"], warning["payload"]["resource"], warning["payload"]["limit"]), ("agent:worker", "cost", 100))

    def test_a_sink_that_takes_nothing_is_told_to_the_others(self):
        self.receiver.answers["/deaf"] = [404]
        self.start(f'[sinks.deaf]\nkind = "webhook"\nurl = "{self.receiver.url}/deaf"\n', worker=AGENT + '[[deliver]]\nsinks = ["deaf"]\n')
        self.ran("worker")
        until("it is raised", lambda: self.listed() == [("undelivered", "warning", None, "deaf")])
        until("the other is told", lambda: self.told() == [("alert.raised", "undelivered")])
        self.ran("worker")
        until("it is cleared", lambda: self.listed() == [])

    def test_an_agent_whose_manifest_is_broken_is_told_and_its_silence_stays_told(self):
        self.start(worker=AGENT + 'silent_after = "2s"\n')
        until("its silence is raised", lambda: self.listed() == [("silent", "critical", "worker", None)])
        self.agentd.kill()
        file = self.folder / "agents" / "worker.toml"
        whole = file.read_text()
        file.write_text(whole + "[[trigger\n")
        self.agentd.start()
        until("both are raised", lambda: sorted(self.listed()) == [("refused", "critical", "worker", None), ("silent", "critical", "worker", None)])
        file.write_text(whole + "[limits]\nmax_steps = -1\n")
        until("what is wrong now is said", lambda: any("max_steps" in alert["summary"] for alert in self.agentd.get("/v1/alerts")["alerts"]))
        file.write_text(whole)
        until("it is mended", lambda: self.listed() == [("silent", "critical", "worker", None)])

    def test_what_is_there_no_more_is_raised_no_more(self):
        self.receiver.answers["/deaf"] = [404]
        self.start(f'[sinks.deaf]\nkind = "webhook"\nurl = "{self.receiver.url}/deaf"\n', worker=AGENT + '[[deliver]]\nsinks = ["deaf"]\n')
        self.ran("worker")
        until("it is raised", lambda: self.listed() == [("undelivered", "warning", None, "deaf")])
        self.agentd.kill()
        (self.folder / "agents" / "worker.toml").write_text(AGENT)
        config = (self.folder / "agentd.toml").read_text()
        (self.folder / "agentd.toml").write_text(config[: config.index("[sinks.deaf]")])
        self.agentd.start()
        until("it is cleared", lambda: self.listed() == [])

    def test_a_plugin_that_does_not_come_back_is_told(self):
        (self.folder / "script.toml").write_text('agent = [{ step = [{ call = [{ tool = "stubborn.sleep" }] }, { say = "Gave up." }] }]\n')
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n',
                                worker='[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "Go."\n[tools]\nallow = ["stubborn.*"]\n[limits]\ntool_call_timeout = "200ms"\n')
        self.agentd.start()
        self.agentd.wait_run(self.agentd.submit("worker"))
        until("it is raised", lambda: self.listed() == [("plugin_stuck", "warning", None, "stubborn")])
        self.assertIn("does not come back from a call", self.agentd.cli("alerts", "list").stdout)
        for _ in range(4):  # its threads are replaced four times, then nobody calls it any more
            self.agentd.wait_run(self.agentd.submit("worker"))
        until("it is disabled", lambda: "is disabled" in json.dumps(self.agentd.wait_run(self.agentd.submit("worker"))) or "is disabled" in self.steps())

    def steps(self):
        last = self.agentd.get("/v1/runs?agent=worker&limit=1")["runs"][0]["run_id"]
        return self.agentd.request("GET", f"/v1/runs/{last}/steps")[1]

    def test_a_heartbeat_is_heard_outside_and_stays_away_with_its_host(self):
        receiver = self.receiver
        receiver.answers["/beat"] = [503, 503]
        self.agentd = self.host('[heartbeat]\nurl = "env:BEAT_URL"\n' 'every = "1s"\n')
        self.agentd.start(BEAT_URL=f"{receiver.url}/beat")
        until("it beats", lambda: len(receiver.told("/beat")) >= 4)
        self.assertEqual({request.method for request in receiver.told("/beat")}, {"GET"})
        self.assertEqual(self.agentd.log().count("nobody hears it"), 1)
        self.assertEqual(self.agentd.log().count("it is heard again"), 1)
        self.agentd.kill()
        heard = len(receiver.told("/beat"))
        time.sleep(1.5)
        self.assertEqual(len(receiver.told("/beat")), heard)


if __name__ == "__main__":
    unittest.main()
