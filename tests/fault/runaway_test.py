"""What runs away is stopped: a tool that ignores its cancel, an answer that never ends, a plugin that takes the host down."""
import datetime
import http.server
import json
import subprocess
import threading
import time
import unittest

from agentd import AGENTD, AgentdTest, openai, until

AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "Go."
timeout = "2s"
[retry]
max_retries = 0
[tools]
allow = ["stubborn.*"]
[limits]
tool_call_timeout = "10m"
"""


class Trickle:
    """Answers every request with a body that never ends, a piece every fifth of a second."""

    def __init__(self, streamed):
        self.asked = []
        trickle = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                trickle.asked.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                delta = 'data: {"choices":[{"index":0,"delta":{"content":"more "},"finish_reason":null}]}\n\n' if streamed else " "
                try:
                    while True:
                        self.wfile.write(f"{len(delta):x}\r\n{delta}\r\n".encode())
                        time.sleep(0.2)
                except OSError:
                    pass  # the host has had enough

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Runaway(AgentdTest):
    def ended(self, host, agent="agent"):
        run_id = host.submit(agent)
        until("the run has ended", lambda: host.run_status(run_id) not in ("queued", "running"))
        return host.get(f"/v1/runs/{run_id}")

    def check_timed_out(self, host):
        run = self.ended(host)
        self.assertEqual((run["status"], run["error_class"]), ("timed_out", "timeout"))
        took = self.seconds(run["finished_at"]) - self.seconds(run["started_at"])
        self.assertGreaterEqual(took, 1.9)
        self.assertLess(took, 3)  # by the ledger's own clock: within a second of the timeout

    @staticmethod
    def seconds(instant):
        return datetime.datetime.fromisoformat(instant.replace("Z", "+00:00")).timestamp()

    def test_a_tool_that_ignores_its_cancel(self):
        model = self.endpoint(tool="stubborn__sleep")
        host = self.host(openai(model), agent=AGENT)
        host.start()
        for _ in range(3):
            self.check_timed_out(host)

    def test_a_tool_whose_child_ignores_sigterm(self):
        model = self.endpoint(tool="stubborn__child")
        host = self.host(openai(model), agent=AGENT)
        host.start()
        self.check_timed_out(host)
        self.assertEqual(host.request("GET", "/healthz")[0], 200)

    def test_an_answer_that_never_ends(self):
        host = self.host(openai(self.enter(Trickle(streamed=False))), agent=AGENT)
        host.start()
        self.check_timed_out(host)

    def test_a_stream_that_never_ends(self):
        endpoint = self.enter(Trickle(streamed=True))
        host = self.host(openai(endpoint), agent=AGENT)
        host.start()
        command = [str(AGENTD), "events", "--follow", "--json", "--type", "model_delta", "--type", "host_started", "--since", "0000000000000000-000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=host.environment()) as follower:
            try:
                follower.stdout.readline()  # it is there: what the model says is streamed for it
                self.check_timed_out(host)
            finally:
                follower.kill()
        self.assertIn('"stream":true', endpoint.asked[0])

    def test_a_plugin_that_takes_the_host_down(self):
        model = self.endpoint(tool="stubborn__crash")
        host = self.host(openai(model), agent=AGENT, other=AGENT.replace('"stubborn.*"', '"system.load"'))
        host.start()
        host.request("POST", "/v1/agents/agent/runs", {"key": "only"})
        host.wait_dead()
        for _ in range(2):
            host.start(wait=False)
            host.wait_dead()
        host.start()  # the fourth
        [run] = host.get("/v1/runs?agent=agent")["runs"]
        until("it is in quarantine", lambda: host.run_status(run["run_id"]) == "quarantined")
        self.assertEqual([kept["run_id"] for kept in json.loads(host.cli("quarantine", "list", "--json").stdout)["quarantine"]], [run["run_id"]])
        time.sleep(1)
        self.assertEqual(host.request("GET", "/healthz")[0], 200)


if __name__ == "__main__":
    unittest.main()
