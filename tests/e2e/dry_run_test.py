"""A dry run of the shipped example tells what would be done, and does none of it."""
import json
import pathlib
import shutil
import unittest

from agentd import SOURCE, AgentdTest


class DryRun(AgentdTest):
    def setUp(self):
        super().setUp()
        self.example = self.folder / "quickstart"
        shutil.copytree(SOURCE / "examples" / "quickstart", self.example)
        self.agentd = self.host()

    def run_dry(self, *more):
        return self.agentd.cli("run", str(self.example / "agents" / "inbox.toml"), "--config", str(self.example / "agentd.toml"), "--dry-run", *more)

    def test_of_the_quickstart_says_what_would_be_written(self):
        done = self.run_dry()
        self.assertIn('dry run: would call fs.write_file {"path":"report.txt","text":"2 files', done.stdout)
        self.assertIn("2 files in the inbox; report.txt was not written: dry run.", done.stdout)
        self.assertFalse((self.example / "files" / "report.txt").exists())

    def test_as_json_is_one_document(self):
        run = json.loads(self.run_dry("--json").stdout)
        self.assertEqual(run["status"], "completed")
        self.assertEqual([call["tool"] for call in run["would_call"]], ["fs.write_file"])


if __name__ == "__main__":
    unittest.main()
