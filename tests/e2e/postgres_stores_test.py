"""Memory and events in a real PostgreSQL, which is killed and comes back while agents run."""
import os
import unittest

from agentd import Endpoint, openai, until
from postgres import Postgres
from served_stores import WORKER, ServedStores


class PostgresStores(ServedStores):
    def setUp(self):
        super().setUp()
        self.server = self.enter(Postgres())
        os.environ["TEAM_URL"] = self.server.url
        self.addCleanup(os.environ.pop, "TEAM_URL")
        self.endpoint = self.enter(Endpoint(self.folder, tool="system__load", bodies="yes"))

    def stores(self, more=""):
        return f'[stores.team]\nplugin = "postgres"\nurl = "env:TEAM_URL"\n{more}[memory]\nstore = "team"\n[events]\nstores = ["team"]\n'

    def copied(self):
        return self.server.ask("SELECT id FROM events ORDER BY split_part(id, '-', 1), length(id), id")

    def test_the_usual_names_choose_it(self):
        self.agentd = self.host(openai(self.endpoint), worker=WORKER)
        self.agentd.start(MEMORY_STORE_TYPE="database", DATABASE_URL=self.server.url)
        self.assertEqual(self.agentd.get("/v1/agents/worker")["memory_store"], "database")
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("worker"))["status"], "completed", self.agentd.log())
        self.assertEqual(self.server.ask("SELECT count(*) FROM memories"), ["2"])

    def test_the_doctor_asks_the_server(self):
        self.agentd = self.host(openai(self.endpoint) + self.stores('timeout = "500ms"\n'), worker=WORKER)
        well = self.agentd.cli("doctor", "--config", "agentd.toml", check=False).stdout
        self.assertRegex(well, r"(?m)^ok\s+store team\b")
        self.server.kill()
        ill = self.agentd.cli("doctor", "--config", "agentd.toml", check=False).stdout
        self.assertIn(f"PostgreSQL at 127.0.0.1:{self.server.port} cannot be used now", ill)
        self.server.start()
        until("it is well again", lambda: "cannot be used" not in self.agentd.cli("doctor", "--config", "agentd.toml", check=False).stdout)


if __name__ == "__main__":
    unittest.main()
