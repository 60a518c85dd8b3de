"""A host whose ledger is taken away ends, rather than answer for what nobody will find again."""
import os
import shutil
import unittest

from agentd import WATCHER, AgentdTest, openai


class State(AgentdTest):
    def prepare(self):
        host = self.host(openai(self.endpoint(rounds=0)), watcher=WATCHER)
        host.start()
        host.wait_run(host.submit("watcher"))
        return host

    def ends(self, host, named):
        self.assertEqual(host.wait_dead(), 1, host.log())
        self.assertEqual(host.log().count(f"{named} was removed, moved or replaced while it was in use"), 1, host.log())

    def test_removed(self):
        host = self.prepare()
        shutil.rmtree(host.state)
        self.ends(host, "ledger.db.lock")
        host.start()
        self.assertEqual(host.wait_run(host.submit("watcher"))["status"], "completed")

    def test_replaced_by_a_backup(self):
        host = self.prepare()
        shutil.copy(host.state / "ledger.db", host.state / "backup")
        os.rename(host.state / "backup", host.state / "ledger.db")
        self.ends(host, "ledger.db")

    def test_emptied_while_the_host_was_away(self):
        host = self.prepare()
        host.stop()
        os.truncate(host.state / "ledger.db", 0)
        host.start(wait=False)
        self.assertEqual(host.wait_dead(), 1, host.log())
        self.assertIn("ledger.db is empty, though ledger.db.claims beside it has runs", host.log())


if __name__ == "__main__":
    unittest.main()
