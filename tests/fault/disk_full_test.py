"""A disk that fills up, and is freed again: nothing that was accepted is lost, and nothing else is accepted meanwhile."""
import os
import subprocess
import unittest

from agentd import WATCHER, AgentdTest, openai, until

RUNS = 40


class DiskFull(AgentdTest):
    def mount(self, folder):
        folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(folder)], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest("a small file system is needed, which only root may mount: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", str(folder)])

    def fill(self, folder):
        """Takes what room there is, down to the last byte."""
        with open(folder / "filler", "wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass

    def test_every_run_completes(self):
        model = self.endpoint(tool="system__load", delay=30)
        host = self.host(openai(model), watcher=WATCHER)
        self.mount(host.state)
        host.start()
        accepted = [host.submit("watcher", key=f"run-{i}") for i in range(RUNS)]
        self.fill(host.state)
        until("no more is taken in", lambda: host.request("POST", "/v1/agents/watcher/runs", {})[0] == 503)
        self.assertEqual([host.request("GET", path)[0] for path in ("/readyz", "/healthz")], [503, 200])
        os.remove(host.state / "filler")
        until("it is taken in again", lambda: host.request("POST", "/v1/agents/watcher/runs", {"key": "late"})[0] == 202)
        for run_id in accepted:
            self.assertEqual(host.wait_run(run_id)["status"], "completed")
        asked = [entry["call_id"] for entry in model.journal("asked")]
        self.assertEqual(len(asked), len(set(asked)))  # an answer that could not be written is held, not asked for again


if __name__ == "__main__":
    unittest.main()
