"""What holds behind a proxy in front of a host, run with the configuration of its example: events come when they happen, requests, tokens and
webhooks come as they were sent, and what a browser on another site can be made to ask is refused."""
import base64
import hashlib
import hmac
import http.client
import json
import time

from agentd import PATIENCE
from proxies import NAME

SCRIPT = 'agent = [{ step = [{ say = "Said." }] }]\n'
TOKENS = {"VIEWER": "a-viewer-0123456789", "OPERATOR": "an-operator-0123456789", "METRICS": "a-scraper-0123456789"}
ACCESS = "tokens = [" + ", ".join(f'{{ name = "{name}", role = "{name.lower()}", token = "env:{name}" }}' for name in TOKENS) + "]\n"
CONFIG = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
WORKER = """
[model]
provider = "played"
model = "m"
[task]
query = "Look"
[limits]
queue_size = 1000
[[trigger]]
name = "signed"
on = "webhook"
verify = "standard"
secret = "env:HOOK"
[[trigger]]
name = "called"
on = "webhook"
verify = "bearer"
secret = "env:BEARER"
"""
SECRETS = {"HOOK": "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode(), "BEARER": "a-bearer-that-only-one-sender-knows"}
SIGN_OF_LIFE = 15  # seconds


def bearer(name):
    return {"Authorization": "Bearer " + TOKENS[name]}


class Stream:
    """The events of a host through a proxy, as they come."""

    def __init__(self, proxy, query="", **headers):
        self.connection = proxy.connect()
        self.connection.request("GET", f"/v1/events{query}", headers={"Host": NAME, "Accept": "text/event-stream", **bearer("VIEWER"), **headers})
        self.answer = self.connection.getresponse()
        self.line()

    def line(self):
        """The next that is not empty, and when it came."""
        while True:
            line = self.answer.readline()
            if not line:
                raise AssertionError("the stream has ended")
            if line.strip():
                return line.decode().strip(), time.monotonic()

    def event(self, kind):
        """(id, when it came) of the next of this type."""
        last = None
        while True:
            line, at = self.line()
            if line.startswith("id: "):
                last = line[4:]
            if line == f"event: {kind}":
                return last, at

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answer.close()
        self.connection.close()


class Behind:
    """What holds behind either, whose test says how it is put in front and what its timeouts are."""

    def setUp(self):
        super().setUp()
        self.agentd = self.host(ACCESS + CONFIG, worker=WORKER)
        (self.folder / "script.toml").write_text(SCRIPT)
        self.agentd.start(**SECRETS, **TOKENS)
        self.proxy = self.enter(self.put_in_front(self.folder / "proxy", self.agentd.port))
        install, self.look = self.proxy.reader.commands()
        self.proxy.reader.follow(install)
        self.proxy.start()

    def submit(self, **headers):
        status, text, _ = self.proxy.ask("POST", "/v1/agents/worker/runs", "{}", Content_Type="application/json", **{**bearer("OPERATOR"), **headers})
        self.assertEqual(status, 202, text)
        return json.loads(text)["run_id"]

    def test_answers_as_the_readme_says(self):
        self.assertRegex(self.proxy.reader.calls()[-1], "^systemctl reload (nginx|haproxy)$")
        said = self.proxy.reader.follow(self.look, AGENTD_API_TOKEN=TOKENS["VIEWER"])
        self.assertIn('"total_agents":1', said)
        self.assertIn('"type":"host_started"', said)

    def test_events_come_when_they_happen_and_go_on_where_a_client_left(self):
        with Stream(self.proxy) as stream:
            for _ in range(3):
                asked = time.monotonic()
                self.submit()
                left_at, came = stream.event("background_task_completed")
                self.assertLess(came - asked, 1)
        self.submit()
        with Stream(self.proxy, **{"Last-Event-ID": left_at}) as stream:
            self.assertGreater(stream.event("background_task_queued")[0], left_at)

    def test_a_stream_in_which_nothing_happens_has_a_sign_of_life(self):
        shortest = min(self.timeouts())
        self.assertGreaterEqual(shortest, 4 * SIGN_OF_LIFE)
        with Stream(self.proxy, "?type=host_stopped") as stream:
            began = time.monotonic()
            line, came = stream.line()
            self.assertEqual(line, ":")
            self.assertLess(came - began, SIGN_OF_LIFE * 2)

    def test_tokens_and_webhooks_come_as_they_were_sent(self):
        body = '{ "text":\t"Gr\u00fc\u00dfe  \u2603",\r\n\n "n": 1.50e2 }  '.encode()
        sent = str(int(time.time()))
        signature = hmac.new(base64.b64decode(SECRETS["HOOK"][6:]), f"msg_1.{sent}.".encode() + body, hashlib.sha256).digest()
        status, text, headers = self.proxy.ask("POST", "/v1/hooks/worker/signed", body, Content_Type="application/json", webhook_id="msg_1", webhook_timestamp=sent,
                                               webhook_signature="v1," + base64.b64encode(signature).decode())
        self.assertEqual(status, 202, text)
        self.assertTrue(headers["Location"].startswith("/v1/runs/"))
        self.assertEqual(self.proxy.ask("POST", "/v1/hooks/worker/called", "a=b", Content_Type="text/plain", Authorization="Bearer " + SECRETS["BEARER"])[0], 202)
        self.assertEqual(self.proxy.ask("POST", "/v1/hooks/worker/called", "a=b", Content_Type="text/plain", Authorization="Bearer other")[0], 401)

    def test_lets_in_by_tokens_and_refuses_other_names_and_pages_of_other_sites(self):
        def status(path="/v1/agents/worker/runs", method="POST", **headers):
            return self.proxy.ask(method, path, "{}" if method == "POST" else None, Content_Type="application/json", **headers)[0]
        self.submit(Origin=f"https://{NAME}")
        operator = bearer("OPERATOR")
        self.assertEqual([status(), status(**bearer("VIEWER")), status(Authorization="Bearer of-nobody-0123456789")], [401, 403, 401])
        self.assertEqual([status(**operator, Host=name) for name in ("evil.example.net", "127.0.0.1:8765")], [421, 421])
        self.assertEqual([status(**operator, Origin=origin) for origin in ("https://evil.example.net", "null", f"https://{NAME}.evil.example.net")], [403] * 3)
        self.assertEqual([status("/metrics", "GET"), status("/metrics", "GET", **bearer("METRICS")), status("/healthz", "GET")], [401, 200, 401])

    def test_lets_nobody_in_without_tokens(self):
        self.agentd.stop()
        config = self.folder / "agentd.toml"
        config.write_text(config.read_text().replace(ACCESS, ""))
        self.agentd.start(**SECRETS)
        for path in ("/v1/status", "/metrics", "/v1/events"):
            self.assertIn(self.proxy.ask("GET", path)[0], (403, 503), path)

    def test_sends_plain_http_to_https(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.http_port, timeout=PATIENCE)
        connection.request("GET", "/v1/status?limit=1", headers={"Host": NAME})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["Location"]), (308, f"https://{NAME}/v1/status?limit=1"))
        connection.close()

    def test_takes_batches_of_any_length(self):
        lines = (json.dumps({"query": "x" * 20_000}).encode() + b"\n" for _ in range(80))
        status, text, _ = self.proxy.ask("POST", "/v1/agents/worker/batches?batch=long", lines, Content_Type="application/x-ndjson", **bearer("OPERATOR"))
        self.assertEqual((status, len(text.splitlines())), (200, 80))
        self.assertEqual(self.proxy.ask("POST", "/v1/agents/worker/runs", "x" * (1 << 20 | 1), Content_Type="application/json", **bearer("OPERATOR"))[0], 413)
