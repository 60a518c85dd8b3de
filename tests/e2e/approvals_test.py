"""A call that needs a person waits for one: through a dead host, until somebody decides or the time is out."""
import json
import socket
import subprocess
import unittest

from agentd import AGENTD, PATIENCE, AgentdTest, until

WRITER = """
[model]
provider = "played"
model = "m"
[task]
query = "Write it down."
[tools]
allow = ["fs.stat"]
ask = ["fs.write_file"]
"""

SCRIPT = """
agent = [
  { match = "sly", step = [{ call = [{ tool = "fs.write_file", arguments = { path = "$file", text = "A \\u202elong\\n$long" } }] }, { say = "Done." }] },
  { match = "two", step = [{ call = [{ tool = "fs.write_file", arguments = { path = "$file", text = "1" } }, { tool = "fs.write_file", arguments = { path = "$file2", text = "2" } }] }, { say = "Done." }] },
  { step = [{ call = [{ tool = "fs.stat", arguments = { path = "$folder" } }, { tool = "fs.write_file", arguments = { path = "$file", text = "\\u001b[31mred" } }] }, { say = "Done." }] },
]
"""


class Approvals(AgentdTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.data.mkdir()
        self.file = self.data / "note.txt"
        script = SCRIPT.replace("$file2", str(self.data / "second.txt")).replace("$file", str(self.file)).replace("$folder", str(self.data)).replace("$long", "\\u001b[31mtext " * 100)
        (self.folder / "script.toml").write_text(script)
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n[toolsets.fs]\nroots = ["data"]\n',
                                writer=WRITER, hasty=WRITER + 'approval_timeout = "1s"\n')

    def listed(self):
        return json.loads(self.agentd.cli("approvals", "list", "--json").stdout)["approvals"]

    def parked(self, agent="writer", **asked):
        run_id = self.agentd.submit(agent, **asked)
        until("the run waits", lambda: self.agentd.run_status(run_id) == "waiting")
        return run_id

    def events(self, run_id, kind):
        return [event["payload"] for event in self.agentd.get(f"/v1/events?run={run_id}&type={kind}")["events"]]

    def outcomes(self, run_id):
        return [step["outcome"] for step in self.agentd.get(f"/v1/runs/{run_id}/steps")["steps"] if step["name"] == "fs.write_file"]

    def pending(self):
        return [line.split()[1] for line in self.agentd.request("GET", "/metrics")[1].splitlines() if line.startswith("agentd_approvals_pending ")]

    def test_however_many_wait_for_a_run_somebody_can_decide(self):
        self.agentd.start()
        run_id = self.parked()
        waiting = [self.enter(socket.create_connection(("127.0.0.1", self.agentd.port), timeout=PATIENCE)) for _ in range(300)]
        for n, one in enumerate(waiting):
            one.sendall(f"GET /v1/runs/{run_id}?wait=60 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            if n % 100 == 0:
                self.agentd.get(f"/v1/runs/{run_id}")  # not all at once: each is looked up before it waits
        self.agentd.cli("approvals", "approve", self.listed()[0]["call_id"])
        for one in waiting:
            self.assertIn(b'"status":"completed"', b"".join(iter(lambda: one.recv(65536), b"")))
        self.assertEqual(self.file.read_text(), "\x1b[31mred")

    def test_who_waits_for_a_run_is_told_once_what_it_waits_for(self):
        self.agentd.start()
        told = self.folder / "told"
        with told.open("w") as err:
            waiting = subprocess.Popen([str(AGENTD), "agents", "run", "writer", "--query", "two", "--wait"], stdout=subprocess.DEVNULL, stderr=err,
                                       env=self.agentd.environment())
            until("the command says what the run waits for", lambda: told.read_text().count("\n") == 2)
            first, second = self.listed()
            self.agentd.cli("approvals", "approve", first["call_id"])
            self.agentd.cli("approvals", "approve", second["call_id"])
            self.assertEqual(waiting.wait(30), 0)
        self.assertEqual(told.read_text(), "".join(
            f"agentd: run {one['run_id']} waits for a person to allow fs.write_file: agentd approvals approve {one['call_id']}\n" for one in (first, second)))

    def test_a_call_is_approved_after_the_host_was_killed(self):
        self.agentd.start()
        self.assertEqual(self.pending(), ["0"])
        run_id = self.parked()
        self.assertEqual(self.agentd.get(f"/v1/runs/{run_id}")["waiting_for"], "approval")
        before = self.listed()
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual(self.pending(), ["1"])
        self.assertEqual(self.listed(), before)
        [asked] = before
        self.assertEqual((asked["run_id"], asked["agent_id"], asked["tool"], asked["arguments"]["path"]), (run_id, "writer", "fs.write_file", str(self.file)))
        self.assertFalse(self.file.exists())
        table = self.agentd.cli("approvals", "list").stdout
        self.assertIn(asked["call_id"], table)
        self.assertNotIn("\x1b", table)

        self.agentd.cli("approvals", "approve", asked["call_id"], "--by", "ops", "--reason", "fine", "--hash", asked["arguments_hash"])
        self.assertEqual(self.agentd.wait_run(run_id)["status"], "completed")
        self.assertEqual(self.file.read_text(), "\x1b[31mred")
        self.assertEqual(self.outcomes(run_id), ["approve", "ok"])
        self.assertEqual([event["call_id"] for event in self.events(run_id, "tool_call_started") if event["tool"] == "fs.write_file"], [asked["call_id"]])
        [requested] = self.events(run_id, "approval_requested")
        [decided] = self.events(run_id, "approval_decided")
        self.assertEqual((requested["arguments"], requested["expires_at"]), (asked["arguments"], asked["expires_at"]))
        self.assertEqual((decided["decision"], decided["by"], decided["reason"]), ("approve", "ops", "fine"))
        self.assertEqual((self.listed(), self.pending()), ([], ["0"]))

        again = self.agentd.cli("approvals", "deny", asked["call_id"], check=False)
        self.assertEqual((again.returncode, again.stdout), (1, ""))
        self.assertRegex(again.stderr, "it was approved at .* by ops: fine")

    def test_a_denial_is_told_to_the_model(self):
        self.agentd.start()
        run_id = self.parked()
        self.agentd.cli("approvals", "deny", self.listed()[0]["call_id"], "--reason", "not today")
        self.assertEqual(self.agentd.wait_run(run_id)["status"], "completed")
        self.assertEqual(self.outcomes(run_id), ["deny", "denied"])
        self.assertFalse(self.file.exists())

    def test_nobody_in_time_is_a_denial(self):
        self.agentd.start()
        run_id = self.agentd.submit("hasty")
        self.assertEqual(self.agentd.wait_run(run_id)["status"], "completed")
        self.assertEqual(self.outcomes(run_id), ["timeout", "denied"])
        self.assertEqual([event["decision"] for event in self.events(run_id, "approval_decided")], ["timeout"])
        self.assertFalse(self.file.exists())

    def test_two_calls_of_a_step_are_decided_one_after_the_other(self):
        self.agentd.start()
        run_id = self.parked(query="two")
        first, second = [asked["call_id"] for asked in self.listed()]
        page = self.agentd.get("/v1/approvals?limit=1")
        self.assertEqual([asked["call_id"] for asked in page["approvals"]], [first])
        self.assertEqual([asked["call_id"] for asked in self.agentd.get(f"/v1/approvals?limit=1&cursor={page['next']}")["approvals"]], [second])
        self.agentd.cli("approvals", "approve", second)
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual([asked["call_id"] for asked in self.listed()], [first])
        self.assertEqual(self.agentd.run_status(run_id), "waiting")
        self.agentd.cli("approvals", "deny", first)
        self.assertEqual(self.agentd.wait_run(run_id)["status"], "completed")
        self.assertEqual([file.name for file in self.data.iterdir()], ["second.txt"])

    def test_a_question_is_shown_whole_and_so_is_its_answer(self):
        self.agentd.start()
        run_id = self.parked(query="sly")
        call = f"{run_id}/1/0"
        arguments = {"path": str(self.file), "text": "A \u202elong\n" + "\x1b[31mtext " * 100}
        for path in (call, call.replace("/", "%2F")):
            asked = self.agentd.get(f"/v1/approvals/{path}")
            self.assertEqual((asked["call_id"], asked["agent_id"], asked["tool"], asked["effect"], asked["arguments"]), (call, "writer", "fs.write_file", "idempotent", arguments))
            self.assertEqual((asked["is_open"], asked["decision"], asked["decided_at"]), (True, None, None))
        self.assertEqual({name: asked[name] for name in self.listed()[0]}, self.listed()[0])
        self.assertEqual(json.loads(self.agentd.cli("approvals", "show", call, "--json").stdout), asked)

        facts, shown = self.agentd.cli("approvals", "show", call).stdout.split("\narguments\n")
        self.assertEqual(json.loads(shown), arguments)
        self.assertTrue(shown.isascii() and "\x1b" not in shown and shown.count("\n") == 4, shown)
        facts = dict(line.split("\t") for line in facts.splitlines())
        self.assertEqual((facts["call"], facts["run"], facts["effect"], facts["requested"], facts["arguments hash"]), (call, run_id, "idempotent", asked["requested_at"], asked["arguments_hash"]))
        self.assertEqual((facts["if denied"], facts["if nobody decides"]), ("it is not made; the model is told by whom and why, and the run goes on", f"as if denied, {asked['expires_at']}"))

        self.agentd.cli("approvals", "deny", call, "--by", "ops", "--reason", "not today")
        self.agentd.wait_run(run_id)
        decided = self.agentd.get(f"/v1/approvals/{call}")
        self.assertEqual((decided["is_open"], decided["decision"], decided["by"], decided["reason"]), (False, "deny", "ops", "not today"))
        self.assertIn(f"decision\tdenied {decided['decided_at']} by ops: not today\n", self.agentd.cli("approvals", "show", call).stdout)

    def test_a_question_that_nobody_asked_is_not_there(self):
        self.agentd.start()
        run_id = self.parked()
        for call, why in ((f"{run_id}/1/0", "nobody was asked about such a call"), ("1-0000000/1/0", "there is no such run"), ("nonsense", "is not the id of a call")):
            shown = self.agentd.cli("approvals", "show", call, check=False)
            self.assertEqual((shown.returncode, shown.stdout), (1, ""))
            self.assertIn(why, shown.stderr)

    def test_what_cannot_be_decided_is_refused(self):
        self.agentd.start()
        run_id = self.parked()
        [asked] = self.listed()
        def post(path, **body):
            return self.agentd.request("POST", "/v1/approvals/" + path, body)[0]
        self.assertEqual(post(f"{run_id}/1/0/approve"), 404)
        self.assertEqual(post("nonsense/approve"), 404)
        self.assertEqual(post(f"{asked['call_id']}/approve", arguments_hash="0" * 64), 409)
        self.assertEqual(post(f"{asked['call_id']}/approve", by=1), 422)
        self.assertEqual(post(f"{asked['call_id']}/approve", nonsense=1), 422)
        encoded = asked["call_id"].replace("/", "%2F")
        self.assertEqual(post(f"{encoded}/deny"), 200)
        self.assertEqual(post(f"{asked['call_id']}/approve"), 409)

    def test_one_run_without_a_server_cannot_ask(self):
        done = self.agentd.cli("run", "agents/writer.toml", "--config", "agentd.toml")
        self.assertEqual(done.stdout, "Done.\n")
        self.assertIn("fs.write_file was not called: it is in tools.ask, and `agentd run` cannot ask a person", done.stderr)
        self.assertFalse(self.file.exists())

    def test_a_dry_run_asks_nobody(self):
        done = self.agentd.cli("run", "agents/writer.toml", "--config", "agentd.toml", "--dry-run")
        self.assertIn("dry run: would call fs.write_file", done.stdout)


if __name__ == "__main__":
    unittest.main()
