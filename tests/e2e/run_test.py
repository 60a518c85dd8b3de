"""One agent, run for real: the CLI, the steps, the metrics and the events tell the same story."""
import http.server
import json
import re
import subprocess
import threading
import unittest

from agentd import AGENTD, WATCHER, AgentdTest, openai, until


class Hasty(http.server.BaseHTTPRequestHandler):
    """A host that answers at once, however long it was asked to wait."""
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({"run_id": "1-aaaaaaa", "duplicate": False})

    def do_GET(self):
        self.server.asked += 1
        self.answer({"run_id": "1-aaaaaaa", "status": "running"})

    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Wait(AgentdTest):
    def test_a_host_that_answers_at_once_is_not_asked_in_a_tight_loop(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hasty)
        server.asked = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        for command in (["agents", "run", "a", "--wait"], ["runs", "replay", "1-aaaaaaa"]):
            server.asked = 0
            client = subprocess.Popen([AGENTD, *command, "--url", f"http://127.0.0.1:{server.server_port}"], stdout=subprocess.DEVNULL)
            until("it asks", lambda: server.asked > 0)
            with self.assertRaises(subprocess.TimeoutExpired):
                client.wait(2)
            client.kill()
            client.wait()
            self.assertLessEqual(server.asked, 10)


class Run(AgentdTest):
    def setUp(self):
        super().setUp()
        self.model = self.endpoint(tool="system__load", text="The load is fine.")
        self.agentd = self.host(openai(self.model), watcher=WATCHER)
        self.agentd.start()

    def metric(self, name, **labels):
        """The sum over the series that have these labels."""
        _, text = self.agentd.request("GET", "/metrics")
        total = 0.0
        for line in text.splitlines():
            match = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
                total += float(match[2])
        return total

    def test_one_story_told_four_times(self):
        done = self.agentd.cli("agents", "run", "watcher", "--wait")
        self.assertEqual(done.stdout, "The load is fine.\n")

        runs = json.loads(self.agentd.cli("runs", "list", "--json").stdout)["runs"]
        self.assertEqual([run["status"] for run in runs], ["completed"])
        run_id = runs[0]["run_id"]
        steps = self.agentd.cli("runs", "show", run_id, "--steps").stdout
        self.assertEqual(len(re.findall(r"\bmodel\b", steps)), 2, steps)
        self.assertEqual(len(re.findall(r"\bsystem\.load\b", steps)), 1, steps)

        self.assertEqual(self.metric("agentd_runs_total", agent="watcher", outcome="completed"), 1)
        self.assertEqual(self.metric("agentd_model_calls_total", provider="openai", model="test", outcome="ok"), 2)
        self.assertEqual(self.metric("agentd_tool_calls_total", tool="system.load", outcome="ok"), 1)

        events = self.agentd.get(f"/v1/events?run={run_id}")["events"]
        self.assertEqual([event["type"] for event in events], [
            "background_task_queued", "background_task_started", "background_agent_status", "model_call_started", "model_call_completed",
            "tool_call_started", "tool_call_completed", "model_call_started", "model_call_completed", "background_task_completed", "background_agent_status"])
        self.assertEqual([event["id"] for event in events], sorted(event["id"] for event in events))
        self.assertEqual(events[-2]["payload"]["result"], "The load is fine.")
        self.assertEqual(len(self.model.journal("asked")), 2)

    def test_a_key_is_one_run(self):
        first = json.loads(self.agentd.request("POST", "/v1/agents/watcher/runs", {"key": "k"})[1])
        again = json.loads(self.agentd.request("POST", "/v1/agents/watcher/runs", {"key": "k"})[1])
        self.assertEqual((first["duplicate"], again["duplicate"]), (False, True))
        self.assertEqual(first["run_id"], again["run_id"])

    def test_words_that_miss_are_told_with_what_was_near(self):
        run_id = self.agentd.submit("watcher")
        position = run_id.split("-")[0]
        for command, says in ((("runs", "list", "--agent", "watchr"), 'there is no agent "watchr"; did you mean "watcher"?'), (("agents", "run", "watchr"), 'there is no agent "watchr"; did you mean "watcher"?'),
                              (("runs", "list", "--agent", "watchr", "--status", "failed"), 'there is no agent "watchr"'), (("runs", "list", "--status", "done"), '"done" is not a run\'s status; there is queued, running, waiting, completed, '),
                              (("runs", "show", position), f'there is no run "{position}"; did you mean "{run_id}"?'), (("runs", "cancel", position), f'did you mean "{run_id}"?'), (("runs", "show", "999999"), 'there is no run "999999"\n')):
            with self.subTest(command):
                done = self.agentd.cli(*command, check=False)
                self.assertIn(says, done.stderr)
                self.assertEqual((done.returncode, done.stdout), (2 if "done" in command else 1, ""))
        self.assertEqual(self.agentd.cli("runs", "list", "--agent", "watcher", "--status", "dropped").stdout, "")

    def test_a_key_cannot_take_the_place_of_a_slot(self):
        status, text = self.agentd.request("POST", "/v1/agents/watcher/runs", {"key": "watcher@2030-01-01T00:00:00Z"})
        self.assertEqual(status, 422, text)

    def test_the_state_folder_is_closed_to_others(self):
        self.agentd.stop()
        self.agentd.state.chmod(0o777)
        self.agentd.start()
        self.assertEqual(self.agentd.state.stat().st_mode & 0o777, 0o700)

    def test_drains_on_sigterm(self):
        self.agentd.submit("watcher")
        self.assertEqual(self.agentd.stop(), 0, self.agentd.log())


class BadProvider(AgentdTest):
    def outcome(self, **endpoint):
        model = self.endpoint(tool="system__load", **endpoint)
        host = self.host(openai(model), watcher=WATCHER + "[retry]\nmax_retries = 0\n")
        host.start()
        run = host.wait_run(host.submit("watcher"))
        self.requests = len(model.journal("asked"))
        return run

    def test_a_500_is_tried_again(self):
        self.assertEqual(self.outcome(fail="1=500")["status"], "completed")
        self.assertEqual(self.requests, 3)

    def test_retry_after_is_read(self):
        self.assertEqual(self.outcome(fail="1=429:1")["status"], "completed")

    def test_a_400_is_terminal(self):
        run = self.outcome(fail="*=400")
        self.assertEqual((run["status"], run["error_class"], self.requests), ("failed", "terminal", 1))

    def test_html_half_a_body_and_nothing_are_tried_again(self):
        for how in ("html", "half", "nothing"):
            with self.subTest(how=how):
                self.setUp()
                self.assertEqual(self.outcome(fail=f"1={how}")["status"], "completed")

    def test_the_model_is_told_of_bad_arguments(self):
        for how in ("badargs", "wrongargs"):
            with self.subTest(how=how):
                self.setUp()
                self.assertEqual(self.outcome(fail=f"1={how}")["status"], "completed")

    def test_refused_credentials_wait_for_the_operator(self):
        model = self.endpoint(tool="system__load", fail="*=401")
        host = self.host(openai(model), watcher=WATCHER)
        host.start()
        run_id = host.submit("watcher")
        from agentd import until
        run = until("the run waits", lambda: (lambda r: r if r["status"] == "waiting" else None)(host.get(f"/v1/runs/{run_id}")))
        self.assertEqual(run["waiting_for"], "provider")


class Stopped(AgentdTest):
    def test_takes_no_run_by_hand(self):
        agentd = self.host(openai(self.endpoint(text="Fine.")), watcher=WATCHER, idler="enabled = false\n" + WATCHER)
        agentd.start()
        status, text = agentd.request("POST", "/v1/agents/idler/runs", {})
        self.assertEqual(status, 409, text)
        self.assertIn('agent "idler" is stopped', json.loads(text)["detail"])
        self.assertEqual(agentd.get("/v1/runs")["runs"], [])
        refused = agentd.cli("agents", "run", "idler", check=False)
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("set enabled = true in agents/idler.toml", refused.stderr)


if __name__ == "__main__":
    unittest.main()
