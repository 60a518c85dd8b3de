"""Another process that holds the ledger's file for a while holds runs up, and loses none of them."""
import sqlite3
import time
import unittest

from agentd import AgentdTest, openai, until

AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "Leave a mark"
[tools]
allow = ["marker.*"]
"""


class Lock(AgentdTest):
    def prepare(self):
        self.model = self.endpoint(tool="marker__once", delay=300)
        host = self.host(openai(self.model) + f'[toolsets.marker]\nfile = "{self.folder / "marks"}"\n', agent=AGENT)
        config = host.folder / "agentd.toml"
        config.write_text(config.read_text().replace("[host]\n", '[host]\ndrain_timeout = "2s"\n'))
        host.start()
        return host

    def intrude(self, host):
        """As `sqlite3 ledger.db` or a backup does it."""
        other = sqlite3.connect(host.state / "ledger.db", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN EXCLUSIVE")
        return other

    def lock_a_run(self, host):
        run = host.submit("agent")
        until("a request is under way", lambda: self.model.journal("asked"))
        return run, self.intrude(host)

    def test_a_run_goes_on_when_the_file_is_free_again(self):
        host = self.prepare()
        run, other = self.lock_a_run(host)
        until("the log tells of it", lambda: "another process has locked it" in host.log())
        for _ in range(5):
            self.assertEqual(host.request("POST", "/v1/agents/agent/runs", {})[0], 503)
        self.assertEqual(host.log().count("another process has locked it"), 1)
        self.assertEqual(host.run_status(run), "running")
        other.execute("COMMIT")
        self.assertEqual(host.wait_run(run)["status"], "completed", host.log())
        self.assertEqual(host.log().count("it can be written again"), 1)
        ids = [line["call_id"] for line in self.model.journal("asked")]
        self.assertEqual(len(ids), len(set(ids)), "a model call was made again")

    def test_a_signal_ends_the_host_all_the_same(self):
        host = self.prepare()
        run, other = self.lock_a_run(host)
        until("the log tells of it", lambda: "another process has locked it" in host.log())
        begin = time.monotonic()
        self.assertEqual(host.stop(), 0, host.log())
        self.assertLess(time.monotonic() - begin, 10)
        other.execute("COMMIT")
        host.start()
        self.assertEqual(host.wait_run(run)["status"], "completed", host.log())


if __name__ == "__main__":
    unittest.main()
