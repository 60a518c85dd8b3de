"""Hosts and endpoints for tests that look at agentd from outside. Everything is on a free port of the loopback interface, in a folder
of its own, and is taken down with its `with` block. AGENTD_BUILD names the build folder."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AGENTD_BUILD", SOURCE / "build" / "dev"))
AGENTD = BUILD / "bin" / "agentd"
TEST_PLUGINS = BUILD / "tests" / "plugins"
PATIENCE = 60  # seconds; generous, because sanitizers are slow and machines are shared

# An agent that looks at the machine's load with one tool and tells of it.
WATCHER = """
[model]
provider = "openai"
model = "test"
[task]
query = "How is the load?"
[tools]
allow = ["system.load"]
"""


def is_sanitized():
    """Sanitizers keep memory that was given back, to see who still uses it."""
    cache = BUILD / "CMakeCache.txt"
    return cache.exists() and any(line.startswith("AGENTD_SANITIZE:") and line.split("=", 1)[1] for line in cache.read_text().splitlines())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, condition, patience=PATIENCE, pause=0.01):
    """Waits until condition() gives something true, and returns it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        got = condition()
        if got:
            return got
        time.sleep(pause)
    raise AssertionError(f"timed out waiting until {what}")


class Endpoint:
    """A chat-completions endpoint with a journal. Options are those of fake_endpoint: delay=300, tool="fs__stat", ..."""

    def __init__(self, folder, **options):
        self.journal_file = pathlib.Path(folder) / "endpoint.jsonl"
        command = [str(BUILD / "bin" / "fake_endpoint"), "--journal", str(self.journal_file)]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def journal(self, event=None):
        if not self.journal_file.exists():
            return []
        whole = self.journal_file.read_text().split("\n")[:-1]  # the last piece is empty or being written
        lines = [json.loads(line) for line in whole]
        return [line for line in lines if event is None or line["event"] == event]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(PATIENCE)


class Host:
    """One agentd over a folder with agentd.toml, agents/ and state/; may be started, killed and started again."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.log_file = self.folder / "host.log"

    def configure(self, text, **agents):
        (self.folder / "agents").mkdir(exist_ok=True)
        (self.folder / "agentd.toml").write_text(f'[host]\nagent_dirs = ["agents"]\nplugin_dirs = ["{TEST_PLUGINS}"]\nstate_dir = "state"\n[api]\nlisten = "127.0.0.1:{self.port}"\n{text}')
        for name, manifest in agents.items():
            (self.folder / "agents" / f"{name}.toml").write_text(manifest)

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTD_", "OPENAI_", "ANTHROPIC_"))}
        return {**kept, "AGENTD_URL": self.url, **more}

    def start(self, wait=True, **environment):
        command = [str(AGENTD), "serve", "--config", str(self.folder / "agentd.toml")]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(**environment))
        if wait:
            self.wait_ready()
        return self

    def ready(self):
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            if self.process.poll() is not None:
                raise AssertionError(f"the host ended with {self.process.returncode}:\n{self.log()}")
            return False

    def wait_ready(self):
        until("the host is ready", self.ready)

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path):
        status, body = self.request("GET", path)
        assert status == 200, f"{path}: {status} {body}"
        return json.loads(body)

    def cli(self, *arguments, check=True, **options):
        done = subprocess.run([str(AGENTD), *arguments], cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, env=self.environment(), **options)
        if check and done.returncode != 0:
            raise AssertionError(f"agentd {' '.join(arguments)} exited {done.returncode}:\n{done.stdout}{done.stderr}\n--- host log\n{self.log()}")
        return done

    def submit(self, agent, **body):
        status, text = self.request("POST", f"/v1/agents/{agent}/runs", body)
        assert status == 202, f"{status} {text}"
        return json.loads(text)["run_id"]

    def run_status(self, run_id):
        return self.get(f"/v1/runs/{run_id}")["status"]

    def wait_run(self, run_id):
        final = ("completed", "failed", "timed_out", "cancelled", "quarantined")
        until(f"run {run_id} ends", lambda: self.run_status(run_id) in final)
        return self.get(f"/v1/runs/{run_id}")

    def log(self):
        return self.log_file.read_text(errors="replace")[-8000:] if self.log_file.exists() else ""

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait_dead(self):
        return self.process.wait(PATIENCE)

    def stop(self):
        """Drains; answers the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the host did not drain:\n{self.log()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()


class Records:
    """What a ledger file holds: read from a copy, so that the host's lock and log are left alone."""

    def __init__(self, state, folder):
        copy = pathlib.Path(tempfile.mkdtemp(dir=folder))
        for file in pathlib.Path(state).glob("ledger.db*"):
            shutil.copy(file, copy)
        with sqlite3.connect(copy / "ledger.db") as db:
            rows = db.execute("SELECT position, run, kind, payload FROM records ORDER BY position").fetchall()
        db.close()
        shutil.rmtree(copy)
        self.rows = [(position, run, kind, json.loads(payload)) for position, run, kind, payload in rows]

    def answers(self):
        """{(run position, step)} of every model call whose answer is durable."""
        found = set()
        for _, run, kind, payload in self.rows:
            answer = payload if kind == 2 else payload.get("answer") if kind == 7 else None
            if answer:
                found.add((run, answer["step"]))
        return found


class AgentdTest(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="agentd-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def endpoint(self, **options):
        return self.enter(Endpoint(self.folder, **options))

    def host(self, config="", **agents):
        host = self.enter(Host(self.folder))
        host.configure(config, **agents)
        return host


def openai(endpoint, **more):
    settings = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return f'[providers.openai]\nbase_url = "{endpoint.url}"\n{settings}'
