"""Memory and events in a real Redis, which is killed and comes back while agents run."""
import json
import shutil
import subprocess
import tempfile
import time
import unittest

from agentd import Endpoint, free_port, openai, until
from served_stores import WORKER, ServedStores


class RedisServer:
    """redis-server on a free port, over a folder of its own; may be killed and started again with what it had."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="agentd-redis-")
        self.port = free_port()
        self.options = options or ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
        self.start()

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, *self.options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until("redis-server answers", self.answers)

    def answers(self):
        try:
            return self.cli("PING") == "PONG"
        except subprocess.CalledProcessError:
            return False

    def cli(self, *words):
        return subprocess.run(["redis-cli", "-e", "-p", str(self.port), *words], capture_output=True, text=True, check=True).stdout.strip()

    def field(self, stream, name):
        """The values of one field of a stream's entries, in order."""
        lines = self.cli("XRANGE", stream, "-", "+").split("\n")
        return [lines[i + 1] for i, line in enumerate(lines) if line == name]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder)


class Redis(ServedStores):
    def setUp(self):
        super().setUp()
        self.redis = self.server = self.enter(RedisServer())
        self.endpoint = self.enter(Endpoint(self.folder, tool="system__load", bodies="yes"))

    def stores(self, more=""):
        return f'[stores.team]\nplugin = "redis"\nhost = "127.0.0.1"\nport = {self.redis.port}\n{more}[memory]\nstore = "team"\n[events]\nstores = ["team"]\n'

    def copied(self):
        return self.redis.field("background_agent_events", "id")

    def test_the_doctor_asks_the_server(self):
        self.agentd = self.host(openai(self.endpoint) + self.stores('timeout = "500ms"\n'), worker=WORKER)

        def found():
            checks = json.loads(self.agentd.cli("doctor", "--config", "agentd.toml", "--json", check=False).stdout)["checks"]
            return next(check for check in checks if check["check"] == "store team")

        self.assertEqual(found()["state"], "ok")
        self.redis.kill()
        self.assertEqual(found()["state"], "failed")
        self.assertIn(f"redis at 127.0.0.1:{self.redis.port}", found()["found"])

    def test_a_password_is_used_and_never_shown(self):
        self.redis.cli("CONFIG", "SET", "requirepass", "correct horse battery")
        settings = openai(self.endpoint) + self.stores('password = "env:TEAM_PASSWORD"\n')
        self.agentd = self.host(settings, worker=WORKER)
        self.agentd.start(TEAM_PASSWORD="correct horse battery")
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("worker"))["status"], "completed", self.agentd.log())
        self.agentd.stop()
        self.agentd.start(wait=False, TEAM_PASSWORD="wrong horse battery")
        until("the host says why", lambda: "WRONGPASS" in self.agentd.log())
        self.assertNotIn("horse battery", self.agentd.log())
        self.agentd.kill()

    def test_the_environment_chooses_it(self):
        self.agentd = self.host(openai(self.endpoint), worker=WORKER)
        self.agentd.start(MEMORY_STORE_TYPE="redis", EVENT_STORE_TYPE="redis_stream", REDIS_HOST="127.0.0.1", REDIS_PORT=str(self.redis.port), REDIS_DB="1", REDIS_STREAM_KEY="copies")
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("worker"))["status"], "completed", self.agentd.log())
        self.assertEqual(self.agentd.get("/v1/agents/worker")["memory_store"], "redis")
        until("the stream has events", lambda: self.redis.cli("-n", "1", "EXISTS", "copies") == "1")
        self.assertIn("agentd:memory:worker:all", self.redis.cli("-n", "1", "KEYS", "*"))

    def test_a_server_without_persistence_is_told_of(self):
        self.redis.cli("CONFIG", "SET", "appendonly", "no")
        self.agentd = self.host(openai(self.endpoint) + self.stores(), worker=WORKER)
        self.agentd.start()
        until("the log warns", lambda: f"redis at 127.0.0.1:{self.redis.port} has persistence off" in self.agentd.log())


if __name__ == "__main__":
    unittest.main()
