"""A broken plugin disables itself, not the host: the reason is kept and shown."""
import json
import os
import pathlib
import shutil
import unittest

from agentd import BUILD, AgentdTest

HEALTHY = '[task]\nnative = "disk_report"\n'
BROKEN = BUILD / "tests" / "support" / "plugins" / "so"


class Plugins(AgentdTest):
    def folder_with(self, *names):
        folder = self.folder / "plugins"
        folder.mkdir()
        for name in names:
            shutil.copy(BROKEN / f"{name}.so", folder)
        return folder

    def reasons(self, folder):
        host = self.host(agent=HEALTHY)
        shown = json.loads(host.cli("plugins", "list", "--broken", "--json", "--plugins", str(folder), "--config", "agentd.toml", check=False).stdout)
        return {pathlib.Path(plugin["file"]).stem: plugin["reason"] for plugin in shown}

    def test_keeps_a_reason_for_each(self):
        folder = self.folder_with("no_symbol", "newer_abi", "unique")
        (folder / "text.so").write_text("not a library")
        reasons = self.reasons(folder)
        self.assertIn("agentd_plugin_entry_v1", reasons["no_symbol"])
        self.assertIn("newer", reasons["newer_abi"])
        self.assertIn("-fno-gnu-unique", reasons["unique"])
        self.assertIn("text", reasons)

    def test_list_outlives_what_a_plugin_does_when_it_is_mapped(self):
        folder = self.folder_with("crash", "good")
        host = self.host(agent=HEALTHY)
        listed = host.cli("plugins", "list", "--json", "--plugins", str(folder), "--config", "agentd.toml")
        states = {pathlib.Path(plugin["file"]).stem: plugin for plugin in json.loads(listed.stdout)}
        self.assertEqual(states["crash"]["state"], "broken")
        self.assertIn("crashes when it is loaded", states["crash"]["reason"])
        self.assertEqual(states["good"]["state"], "loaded")

    def test_list_refuses_the_second_of_a_name_as_the_host_does(self):
        folder = self.folder_with("good")
        shutil.copy(BROKEN / "good.so", folder / "twin.so")
        reasons = self.reasons(folder)
        self.assertIn("is loaded from", reasons["twin"])
        self.assertIn("already", reasons["twin"])

    def test_refuses_a_folder_that_others_may_write_to(self):
        folder = self.folder_with("good")
        os.chmod(folder, 0o777)
        host = self.host(agent=HEALTHY)
        done = host.cli("plugins", "list", "--broken", "--plugins", str(folder), "--config", "agentd.toml", check=False)
        self.assertIn("writ", done.stdout + done.stderr)

    def test_the_host_goes_on_without_it(self):
        folder = self.folder_with("no_symbol", "newer_abi")
        host = self.host(agent=HEALTHY, poor=HEALTHY.replace("disk_report", "gone"))
        config = host.folder / "agentd.toml"
        config.write_text(config.read_text().replace("plugin_dirs = [", f'plugin_dirs = ["{folder}", '))
        host.start()
        self.assertEqual(host.wait_run(host.submit("agent"))["status"], "completed")
        plugins = host.get("/v1/plugins")["plugins"]
        self.assertEqual({plugin["state"] for plugin in plugins}, {"loaded", "broken"})
        paged, cursor = [], ""
        while cursor is not None:
            page = host.get(f"/v1/plugins?limit=2&cursor={cursor}")
            paged, cursor = paged + page["plugins"], page["next"]
        self.assertEqual(paged, plugins)
        self.assertIn("gone", host.log())

    def test_inspect_maps_a_file_only_in_the_runner(self):
        host = self.host(agent=HEALTHY)
        done = host.cli("plugins", "inspect", str(BUILD / "lib" / "agentd" / "plugins" / "fs.so"))
        self.assertIn("toolset\tfs", done.stdout)
        http = host.cli("plugins", "inspect", str(BUILD / "lib" / "agentd" / "plugins" / "http.so")).stdout
        self.assertIn('timeout: duration = "20s"', http)
        self.assertEqual(host.cli("plugins", "inspect", "fs").stdout, done.stdout)
        unknown = host.cli("plugins", "inspect", "sqlit", check=False)
        self.assertEqual((unknown.returncode, 'did you mean "sqlite"?' in unknown.stderr), (2, True), unknown.stderr)
        crashed = host.cli("plugins", "inspect", str(BROKEN / "crash.so"), check=False)
        self.assertEqual(crashed.returncode, 1, crashed.stdout + crashed.stderr)
        self.assertIn("crashes when it is loaded", crashed.stdout + crashed.stderr)


if __name__ == "__main__":
    unittest.main()
