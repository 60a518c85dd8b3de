"""Plugin files that come, change and go while the host runs."""
import json
import os
import pathlib
import shutil
import threading
import time
import unittest

from agentd import BUILD, AgentdTest, until

SAMPLES = BUILD / "tests" / "support" / "plugins" / "so"
AGENT = """
[model]
provider = "played"
model = "m"
[task]
query = "Do it."
[tools]
allow = ["good.*"]
"""


class NewPlugins(AgentdTest):
    def start(self, *names):
        self.plugins = self.folder / "more"
        self.plugins.mkdir()
        for name in names:
            shutil.copy(SAMPLES / f"{name}.so", self.plugins)
        (self.folder / "script.toml").write_text('agent = [{ step = [{ say = "Done." }] }]\n')
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', a=AGENT)
        config = self.folder / "agentd.toml"
        config.write_text(config.read_text().replace("plugin_dirs = [", f'plugin_dirs = ["{self.plugins}", '))
        return self.agentd.start()

    def plugin(self, name="good"):
        return next((plugin for plugin in self.agentd.get("/v1/plugins")["plugins"] if plugin["name"] == name), None)

    def events(self, kind):
        return [event["payload"] for event in self.agentd.get(f"/v1/events?type={kind}&limit=1000")["events"]]

    def states(self):
        return {row["name"]: row["needs_restart"] for row in json.loads(self.agentd.cli("plugins", "list", "--json", "--config", "agentd.toml").stdout)}

    def test_a_new_one_is_loaded_and_agents_that_waited_for_it_run(self):
        self.start()
        self.assertIn("good", self.agentd.get("/v1/status")["refused_agents"][0]["problems"][0])
        known = len(self.events("plugin_loaded"))
        begin = time.monotonic()
        shutil.copy(SAMPLES / "good.so", self.plugins)
        until("it is loaded", lambda: self.plugin())
        self.assertLess(time.monotonic() - begin, 10)  # 2 s where the machine is not busy with something else
        until("the agent is taken", lambda: [agent["agent_id"] for agent in self.agentd.get("/v1/agents")["agents"]] == ["a"])
        self.assertEqual(self.agentd.get("/v1/status")["refused_agents"], [])
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")
        loaded = self.events("plugin_loaded")
        self.assertEqual((len(loaded), loaded[-1]["plugin"], loaded[-1]["file"]), (known + 1, "good", str(self.plugins / "good.so")))

    def test_one_that_is_written_without_end_keeps_no_other_out(self):
        self.start()
        ended = threading.Event()

        def write():
            while not ended.wait(0.1):
                (self.plugins / "restless.so").write_text("not yet")

        writing = threading.Thread(target=write)
        writing.start()
        try:
            shutil.copy(SAMPLES / "good.so", self.plugins)
            until("it is loaded", lambda: self.plugin(), 30)
        finally:
            ended.set()
            writing.join()

    def test_a_broken_one_is_told_and_tried_again_when_it_changes(self):
        self.start()
        (self.plugins / "good.so").write_text("half of it")
        until("it is told", lambda: self.events("plugin_failed"))
        self.assertEqual((self.plugin()["state"], self.events("plugin_failed")[-1]["plugin"]), ("broken", "good"))
        os.remove(self.plugins / "good.so")
        shutil.copy(SAMPLES / "good.so", self.plugins)
        until("it is loaded", lambda: self.plugin()["state"] == "loaded")

    def test_a_changed_one_asks_for_a_restart_and_nothing_else(self):
        self.start("good")
        self.assertEqual((self.plugin()["needs_restart"], self.states()["good"]), (None, None))
        known = len(self.events("plugin_loaded"))
        temporary = self.folder / "good.so"
        shutil.copy(SAMPLES / "good.so", temporary)
        os.utime(temporary, (1, 1))
        os.replace(temporary, self.plugins / "good.so")
        until("the log says so", lambda: "has changed: that takes a restart" in self.agentd.log())
        self.assertEqual((self.plugin()["state"], self.plugin()["needs_restart"]), ("loaded", "its file has changed"))
        self.assertEqual(self.states()["good"], "its file has changed")
        self.assertIn("needs a restart", self.agentd.cli("plugins", "list", "--config", "agentd.toml").stdout)
        self.assertEqual(json.loads(self.agentd.request("POST", "/-/reload")[1])["needs_restart"], [str(self.plugins / "good.so")])
        os.remove(self.plugins / "good.so")
        until("the log says that it is gone", lambda: "is gone: that takes a restart" in self.agentd.log())
        self.assertEqual((self.plugin()["needs_restart"], self.states()["good"]), ("its file is gone", "its file is gone"))
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")
        self.assertEqual(len(self.events("plugin_loaded")), known)
        self.agentd.stop()
        self.assertNotIn("good", self.states())


if __name__ == "__main__":
    unittest.main()
