"""Batches: many runs asked for at once, sent as the queue has room, taken once, looked after to the last."""
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import unittest

from agentd import AGENTD, SOURCE, AgentdTest, Endpoint, openai, until

WORKER = """
[model]
provider = "played"
model = "m"
[task]
query = "say"
output_schema = "object.schema.json"
[retry]
max_retries = 0
[limits]
queue_size = 5
max_concurrent = 2
"""

SCRIPT = """
agent = [
  { match = "poison", step = [{ say = "no JSON" }] },
  { match = "The answer must be", step = [{ say = "no JSON" }, { say = "no JSON" }] },
  { match = "slow", step = [{ delay = "59m", say = "{}" }] },
  { step = [{ say = '{"said": true }' }] },
]
"""


class Batch(AgentdTest):
    def setUp(self):
        super().setUp()
        (self.folder / "script.toml").write_text(SCRIPT)
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', worker=WORKER)
        (self.folder / "agents" / "object.schema.json").write_text('{"type": "object"}')
        self.agentd.start()

    def items(self, *items, name="items.jsonl"):
        (self.folder / name).write_text("".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items))
        return name

    def submit(self, *arguments, check=True):
        return self.agentd.cli("batch", "submit", "worker", *arguments, check=check)

    def post(self, text, name, content_type="application/jsonl"):
        connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", f"/v1/agents/worker/batches?batch={name}", text, {"Content-Type": content_type})
        answer = connection.getresponse()
        body = answer.read().decode()
        return answer, [json.loads(line) for line in body.splitlines()]

    def test_what_changes_while_it_comes_holds_for_the_rest(self):
        """Nothing of an agent that was deleted works on in its name."""
        manifest = lambda model: {"agent_id": "late", "model": {"provider": "played", "model": model}, "task": {"query": "say"}}
        self.assertEqual(self.agentd.request("POST", "/v1/agents", manifest("old"))[0], 201)
        items = [b'{"key": "%d"}\n' % n for n in range(128)]
        with socket.create_connection(("127.0.0.1", self.agentd.port), timeout=60) as sending:
            sending.sendall(b"POST /v1/agents/late/batches?batch=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/jsonl\r\nContent-Length: %d\r\n\r\n" % sum(map(len, items)))
            sending.sendall(b"".join(items[:64]))
            until("the first have come", lambda: len(self.agentd.get("/v1/runs?agent=late&limit=1000")["runs"]) == 64)
            self.assertEqual(self.agentd.request("DELETE", "/v1/agents/late")[0], 200)
            self.assertEqual(self.agentd.request("POST", "/v1/agents", manifest("new"))[0], 201)
            sending.sendall(b"".join(items[64:]))
            self.assertIn(b"200 OK", b"".join(iter(lambda: sending.recv(65536), b"")))
        until("all have ended", lambda: self.agentd.get("/v1/batches/late.b")["status"] == "ended")
        last = next(run for run in self.agentd.get("/v1/runs?agent=late&limit=1000")["runs"] if run["key"].endswith("/127"))
        self.assertEqual([step["name"] for step in self.agentd.get(f"/v1/runs/{last['run_id']}/steps")["steps"]], ["played/new"])

    def runs(self):
        return [run for run in self.agentd.get("/v1/runs?limit=1000")["runs"] if run["trigger"] == "batch"]

    def test_sends_as_the_queue_has_room_and_what_was_sent_once_more_is_known(self):
        file = self.items(*({"key": f"k{i:02}", "params": {"n": i}} for i in range(20)), "", {"query": "without a key"})
        done = self.submit(file, "--wait").stdout.splitlines()
        self.assertRegex(done[0], "^sent 5 of 21, ")
        self.assertRegex(done[-1], r"^worker\.[0-9a-f]{12}: 21 items: 21 done, 0 failed, 0 quarantined; [1-9]\d* tokens, \$0\.0000, \d+\.\d s$")
        again = json.loads(self.submit(file, "--wait", "--json").stdout)
        self.assertEqual((again["items"], again["completed"], again["status"]), (21, 21, "ended"))
        self.assertEqual(len(self.runs()), 21)
        batch = done[-1].split(":")[0]
        shown = json.loads(self.agentd.cli("batch", "show", batch, "--json").stdout)["item_list"]
        self.assertEqual([item["key"] for item in shown], ["#0000022"] + [f"k{i:02}" for i in range(20)])
        self.assertEqual(shown[1]["result"], {"said": True})
        run = self.agentd.get(f"/v1/runs/{shown[3]['run_id']}")
        self.assertEqual((run["trigger"], run["params"]), ("batch", {"n": 2}))
        self.assertIn(batch, self.agentd.cli("batch", "list", "--agent", "worker").stdout)

    def test_draws_a_bar_on_a_terminal_and_leaves_the_summary(self):
        file = self.items(*({"key": f"k{i}"} for i in range(8)))
        ours, theirs = os.openpty()
        submit = subprocess.Popen([str(AGENTD), "batch", "submit", "worker", file, "--wait", "--name", "bar"], cwd=self.folder, env=self.agentd.environment(), stdout=theirs)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError), os.fdopen(ours, "rb", buffering=0) as terminal:  # a terminal that nobody holds is an error
            while piece := terminal.read(1024):
                shown += piece
        self.assertEqual(submit.wait(), 0)
        drawn = shown.decode().split("\r\x1b[K")
        self.assertRegex(drawn[1], r"^\[[#.]{24}\] sent ")
        self.assertRegex(drawn[-1].strip(), r"^worker\.bar: 8 items: 8 done, ")

    def test_sends_nothing_of_what_is_no_file(self):
        os.mkfifo(self.folder / "pipe")
        self.addCleanup(os.close, os.open(self.folder / "pipe", os.O_RDWR))
        refused = self.submit("pipe", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("is no regular file", refused.stderr)

    def test_sends_nothing_of_a_file_with_a_line_that_is_wrong(self):
        file = self.items({"key": "a"}, "", {"key": "a"}, "nonsense", {"kee": 1})
        refused = self.submit(file, check=False)
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertEqual([line.split(": ")[0] for line in refused.stderr.splitlines()[:3]], [f"{file}:{n}" for n in (3, 4, 5)])
        self.assertEqual(self.submit(self.items(name="empty.jsonl"), check=False).returncode, 2)
        self.assertEqual(self.runs(), [])

    def test_puts_what_fails_into_quarantine_while_the_rest_goes_on(self):
        file = self.items({"key": "1"}, {"key": "2", "query": "poison"}, {"key": "3"})
        done = self.submit(file, "--wait", "--name", "mixed", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout.splitlines()[-1], r"^worker\.mixed: 3 items: 2 done, 0 failed, 1 quarantined; ")
        run, = self.agentd.get("/v1/quarantine")["quarantine"]
        self.assertEqual((run["key"], run["error_class"]), ("batch:mixed/2", "schema"))
        self.agentd.cli("quarantine", "edit", run["run_id"], "--query", "say it")
        self.agentd.cli("quarantine", "retry", run["run_id"])
        self.assertEqual(self.agentd.wait_run(run["run_id"])["status"], "completed")
        self.assertRegex(self.submit(file, "--wait", "--name", "mixed").stdout.splitlines()[-1], "3 done, 0 failed, 0 quarantined")
        self.assertEqual(len(self.runs()), 3)

    def test_takes_a_body_of_any_length_a_line_for_a_line(self):
        answer, told = self.post('{"key":"a"}\n\n{"key":1}\nx\n{"key":"a"}', "wrong")
        self.assertEqual([(line["line"], line.get("status"), line.get("duplicate")) for line in told], [(1, None, False), (3, 422, None), (4, 422, None), (5, None, True)])
        self.agentd.wait_run(told[0]["run_id"])
        lines = [json.dumps({"key": f"k{i}", "query": "slow", "params": {"text": "x" * 100_000}}) for i in range(30)]
        answer, told = self.post("\n".join(lines), "long")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Location"), "/v1/batches/worker.long")
        taken = [line for line in told if "run_id" in line]
        self.assertIn(len(taken), (5, 6, 7))  # the queue, and what runs
        self.assertEqual([line["line"] for line in told], list(range(1, 31)))
        self.assertEqual({line["status"] for line in told[len(taken):]}, {429})
        answer, told = self.post("\n".join(lines[len(taken):]), "long")
        if not any("run_id" in line for line in told):
            self.assertEqual((answer.status, answer.getheader("Retry-After")), (429, "1"))
        batch = self.agentd.get("/v1/batches/worker.long")
        self.assertEqual(batch["status"], "running")

        answer, told = self.post("x" * (3 << 20), "one-line")
        self.assertEqual((answer.status, told[0]["status"]), (413, 413))
        answer, told = self.post("1\n" * 30_000, "wrong")
        self.assertEqual((len(told), told[-1]["line"], told[-1]["status"]), (10_001, 10_001, 413))
        self.assertEqual(self.post("{}", f"x&from={2**63 - 1}")[0].status, 400)
        self.assertEqual(self.post("{}", "a b".replace(" ", "%20"))[0].status, 400)
        self.assertEqual(self.post("{}", "t", "text/plain")[0].status, 415)
        self.assertEqual(self.agentd.request("GET", "/v1/batches/worker.none")[0], 404)
        status, text = self.agentd.request("POST", "/v1/agents/worker/runs", {"key": "batch:long/x"})
        self.assertEqual(status, 422, text)

    def test_takes_nothing_for_an_agent_that_was_stopped_while_the_items_came(self):
        def body():
            yield b'{"key": "a", "query": "x"}\n'
            self.assertEqual(self.agentd.request("POST", "/v1/agents/worker/stop")[0], 200)
            yield b'{"key": "b", "query": "x"}\n'

        answer, lines = self.post(body(), "late")
        self.assertEqual((answer.status, [(line["key"], line["status"]) for line in lines]), (409, [("a", 409), ("b", 409)]))
        self.assertIn("was stopped while the items came", lines[0]["error"])
        self.assertEqual(self.runs(), [])

    def test_waits_for_a_provider_that_is_down(self):
        self.agentd.stop()
        model = self.enter(Endpoint(self.folder, fail="*=401"))
        self.agentd.configure(openai(model), worker=WORKER.replace('"played"', '"openai"'))
        self.agentd.start()
        self.submit(self.items({"key": "1"}, {"key": "2"}, {"key": "3"}), "--name", "down")
        waiting = lambda: self.agentd.get("/v1/batches/worker.down")["waiting"] == 3
        until("all items wait", waiting)
        self.assertEqual({run["waiting_for"] for run in self.runs()}, {"provider"})
        self.assertEqual(self.agentd.get("/v1/quarantine")["quarantine"], [])

    def test_the_example_reads_five_texts(self):
        self.agentd.stop()
        example = self.folder / "example"
        shutil.copytree(SOURCE / "examples" / "batch", example)
        self.agentd.process = subprocess.Popen([str(AGENTD), "serve", "--config", str(example / "agentd.toml"), "--listen", f"127.0.0.1:{self.agentd.port}"],
                                               env=self.agentd.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.agentd.wait_ready()
        done = self.agentd.cli("batch", "submit", "reader", str(example / "items.jsonl"), "--wait").stdout.splitlines()[-1]
        self.assertRegex(done, r": 5 items: 5 done, 0 failed, 0 quarantined; ")
        items = json.loads(self.agentd.cli("batch", "show", done.split(":")[0], "--json").stdout)["item_list"]
        results = {item["key"]: item["result"] for item in items}
        self.assertEqual({key: result["task"] for key, result in results.items()},
                         {"entities-1": "entities", "sentiment-1": "sentiment", "sentiment-2": "sentiment", "summary-1": "summarise", "summary-2": "summarise"})
        self.assertGreater(results["sentiment-1"]["confidence"], 0.5)


if __name__ == "__main__":
    unittest.main()
