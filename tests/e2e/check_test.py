"""`agentd check` lists every mistake of a folder in one pass, each with its place; `serve` starts what is healthy all the same."""
import re
import unittest

from agentd import AgentdTest, openai

HEALTHY = '[model]\nprovider = "openai"\nmodel = "m"\n[task]\nquery = "Look"\n'

# agent: (manifest, line of the mistake, what the message says)
MISTAKES = {
    "wrong_key": ('[task]\nquery = "x"\n[model]\nprovider = "openai"\nmodel = "m"\n[schedule]\nintervall = "5m"\n', 7, 'did you mean "interval"'),
    "wrong_type": (HEALTHY + '[limits]\nmax_steps = "many"\n', 7, "max_steps"),
    "bad_cron": (HEALTHY + '[schedule]\ncron = "61 * * * *"\n', 7, "61"),
    "bad_zone": (HEALTHY + '[schedule]\ncron = "0 9 * * *"\ntimezone = "Europe/Berlim"\n', 8, "Europe/Berlin"),
    "unknown_tool": (HEALTHY + '[tools]\nallow = ["system.laod"]\n', 7, "system.laod"),
    "unknown_provider": ('[model]\nprovider = "opanai"\nmodel = "m"\n[task]\nquery = "x"\n', 2, "opanai"),
    "unknown_store": (HEALTHY + '[memory]\nstore = "attic"\n', 7, "attic"),
    "no_task": ('[model]\nprovider = "openai"\nmodel = "m"\n', None, "task"),
    "bad_duration": (HEALTHY + 'timeout = "5 minutes"\n', 6, "5 minutes"),
    "not_toml": ("[task\nquery = 1\n", 1, ""),
    "later": (HEALTHY + '[gate]\nnative = "disk_report"\n', None, "not supported yet"),
}


class Check(AgentdTest):
    def test_lists_every_mistake_with_its_place(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY, **{name: text for name, (text, _, _) in MISTAKES.items()})
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        out = done.stdout + done.stderr
        for name, (_, line, says) in MISTAKES.items():
            with self.subTest(name):
                about = [text for text in out.splitlines() if f"{name}.toml:" in text]
                self.assertTrue(about, f"nothing about {name} in:\n{out}")
                self.assertRegex(about[0], rf"{name}\.toml:\d+:\d+: ")
                self.assertTrue(any(says in text for text in about), about)
                if line:
                    self.assertRegex(about[0], rf"{name}\.toml:{line}:\d+: ")
        self.assertFalse([text for text in out.splitlines() if re.search(r"healthy\.toml:\d+:\d+:", text) and "by hand" not in text])

    def test_serve_starts_the_healthy_and_refuses_the_broken_by_name(self):
        host = self.host(openai(self.endpoint(rounds=0)), healthy=HEALTHY, bad_cron=MISTAKES["bad_cron"][0])
        host.start()
        agents = {agent["agent_id"]: agent for agent in host.get("/v1/agents")["agents"]}
        self.assertIn("healthy", agents)
        self.assertEqual(host.wait_run(host.submit("healthy"))["status"], "completed")
        self.assertIn("bad_cron", host.log())
        status, _ = host.request("POST", "/v1/agents/bad_cron/runs", {})
        self.assertIn(status, (404, 409))

    def test_nothing_wrong_is_exit_0(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY)
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("by hand", done.stdout + done.stderr)  # it has neither schedule nor trigger


if __name__ == "__main__":
    unittest.main()
