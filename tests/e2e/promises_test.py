"""What a plugin's kinds promise, looked at from outside of any host: agentd plugins test."""
import json
import os
import subprocess
import unittest

from agentd import AGENTD, BUILD, PATIENCE, AgentdTest

PLUGINS = BUILD / "lib" / "agentd" / "plugins"
MISBEHAVING = BUILD / "tests" / "support" / "plugins" / "so"


class Promises(AgentdTest):
    def hold(self, file, *options, **environment):
        return subprocess.run([str(AGENTD), "plugins", "test", str(file), *options], cwd=self.folder, capture_output=True, text=True, timeout=2 * PATIENCE, env={**os.environ, **environment})

    def lines(self, done):
        return [line.split("\t") for line in done.stdout.splitlines()]

    def test_the_stores_that_come_with_it_keep_theirs(self):
        for name, settings, components in (("ram", {}, ["memory ram", "events ram"]), ("jsonl", {"path": f"{self.folder}/events.jsonl"}, ["events jsonl"]),
                                           ("sqlite", {"path": str(self.folder)}, ["ledger sqlite", "memory sqlite", "events sqlite"])):
            for _ in range(2):  # it may come again
                done = self.hold(PLUGINS / f"{name}.so", "--settings", json.dumps(settings))
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout + done.stderr)
                lines = self.lines(done)
                self.assertEqual(list(dict.fromkeys(line[1] for line in lines)), components)
                self.assertEqual({line[0] for line in lines}, {"ok"}, done.stdout)
                self.assertEqual("lists the newest first" in done.stdout, name != "jsonl")
                self.assertIn("leaves out what came already", done.stdout)

    def test_other_kinds_are_made_and_closed(self):
        done = self.hold(PLUGINS / "system.so")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(["ok", "toolset system", "is made"], self.lines(done))
        self.assertIn(["ok", "task disk_report", "closes"], self.lines(done))

    def test_a_promise_that_is_not_kept_is_told_with_what_was_expected(self):
        done = self.hold(MISBEHAVING / "forgets.so")
        self.assertEqual(done.returncode, 1)
        self.assertIn(["failed", "memory oldest", "lists the newest first: list after putting 1 and 2 together, then 3: expected 3, 2, 1, got 1, 2, 3"], self.lines(done))
        self.assertIn(["failed", "events ends", "keeps events in order: in append: it crashed: Aborted"], self.lines(done))

    def test_settings_are_references_checked_and_not_shown(self):
        done = self.hold(MISBEHAVING / "forgets.so", "--settings", '{"note": "env:NOTE"}', NOTE="correct horse battery")
        self.assertEqual(done.returncode, 1)
        self.assertIn("what was noted: [secret]", done.stdout)
        self.assertNotIn("horse", done.stdout + done.stderr)
        done = self.hold(PLUGINS / "jsonl.so")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "failed\tevents jsonl\tis made: .*path")
        for settings in ("[]", "{", '{"note": "env:NOWHERE"}'):
            done = self.hold(MISBEHAVING / "forgets.so", "--settings", settings)
            self.assertEqual(done.returncode, 2, settings)
            self.assertIn("--settings: ", done.stderr)

    def test_what_is_no_plugin_is_refused(self):
        done = self.hold(MISBEHAVING / "no_symbol.so")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no_symbol.so", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_as_json(self):
        done = self.hold(PLUGINS / "ram.so", "--json")
        self.assertEqual({row["ok"] for row in json.loads(done.stdout)}, {True})


if __name__ == "__main__":
    unittest.main()
