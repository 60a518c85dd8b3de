"""`agentd schedule next` against the brute-force oracle, through the command people use."""
import subprocess
import sys
import unittest

from agentd import AGENTD, SOURCE

ORACLE = SOURCE / "tests" / "unit" / "schedule" / "oracle.py"


class Schedule(unittest.TestCase):
    def test_is_right_for_random_expressions_across_changes_of_clocks(self):
        done = subprocess.run([sys.executable, str(ORACLE), "--count", "200", "--", str(AGENTD), "schedule", "next"], capture_output=True, text=True, timeout=500)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])

    def test_refuses_what_is_no_schedule(self):
        for wrong in (["--cron", "61 * * * *"], ["--cron", "* * * *"], ["--cron", "0 9 * * *", "--timezone", "Mars/Olympus"], ["--interval", "5 minutes"], []):
            with self.subTest(wrong):
                done = subprocess.run([str(AGENTD), "schedule", "next", *wrong], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
