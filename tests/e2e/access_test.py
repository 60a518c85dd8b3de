"""Who may come in: tokens with roles, TLS, and what a browser or a proxy may say."""
import http.client
import http.server
import json
import os
import signal
import subprocess
import threading
import time
import unittest

from agentd import AGENTD, AgentdTest, free_port, until

ROLES = ("metrics", "viewer", "operator", "admin")
TOKENS = {role: f"{role}-0123456789abcdef" for role in ROLES}
SECTION = "tokens = [" + ", ".join(f'{{ name = "{role}s", role = "{role}", token = "env:TOKEN_{role.upper()}" }}' for role in ROLES) + "]\n"
VARIABLES = {f"TOKEN_{role.upper()}": token for role, token in TOKENS.items()}
AGENT = '[task]\nnative = "disk_report"\n'


def make_certificate(folder, name="localhost"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/k.new", "-out", f"{folder}/c.new", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)


class QuietHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Access(AgentdTest):
    def serve(self, api="", **more):
        self.agentd = self.host(api, worker=AGENT)
        return self.agentd

    def ask(self, method, path, token=None, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=30)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def with_tokens(self):
        self.serve(SECTION)
        self.agentd.start(wait=False, **VARIABLES)
        self.agentd.wait_ready()

    def test_each_role_may_do_what_those_before_it_may_and_nothing_more(self):
        self.with_tokens()
        takes = [("GET", "/metrics", "metrics"), ("GET", "/v1/status", "viewer"), ("GET", "/v1/events", "viewer"), ("POST", "/v1/agents/worker/pause", "operator"),
                 ("POST", "/v1/agents/worker/resume", "operator"), ("POST", "/v1/agents/worker/runs", "operator"), ("POST", "/v1/agents/worker/batches", "operator"),
                 ("DELETE", "/v1/runs/1-aaaaaaa", "admin"), ("POST", "/-/reload", "admin"), ("POST", "/v1/ledger/backup", "admin")]
        for method, path, least in takes:
            for role in ROLES:
                with self.subTest(path=path, role=role):
                    status = self.ask(method, path, TOKENS[role], {} if method == "POST" else None).status
                    self.assertEqual(status == 403, ROLES.index(role) < ROLES.index(least), status)
                    self.assertNotEqual(status, 401)

    def test_without_a_token_only_this_machine_hears_that_the_host_lives(self):
        self.with_tokens()
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(self.ask("GET", path).status, 200)
            self.assertEqual(self.ask("GET", path, Host="agentd.example").status, 401, "a proxy's client is not this machine")
        refused = self.ask("GET", "/v1/status")
        self.assertEqual(refused.status, 401)
        self.assertEqual(refused.headers["WWW-Authenticate"], 'Bearer realm="agentd"')
        self.assertEqual(refused.headers["Content-Type"], "application/problem+json")
        wrong = self.ask("GET", "/v1/status", "x" * 32)
        self.assertIn("invalid_token", wrong.headers["WWW-Authenticate"])
        self.assertNotIn("x" * 32, wrong.text + self.agentd.log())

    def test_who_did_it_is_whoever_showed_the_token(self):
        self.with_tokens()
        self.ask("POST", "/v1/agents/worker/pause", TOKENS["operator"], {"by": "ana"})
        self.assertEqual(json.loads(self.ask("GET", "/v1/agents/worker", TOKENS["viewer"]).text)["paused"]["by"], "ana (operators)")
        self.ask("POST", "/v1/agents/worker/stop", TOKENS["admin"], {})
        self.assertEqual(json.loads(self.ask("GET", "/v1/agents/worker", TOKENS["viewer"]).text)["paused"]["by"], "admins")

    def test_another_page_reaches_nothing(self):
        self.with_tokens()
        port = self.agentd.port
        self.assertEqual(self.ask("GET", "/v1/status", TOKENS["viewer"], Origin="https://evil.example").status, 403)
        self.assertEqual(self.ask("GET", "/v1/status", TOKENS["viewer"], Origin="null").status, 403)
        self.assertEqual(self.ask("GET", "/v1/status", TOKENS["viewer"], Host="agentd.example", Origin="https://agentd.example").status, 200)
        self.assertEqual(self.ask("GET", "/v1/status", TOKENS["viewer"], Origin=f"http://127.0.0.1:{port}").status, 200)
        self.assertEqual(self.ask("GET", f"/v1/status?token={TOKENS['viewer']}").status, 401, "no credentials in URLs")

    def test_the_command_line_shows_its_token_and_exits_with_4_where_it_is_refused(self):
        self.with_tokens()
        self.assertEqual(self.agentd.cli("status", check=False).returncode, 4)
        refused = self.agentd.cli("agents", "pause", "worker", "--token", TOKENS["viewer"], check=False)
        self.assertEqual((refused.returncode, refused.stderr), (4, 'agentd: "viewers" has the role viewer; this takes operator\n'))
        self.agentd.cli("agents", "pause", "worker", "--token", TOKENS["operator"])

    def test_a_token_or_an_address_that_can_be_none_is_wrong_usage(self):
        self.with_tokens()
        for wrong, words in ((["--token", "read-from-a-file\r"], "control character"), (["--url", "http://127.0.0.1:99999"], "port"), (["--url", f"{self.agentd.url}?token=x"], "leave out"), (["--url", f"{self.agentd.url}#x"], "leave out")):
            refused = self.agentd.cli("status", *wrong, check=False)
            self.assertEqual(refused.returncode, 2, wrong)
            self.assertIn(words, refused.stderr)

    def test_tokens_are_read_again_with_a_reload(self):
        file = self.folder / "token"
        file.write_text("first-0123456789abcdef\n")
        self.serve(f'tokens = [{{ name = "ci", role = "viewer", token = "file:{file}" }}]\n')
        self.agentd.start()
        self.assertEqual(self.ask("GET", "/v1/status", "first-0123456789abcdef").status, 200)
        file.write_text("second-0123456789abcdef\n")
        self.agentd.process.send_signal(signal.SIGHUP)
        until("the new token is taken", lambda: self.ask("GET", "/v1/status", "second-0123456789abcdef").status == 200)
        self.assertEqual(self.ask("GET", "/v1/status", "first-0123456789abcdef").status, 401)
        file.write_text("short\n")
        self.agentd.process.send_signal(signal.SIGHUP)
        until("the fault is told", lambda: "fewer than 16 characters" in self.agentd.log())
        self.assertEqual(self.ask("GET", "/v1/status", "second-0123456789abcdef").status, 200, "what was in force stays")

    def test_a_stream_ends_with_the_token_that_it_was_asked_for_with(self):
        names = {"stays": "stays-0123456789abcdef", "goes": "goes-0123456789abcdef"}
        configuration = lambda *kept: self.agentd.configure("tokens = [" + ", ".join(f'{{ name = "{name}", role = "viewer", token = "file:{self.folder / name}" }}' for name in kept) + "]\n", worker=AGENT)
        for name, token in names.items():
            (self.folder / name).write_text(token)
        self.serve()
        configuration(*names)
        self.agentd.start()
        streams = {}
        for name, token in names.items():
            connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=30)
            self.addCleanup(connection.close)
            connection.request("GET", "/v1/events", headers={"Accept": "text/event-stream", "Authorization": f"Bearer {token}"})
            streams[name] = connection.getresponse()
            self.assertEqual(streams[name].readline(), b"retry: 1000\n")
        configuration("stays")
        self.agentd.process.send_signal(signal.SIGHUP)
        self.assertRaises(http.client.IncompleteRead, streams["goes"].read)
        (self.folder / "agents" / "later.toml").write_text(AGENT)
        while b"agent_created" not in (line := streams["stays"].readline()):
            self.assertTrue(line)

    def test_nobody_listens_to_others_without_tokens(self):
        self.serve()
        for address in ("0.0.0.0", "[::]"):
            refused = self.agentd.cli("serve", "--listen", f"{address}:{free_port()}", check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("takes [api] tokens", refused.stderr)

    def test_every_fault_of_the_section_is_told_with_its_place(self):
        self.serve('tokens = [{ name = "a", role = "viewer", token = "env:NOT_THERE" }, { name = "a", role = "root", token = "env:SHORT" }]\ntls = { cert = "none.pem", key = "none.key" }\n')
        os.environ["SHORT"] = "short"
        self.addCleanup(os.environ.pop, "SHORT")
        for command in ("check", "serve"):
            told = self.agentd.cli(command, check=False)
            self.assertEqual(told.returncode, 2)
        told = self.agentd.cli("check", check=False).stdout
        for words in ('agentd.toml:7:10: token "a" cannot be read', 'agentd.toml:7:10: token "a" is there twice', "none.pem: No such file", '"role" must be'):
            self.assertIn(words, told)

    def test_tls_serves_and_takes_a_renewed_certificate_without_a_restart(self):
        make_certificate(self.folder)
        for kind in "ck":
            os.replace(self.folder / f"{kind}.new", self.folder / f"{kind}.pem")
        self.serve('tls = { cert = "c.pem", key = "k.pem" }\n')
        self.agentd.start(wait=False)
        url = f"https://localhost:{self.agentd.port}"
        old = self.folder / "old.pem"
        old.write_bytes((self.folder / "c.pem").read_bytes())
        speak = lambda ca: self.agentd.cli("status", "--url", url, "--cacert", str(ca), check=False)
        until("it serves", lambda: speak(old).returncode == 0)
        untrusted = self.agentd.cli("status", "--url", url, check=False)
        self.assertEqual(untrusted.returncode, 3)
        self.assertIn("--cacert names", untrusted.stderr)
        self.assertIn("with [api] tls?", self.agentd.cli("status", "--url", self.plain_server(), check=False).stderr)
        clear = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=30)
        clear.request("GET", "/healthz")
        self.assertEqual(clear.getresponse().read(), b"this port speaks HTTPS\n")
        ancient = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.agentd.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertIn("alert protocol version", ancient.stderr)
        make_certificate(self.folder)
        os.replace(self.folder / "k.new", self.folder / "k.pem")  # half of a renewal
        time.sleep(1.1)
        self.assertEqual(speak(old).returncode, 0, "the last good one serves on")
        os.replace(self.folder / "c.new", self.folder / "c.pem")
        until("the new one is shown", lambda: speak(self.folder / "c.pem").returncode == 0)
        self.assertEqual(speak(old).returncode, 3)
        self.assertIn("the one before it serves on", self.agentd.log())

    def test_a_key_that_is_a_pipe_holds_nobody_up(self):
        make_certificate(self.folder)
        for kind in "ck":
            os.replace(self.folder / f"{kind}.new", self.folder / f"{kind}.pem")
        self.serve('tls = { cert = "c.pem", key = "k.pem" }\n')
        self.agentd.start(wait=False)
        speak = lambda: self.agentd.cli("status", "--url", f"https://localhost:{self.agentd.port}", "--cacert", "c.pem", check=False).returncode == 0
        until("it serves", speak)
        key = (self.folder / "k.pem").read_bytes()
        (self.folder / "k.pem").unlink()
        os.mkfifo(self.folder / "k.pem")
        until("it is told", lambda: speak() and "k.pem: not a regular file; the one before it serves on" in self.agentd.log())
        self.assertEqual(self.agentd.stop(), 0)
        self.assertIn("k.pem: not a regular file", self.agentd.cli("check", check=False).stdout)
        (self.folder / "k.pem").unlink()
        (self.folder / "k.pem").write_bytes(key)
        self.assertEqual(self.agentd.cli("check", check=False).returncode, 0)

    def plain_server(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), QuietHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"https://127.0.0.1:{server.server_port}"

    def test_events_follow_over_tls(self):
        make_certificate(self.folder)
        for kind in "ck":
            os.replace(self.folder / f"{kind}.new", self.folder / f"{kind}.pem")
        self.serve('tls = { cert = "c.pem", key = "k.pem" }\n')
        self.agentd.start(wait=False)
        connection = ["--url", f"https://localhost:{self.agentd.port}", "--cacert", "c.pem"]
        until("it serves", lambda: self.agentd.cli("status", *connection, check=False).returncode == 0)
        with open(self.folder / "events", "w") as out:
            following = subprocess.Popen([str(AGENTD), "events", "--follow", *connection], cwd=self.folder, stdout=out, env=self.agentd.environment())
        try:
            self.agentd.cli("agents", "run", "worker", "--wait", *connection)
            until("the end is seen", lambda: "background_task_completed" in (self.folder / "events").read_text() or self.agentd.cli("agents", "run", "worker", "--wait", *connection) is None)
        finally:
            following.kill()
            following.wait()


if __name__ == "__main__":
    unittest.main()
