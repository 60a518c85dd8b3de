"""How well agents find what they remember in a PostgreSQL and in a vector database. Qdrant's words are ranked by the code that ranks Chroma's."""
import socket
import subprocess
import sys
import unittest

from agentd import SOURCE, free_port, until
from postgres import Postgres
from recall_quality import RecallQuality


class Postgresql(RecallQuality):
    def setUp(self):
        super().setUp()
        self.server = self.enter(Postgres())

    def store(self, number):
        return f'plugin = "postgres"\nurl = "{self.server.url}"\nschema = "agentd{number}"'


class Chroma(RecallQuality):
    def setUp(self):
        super().setUp()
        script = str(SOURCE / "tests" / "support" / "chroma" / "start.py")
        subprocess.run([sys.executable, script], check=True)  # fetches it, where that was not done
        self.port = free_port()
        process = subprocess.Popen([sys.executable, script, str(self.port), str(self.folder / "chroma")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until("the server listens", lambda: self.listens(process))

    def listens(self, process):
        self.assertIsNone(process.poll(), "the server ended")
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def store(self, number):
        return f'plugin = "chroma"\nport = {self.port}\ncollection = "quality-{number}"'


if __name__ == "__main__":
    unittest.main()
