"""`agentd run FILE`: one manifest, once, no server, and nothing left behind."""
import json
import subprocess
import unittest

from agentd import AGENTD, PATIENCE, WATCHER, AgentdTest, free_port, openai


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

    def test_an_answer_that_is_lost_is_a_failure(self):
        host = self.host(openai(self.endpoint(tool="system__load", text="The load is fine.")), watcher=WATCHER)
        for where, code in ((">/dev/full", 1), (">&-", 1), ("| true; exit ${PIPESTATUS[0]}", 0)):
            with self.subTest(where):
                command = f"'{AGENTD}' run agents/watcher.toml --config agentd.toml {where}"
                done = subprocess.run(["bash", "-c", command], cwd=host.folder, capture_output=True, text=True, timeout=PATIENCE, env=host.environment())
                self.assertEqual((done.returncode, done.stderr.count("could not be written to standard output")), (code, code), done.stderr)

    def test_says_what_it_waits_for_while_nobody_answers(self):
        config = f'[providers.openai]\nbase_url = "http://127.0.0.1:{free_port()}/v1"\n'
        host = self.host(config, watcher=WATCHER + '[retry]\nmax_retries = 1\ndelay = "100ms"\n')
        done = host.cli("run", "agents/watcher.toml", "--config", "agentd.toml", check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        waits = [line for line in done.stderr.splitlines() if "trying again" in line]
        self.assertEqual(len(waits), 7, done.stderr)
        self.assertRegex(waits[0], r"^no answer from the provider openai: .*127\.0\.0\.1.*; trying again in 0\.\d s, try 2 of 4$")
        self.assertRegex(waits[3], r"^attempt 1 of 2 failed: .*127\.0\.0\.1.*; trying again in 0\.\d s, attempt 2 of 2$")
        self.assertEqual(len(done.stderr.splitlines()), 9, done.stderr)  # the state folder, the waits, the end


if __name__ == "__main__":
    unittest.main()
