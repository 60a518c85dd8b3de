"""README's first command does what it says, in lines that a terminal of 100 columns holds."""
import os
import re
import subprocess
import unittest

from agentd import SOURCE


class Quickstart(unittest.TestCase):
    def test_runs_and_resumes(self):
        done = subprocess.run([str(SOURCE / "examples" / "quickstart" / "run"), "--for", "20s"], capture_output=True, text=True, timeout=1500,
                              env={k: v for k, v in os.environ.items() if not k.startswith("AGENTD")})
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])
        self.assertIn("calls repeated: 0; file written once", done.stdout)
        self.assertIn("provider script: no model; tools, schedule and durability are real", done.stdout)
        self.assertRegex(done.stdout, r"inbox +background_task_resumed +reason=crash")
        self.assertRegex(done.stdout, r"agentd approvals approve \d+-[0-9a-z]{7}/2/0\n")
        self.assertRegex(done.stdout, r"The load is [0-9.]+\.\n")
        self.assertRegex(done.stdout, r"run \S+ failed: the budget of agent:thrifty")
        self.assertRegex(done.stdout, r"agent +state +runs +errors +schedule +last run")
        self.assertRegex(done.stdout, r"(?s)last error of thrifty: the budget of agent:thrifty .*`agentd budgets raise`\n")
        self.assertRegex(done.stdout, r"kill -9, in the middle of a run\nthe host is dead; .*\n[0-9:]+  - +host_started ", "what is under the heading happened behind it")
        self.assertEqual(len(re.findall(r"host_started", done.stdout)), 2, "no event is shown twice")
        self.assertNotRegex(done.stdout, r"about (\?|0) s")
        events = [line for line in done.stdout.splitlines() if re.match(r"\d\d:\d\d:\d\d  ", line)]
        self.assertGreater(len(events), 20)
        self.assertEqual([line for line in events if len(line) > 100], [])


if __name__ == "__main__":
    unittest.main()
