"""What is read again while the host runs: manifests whenever they change, agentd.toml when somebody asks."""
import datetime
import json
import os
import signal
import socket
import time
import unittest

from agentd import AgentdTest, PATIENCE, until

SCRIPT = 'agent = [{ step = [{ call = [{ tool = "stubborn.nap", arguments = { seconds = 2 } }] }, { say = "Done." }], match = "slow" }, { step = [{ say = "Done." }] }]\n'

AGENT = """
description = "first"
[model]
provider = "played"
model = "m"
[task]
query = "Do it."
[tools]
allow = ["stubborn.nap"]
"""


class Reload(AgentdTest):
    def start(self, config="", **agents):
        (self.folder / "script.toml").write_text(SCRIPT)
        self.config = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
        self.agentd = self.host(self.config + config, **agents)
        return self.agentd.start()

    def write(self, agent, text):
        (self.folder / "agents" / f"{agent}.toml").write_text(text)

    def agents(self):
        return {agent["agent_id"]: agent for agent in self.agentd.get("/v1/agents")["agents"]}

    def reload(self):
        status, body = self.agentd.request("POST", "/-/reload")
        return status, json.loads(body)

    def is_current(self):
        return next(row.split()[-1] for row in self.agentd.request("GET", "/metrics")[1].splitlines() if row.startswith("agentd_config_last_reload_successful ")) == "1"

    def types(self, agent):
        return [event["type"] for event in self.agentd.get(f"/v1/events?agent={agent}&limit=1000")["events"] if event["type"].startswith("agent_")]

    def test_manifests_that_come_change_and_go_take_effect_by_themselves(self):
        self.start(a=AGENT)
        self.write("b", AGENT + '[schedule]\ninterval = "1s"\n')
        until("the new one is there", lambda: "b" in self.agents())
        until("its slots run", lambda: self.agentd.get("/v1/runs?agent=b&status=completed")["runs"])
        self.write("a", AGENT.replace("first", "second"))
        until("the change is there", lambda: self.agents()["a"]["description"] == "second")
        os.remove(self.folder / "agents" / "b.toml")
        until("it is gone", lambda: "b" not in self.agents())
        runs = len(self.agentd.get("/v1/runs?agent=b&limit=1000")["runs"])
        time.sleep(1.5)  # a slot that is not to run
        self.assertEqual(len(self.agentd.get("/v1/runs?agent=b&limit=1000")["runs"]), runs)
        self.assertEqual(self.agentd.request("POST", "/v1/agents/b/runs", {})[0], 404)
        self.assertEqual((self.types("a"), self.types("b")), (["agent_created", "agent_updated"], ["agent_created", "agent_deleted"]))
        self.write("b", AGENT)
        until("it is back, and said so", lambda: self.types("b") == ["agent_created", "agent_deleted", "agent_created"])
        self.assertIn("b", self.agents())

    def test_a_run_keeps_the_revision_it_began_with(self):
        self.start(a=AGENT)
        run = self.agentd.submit("a", query="slow")
        until("it runs", lambda: self.agentd.run_status(run) == "running")
        self.write("a", AGENT.replace('["stubborn.nap"]', "[]"))
        until("the change is there", lambda: self.agents()["a"]["available_tools"] == [])
        self.assertEqual(self.agentd.wait_run(run)["status"], "completed")
        self.assertEqual([step["outcome"] for step in self.agentd.get(f"/v1/runs/{run}/steps")["steps"] if step["kind"] == "tool"], ["ok"])

    def test_a_broken_edit_keeps_the_last_good_revision_and_says_so(self):
        self.start(a=AGENT)
        revision = self.agents()["a"]["revision"]
        self.write("a", AGENT + "[[trigger\n")
        until("it is told", lambda: [refused["agent_id"] for refused in self.agentd.get("/v1/status")["refused_agents"]] == ["a"])
        self.assertIn("a.toml", self.agentd.get("/v1/status")["refused_agents"][0]["problems"][0])
        self.assertIn("refused: a (", self.agentd.cli("status").stderr)
        self.assertFalse(self.is_current())
        self.assertEqual(self.agents()["a"]["revision"], revision)
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")
        self.write("a", AGENT)
        until("all is well again", lambda: self.agentd.get("/v1/status")["refused_agents"] == [])
        self.assertTrue(self.is_current())
        self.assertEqual(self.agents()["a"]["revision"], revision)

    def test_a_broken_edit_keeps_the_last_good_revision_through_a_restart(self):
        self.start(a=AGENT + '[schedule]\ninterval = "1s"\n', gone=AGENT)
        revision = self.agents()["a"]["revision"]
        os.remove(self.folder / "agents" / "gone.toml")
        until("it is gone", lambda: "gone" not in self.agents())
        self.write("gone", "[[trigger\n")  # another one, which was never good
        self.write("a", AGENT + "[[trigger\n")
        self.agentd.stop()
        self.agentd.start()
        agents = self.agents()
        self.assertEqual(list(agents), ["a"])
        self.assertEqual((agents["a"]["revision"], agents["a"]["interval"]), (revision, "1s"))
        refused = {each["agent_id"]: each["problems"] for each in self.agentd.get("/v1/status")["refused_agents"]}
        self.assertEqual(sorted(refused), ["a", "gone"])
        self.assertIn("agents/a.toml:", refused["a"][0])
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")
        alerts = {alert["agent_id"]: alert["summary"] for alert in self.agentd.get("/v1/alerts")["alerts"] if alert["rule"] == "refused"}
        self.assertIn("a runs as it was", alerts["a"])
        self.assertIn("gone does not run", alerts["gone"])
        self.assertIn(f"runs as it was, by its last good revision, {revision}", self.agentd.log())
        self.write("a", AGENT)
        self.write("gone", AGENT)
        until("all is well again", lambda: self.agentd.get("/v1/status")["refused_agents"] == [] and sorted(self.agents()) == ["a", "gone"])

    def test_a_last_good_revision_that_cannot_run_any_more_is_told_too(self):
        self.start(a=AGENT)
        self.write("a", AGENT + "[[trigger\n")
        self.agentd.stop()
        self.agentd.configure('[providers.other]\nplugin = "script"\nfile = "script.toml"\n')
        self.agentd.start()
        self.assertEqual(self.agents(), {})
        [refused] = self.agentd.get("/v1/status")["refused_agents"]
        self.assertIn("agents/a.toml:", refused["problems"][0])
        self.assertIn("its last good revision, 1, cannot run either: ", refused["problems"][-1])
        self.assertIn("played", refused["problems"][-1])

    def test_a_chain_that_an_edit_would_close_stays_open(self):
        after = '[[trigger]]\nname = "after"\non = "agent"\nagent = "{}"\n'
        self.start(a=AGENT, b=AGENT + after.format("a"))
        self.write("a", AGENT + after.format("b"))
        until("it is told", lambda: [refused["agent_id"] for refused in self.agentd.get("/v1/status")["refused_agents"]] == ["a"])
        self.assertIn("never ends", self.agentd.get("/v1/status")["refused_agents"][0]["problems"][0])
        self.agentd.wait_run(self.agentd.submit("a"))
        until("who followed still does", lambda: [run["status"] for run in self.agentd.get("/v1/runs?agent=b")["runs"]] == ["completed"])
        self.assertEqual(len(self.agentd.get("/v1/runs?agent=a")["runs"]), 1)
        self.write("b", AGENT)  # now it may
        until("it is taken", lambda: self.agentd.get("/v1/status")["refused_agents"] == [] or self.reload()[0] == 0)
        self.agentd.wait_run(self.agentd.submit("b"))
        until("the chain runs the other way", lambda: len(self.agentd.get("/v1/runs?agent=a&status=completed")["runs"]) == 2)
        self.assertEqual(len(self.agentd.get("/v1/runs?agent=b")["runs"]), 2)

    def test_defaults_are_taken_and_what_needs_a_restart_is_named(self):
        self.start(a=AGENT.replace('description = "first"\n', ""))
        self.agentd.configure(self.config + '[defaults]\ndescription = "by default"\n[budget]\ncost_per_day = 5.0\n')
        status, said = self.reload()
        self.assertEqual((status, said["updated"], said["needs_restart"]), (200, ["a"], ["budget.cost_per_day"]))
        self.assertEqual(self.agents()["a"]["description"], "by default")
        self.assertFalse(self.is_current())
        self.assertEqual(self.reload()[1]["needs_restart"], ["budget.cost_per_day"])  # still
        self.agentd.configure(self.config + '[defaults]\ndescription = "by default"\n')
        self.assertEqual(self.reload()[1]["needs_restart"], [])
        self.assertTrue(self.is_current())

    def test_a_configuration_with_a_mistake_changes_nothing(self):
        self.start(a=AGENT)
        self.agentd.configure(self.config + '[defaults]\ndescription = "by default"\n[budget]\ncost_per_dya = 5.0\n')
        self.write("b", AGENT)
        status, said = self.reload()
        self.assertEqual(status, 422)
        self.assertTrue(any("agentd.toml:" in error["detail"] and "cost_per_dya" in error["detail"] for error in said["errors"]), said)
        self.assertFalse(self.is_current())
        self.agentd.configure(self.config)
        self.assertEqual(self.reload()[0], 200)
        self.assertTrue(self.is_current())

    def test_a_folder_that_is_not_there_changes_nothing_either(self):
        self.start(a=AGENT)
        whole = (self.folder / "agentd.toml").read_text()
        (self.folder / "agentd.toml").write_text(whole.replace('agent_dirs = ["agents"]', 'agent_dirs = ["agents", "nowhere"]'))
        self.assertEqual(self.reload()[0], 422)
        self.write("a", AGENT.replace("first", "second"))  # what was in force still is
        until("the change is there", lambda: self.agents()["a"]["description"] == "second")

    def test_slots_of_a_time_when_it_was_disabled_are_owed_to_nobody(self):
        every_second = AGENT + '[schedule]\ninterval = "1s"\nmisfire = "all"\noverlap = "queue"\n'
        self.start(a=every_second)
        runs = lambda: [run for run in self.agentd.get("/v1/runs?agent=a&limit=1000")["runs"] if run["trigger"] == "schedule"]
        until("it runs", lambda: runs())
        self.write("a", "enabled = false\n" + every_second)
        until("it does not", lambda: self.agents()["a"]["state"] == "stopped")
        last = max(run["scheduled_at"] for run in runs())
        time.sleep(3)
        self.write("a", every_second)
        until("it runs again", lambda: any(run["scheduled_at"] > last for run in runs()))
        later = sorted(run["scheduled_at"] for run in runs() if run["scheduled_at"] > last)
        self.assertGreaterEqual(instant(later[0]) - instant(last), 3)

    def test_sighup_reloads_and_systemd_is_told(self):
        address = str(self.folder / "notify")
        systemd = self.enter(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        systemd.bind(address)
        systemd.settimeout(PATIENCE)
        (self.folder / "script.toml").write_text(SCRIPT)
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', a=AGENT)
        self.agentd.start(NOTIFY_SOCKET=address)
        self.assertEqual(systemd.recv(4096), b"READY=1")
        (self.folder / "agentd.toml").write_text((self.folder / "agentd.toml").read_text() + '[defaults.labels]\nteam = "ops"\n')
        self.agentd.process.send_signal(signal.SIGHUP)
        self.assertTrue(systemd.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC="))
        self.assertEqual(systemd.recv(4096), b"READY=1")
        self.assertEqual(self.agents()["a"]["labels"], {"team": "ops"})

    def test_a_folder_that_cannot_be_read_takes_no_agent_away(self):
        self.start(a=AGENT)
        os.rename(self.folder / "agents", self.folder / "elsewhere")
        status, said = self.reload()
        self.assertEqual((status, "agents" in said["errors"][0]["detail"]), (422, True))
        self.assertEqual(list(self.agents()), ["a"])
        os.rename(self.folder / "elsewhere", self.folder / "agents")
        self.assertEqual(self.reload()[0], 200)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    unittest.main()
