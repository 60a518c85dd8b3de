"""The document at /v1/openapi.json is OpenAPI, and what a host answers is what it says: schemathesis asks a host on which there is
something of everything. AGENTD_OPENAPI_EXAMPLES is how much of each; AGENTD_OPENAPI_SEED what it begins with."""
import http.client
import json
import os
import re
import subprocess
import unittest

from agentd import PATIENCE, SOURCE, AgentdTest, until
from venv_of import python_with

EXAMPLES = os.environ.get("AGENTD_OPENAPI_EXAMPLES", "25")  # of each operation and phase: a number and not a time, so that every machine asks the same
SEED = os.environ.get("AGENTD_OPENAPI_SEED", "1")
REQUIREMENTS = SOURCE / "tests" / "support" / "openapi_requirements.txt"
HOOKS = SOURCE / "tests" / "support" / "schemathesis_hooks.py"
SETTINGS = SOURCE / "tests" / "support" / "schemathesis.toml"
SECRET = "s3cret-of-a-hook"

MODEL = '[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "Look"\n[memory]\nsession = "run"\n'
HOOK = '[[trigger]]\nname = "push"\non = "webhook"\nverify = "bearer"\nsecret = "env:HOOK_SECRET"\n'
SCRIPT = """
agent = [
  { match = "forever", step = [{ delay = "59m", say = "Never." }] },
  { match = "write", step = [{ call = [{ tool = "fs.write_file", arguments = { path = "FILE", text = "1" } }] }, { say = "Done." }] },
  { match = "stat", step = [{ call = [{ tool = "fs.stat", arguments = { path = "nowhere" } }] }, { say = "There is nothing." }] },
  { step = [{ say = "All is well." }] },
]
"""
CONFIG = """
[providers.played]
plugin = "script"
file = "script.toml"
[providers.played.prices.m]
input = 1.0
output = 1.0
[toolsets.fs]
roots = ["data"]
[budget]
cost_per_day = 1000.0
"""
AGENTS = {
    "looker": MODEL + '[tools]\nallow = ["fs.stat"]\n[schedule]\ncron = "0 9 * * MON-FRI"\n',
    "writer": MODEL + '[tools]\nask = ["fs.write_file"]\n[limits]\ntokens_per_day = 1000000000\n',
    "hooked": MODEL + HOOK + "[schedule]\ninterval = \"1h\"\n",
    "deadly": MODEL + "[limits]\nmax_crashes = 1\nqueue_size = 20\n",
    "narrow": MODEL + "[limits]\nqueue_size = 1\n",
    "native": '[task]\nnative = "disk_report"\n[limits]\nmax_concurrent = 4\n',
}


class World(AgentdTest):
    """A host that has runs of every kind, a call that waits for a person, a batch, a run in quarantine and an agent that is paused."""

    def setUp(self):
        super().setUp()
        (self.folder / "data").mkdir()
        (self.folder / "script.toml").write_text(SCRIPT.replace("FILE", str(self.folder / "data" / "note")))
        self.agentd = self.host(CONFIG, **AGENTS)
        (self.folder / "agents" / "broken.toml").write_text("nonsense = 1\n")
        self.start()
        self.quarantined = [self.deadly_run() for _ in range(2)]
        self.completed = [self.run_to_end("looker", query=query) for query in ("stat", "well")] + [self.run_to_end("native")]
        self.running = self.agentd.submit("narrow", query="forever")
        self.waiting = [self.agentd.submit("writer", query="write") for _ in range(2)]
        self.agentd.cli("batch", "submit", "looker", self.items(), "--json")
        for run in self.waiting:
            until("it waits for a person", lambda: self.agentd.run_status(run) == "waiting")
        self.agentd.request("POST", "/v1/agents/native/pause", {"by": "a test"})

    def start(self):
        self.agentd.start(HOOK_SECRET=SECRET)

    def items(self):
        file = self.folder / "items.jsonl"
        file.write_text('{"key": "a"}\n{"query": "stat"}\n')
        return str(file)

    def run_to_end(self, agent, **asked):
        run = self.agentd.submit(agent, **asked)
        self.assertEqual(self.agentd.wait_run(run)["status"], "completed")
        return run

    def deadly_run(self):
        """A run that the host has died of."""
        run = self.agentd.submit("deadly", query="forever")
        until("it runs", lambda: self.agentd.run_status(run) == "running")
        self.agentd.kill()
        self.start()
        self.assertEqual(self.agentd.wait_run(run)["status"], "quarantined")
        return run

    def document(self):
        return self.agentd.get("/v1/openapi.json")

    def document_with_names(self):
        """The document, with the names of what there is as examples: what is asked for is here now and then."""
        document = self.document()
        call = self.agentd.get("/v1/approvals")["approvals"][0]["call_id"]
        runs = self.completed + [self.running] + self.waiting + self.quarantined
        batch = self.agentd.get("/v1/batches")["batches"][0]["batch_id"]
        names = {"AgentId": list(AGENTS), "RunId": runs, "RunCursor": runs, "BatchId": [batch], "QuarantinedRun": self.quarantined, "CallId": [call],
                 "CallRun": self.waiting, "CallStep": [1], "CallIndex": [0], "Agent": list(AGENTS), "HookAgent": ["hooked"], "HookTrigger": ["push"]}
        for parameter, values in names.items():
            document["components"]["parameters"][parameter]["examples"] = {str(i): {"value": value} for i, value in enumerate(values)}
        return document

    def meant_to_fail(self, document):
        """Operations that are described and not supported yet: a server error that is meant."""
        return [operation["operationId"] for item in document["paths"].values() for operation in item.values() if "501" in operation["responses"]]


class Document(AgentdTest):
    def test_is_openapi(self):
        file = self.folder / "openapi.json"
        file.write_text(json.dumps(self.host("").start().get("/v1/openapi.json")))
        done = subprocess.run([python_with(REQUIREMENTS), "-m", "openapi_spec_validator", "--schema", "3.1.0", "--errors", "all", str(file)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Answers(World):
    def test_are_what_the_document_says(self):
        document, file = self.document_with_names(), self.folder / "openapi.json"
        file.write_text(json.dumps(document))
        passed_over = [option for name in self.meant_to_fail(document) for option in ("--exclude-operation-id", name)]
        done = subprocess.run(
            [python_with(REQUIREMENTS), "-m", "schemathesis.cli", "--config-file", str(SETTINGS), "run", str(file), "--url", self.agentd.url, "--max-examples", EXAMPLES, "--seed", SEED,
             "-H", f"Authorization: Bearer {SECRET}", *passed_over],
            cwd=self.folder, capture_output=True, text=True, env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)})
        said = "\n".join(line[:600] for line in (done.stdout + done.stderr).splitlines())
        self.assertEqual(done.returncode, 0, said)
        self.assertIsNone(self.agentd.process.poll(), "the host is alive")


ROLES = ["none", "metrics", "viewer", "operator", "admin"]
TOKENS = {role: f"a-token-of-{role}" for role in ROLES[1:]}


class Roles(AgentdTest):
    def test_are_asked_for_as_the_document_says(self):
        listed = ", ".join(f'{{ name = "{role}", role = "{role}", token = "env:TOKEN_{role.upper()}" }}' for role in TOKENS)
        agentd = self.host(f"tokens = [{listed}]\n", worker='[task]\nnative = "disk_report"\n')
        agentd.start(**{f"TOKEN_{role.upper()}": token for role, token in TOKENS.items()})

        def ask(method, path, role=None):
            connection = http.client.HTTPConnection("127.0.0.1", agentd.port, timeout=PATIENCE)
            self.addCleanup(connection.close)
            connection.request(method, re.sub("{[a-z_]+}", "worker", path), headers={"Authorization": f"Bearer {TOKENS[role]}"} if role else {})
            answer = connection.getresponse()
            return answer.status, answer.read()

        document = json.loads(ask("GET", "/v1/openapi.json", "viewer")[1])
        asked = 0
        for path, item in document["paths"].items():
            for method, operation in item.items():
                least = operation["x-agentd-role"]
                with self.subTest(f"{method} {path}: {least}"):
                    if least in ("none", "metrics"):
                        self.assertNotIn(ask(method.upper(), path)[0], (401, 403))
                        continue
                    self.assertEqual(ask(method.upper(), path)[0], 401)
                    self.assertEqual(ask(method.upper(), path, ROLES[ROLES.index(least) - 1])[0], 403)
                    self.assertNotIn(ask(method.upper(), path, least)[0], (401, 403))
                    asked += 1
        self.assertGreater(asked, 30)


if __name__ == "__main__":
    unittest.main()
