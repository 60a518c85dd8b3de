"""`agentd run FILE`: one manifest, once, no server, and nothing left behind."""
import json
import unittest

from agentd import WATCHER, AgentdTest, openai


class OneRun(AgentdTest):
    def test_prints_the_answer_and_copies_no_event_of_a_ledger_that_it_throws_away(self):
        model = self.endpoint(tool="system__load", text="The load is fine.")
        copies = self.folder / "events.jsonl"
        config = openai(model) + f'[stores.copies]\nplugin = "jsonl"\npath = "{copies}"\n[events]\nstores = ["copies"]\n'
        host = self.host(config, watcher=WATCHER)
        done = host.cli("run", "agents/watcher.toml", "--config", "agentd.toml")
        self.assertEqual(done.stdout, "The load is fine.\n")
        self.assertFalse(copies.exists())

        kept = host.cli("run", "agents/watcher.toml", "--config", "agentd.toml", "--state", "state")
        self.assertEqual(kept.stdout, "The load is fine.\n")
        types = [json.loads(line)["type"] for line in copies.read_text().splitlines()]
        self.assertEqual(types.count("background_task_completed"), 1, types)


if __name__ == "__main__":
    unittest.main()
