"""`agentd doctor` asks everything that a host would reach, changes nothing, and says what to do about the rest."""
import http.server
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

from agentd import AGENTD, BUILD, PATIENCE, AgentdTest, free_port

AGENT = '[task]\nnative = "disk_report"\n'
OTHERS = BUILD / "tests" / "support" / "plugins" / "so"
KEY = "a-key-that-nobody-sees"


class Models(http.server.BaseHTTPRequestHandler):
    """A provider's endpoint that answers as its path says: /ok/models, /503/models, ..."""

    def do_GET(self):
        wanted = self.path.split("/")[1]
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if wanted == "never":
            self.server.release.wait(PATIENCE)
            return
        status = 200 if wanted in ("ok", "page") else 401 if wanted == "keyed" and self.headers.get("Authorization") != f"Bearer {KEY}" else 200 if wanted == "keyed" else int(wanted) if wanted.isdigit() else 404
        body = b"<html>" if wanted == "page" else b'{"data":[]}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Doctor(AgentdTest):
    def setUp(self):
        super().setUp()
        self.agentd = self.host("", one=AGENT)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models)
        self.server.asked, self.server.release = [], threading.Event()
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.release.set)

    def configure(self, text):
        config = self.folder / "agentd.toml"
        config.write_text(config.read_text() + text)

    def provider(self, name, path, more='api_key = "env:KEY"\n'):
        return f'[providers.{name}]\nplugin = "openai"\nbase_url = "http://127.0.0.1:{self.server.server_port}/{path}"\n{more}'

    def ask(self, *arguments, within=(), **options):
        environment = self.agentd.environment(KEY=KEY, **options.pop("environment", {}))
        return subprocess.run([*within, str(AGENTD), "doctor", "--config", "agentd.toml", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, env=environment, **options)

    def checks(self, *arguments, code=None, **options):
        done = self.ask("--json", *arguments, **options)
        document = json.loads(done.stdout)
        self.assertEqual(done.returncode, (1 if document["failed"] else 0) if code is None else code, done.stdout + done.stderr)
        for check in document["checks"]:
            self.assertEqual(check["do"] is None, check["state"] == "ok", check)
            self.assertNotIn(KEY, json.dumps(check))
        found = {}
        for check in document["checks"]:
            found.setdefault(check["check"], []).append(check)
        return found

    def one(self, checks, name):
        check, = checks[name]
        return check

    def snapshot(self):
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_mode) for path in [self.folder, *self.folder.rglob("*")]}

    def test_where_all_is_well_it_says_so_and_changes_nothing(self):
        self.configure(self.provider("models", "keyed") + '[providers.play]\nplugin = "script"\nfile = "play.toml"\n[sinks.ops]\nkind = "log"\n')
        (self.folder / "play.toml").write_text('[[agent]]\n[[agent.step]]\nsay = "x"\n')
        before = self.snapshot()
        done = self.ask()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(self.snapshot(), before)
        rows = dict(line.split("\t")[1::-1] for line in done.stdout.splitlines())
        for check in ("configuration", "agents", "state folder", "disk space", "ledger", "plugins", "toolset fs", "store local", "provider models", "provider play", "sink ops", "open files", "time zones"):
            self.assertIn(rows[check], ("ok", "warning") if check in ("disk space", "open files") else ("ok",), done.stdout)
        self.assertRegex(done.stdout, r"warning\thost\tnone runs: could not connect to .*\. agentd serve starts one\.")
        self.assertRegex(done.stdout, r"ok\tprovider models\t.*/keyed/models answers with 200; the key is taken\n")
        self.assertRegex(done.stdout, r"ok\tsink ops\t.*nothing is sent")
        self.assertEqual(self.server.asked, [("/keyed/models", f"Bearer {KEY}")])

    def test_each_provider_is_told_apart(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-subj", "/CN=127.0.0.1", "-days", "2"]
        subprocess.run(certificate, cwd=self.folder, check=True, capture_output=True)
        secured = free_port()
        tls = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{secured}", "-cert", "c.pem", "-key", "k.pem", "-quiet", "-www"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (tls.kill(), tls.wait()))
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", secured)) == 0:
                    break
            time.sleep(0.02)
        at = lambda url: f'plugin = "openai"\nbase_url = "{url}"\n'
        self.configure(self.provider("wrong_key", "401") + self.provider("no_key", "keyed", "") + self.provider("ill", "503") + self.provider("busy", "429") + self.provider("listless", "404") +
                       self.provider("page", "page") + f'[providers.refusing]\n{at(f"http://127.0.0.1:{port}/v1")}[providers.nowhere]\n{at("http://nowhere.invalid/v1")}'
                       f'[providers.strange]\n{at(f"https://127.0.0.1:{secured}/v1")}[providers.unset]\n{at("http://127.0.0.1:9/v1")}api_key = "env:NOBODY_SET_THIS"\n')
        checks = self.checks()
        for name, state, says in (("wrong_key", "failed", "401: the key is refused"), ("no_key", "failed", "401: it wants a key"), ("ill", "failed", "503"), ("busy", "warning", "429"), ("listless", "ok", "404: it lists no models"),
                                  ("page", "warning", "no list of models"), ("refusing", "failed", "could not connect to 127.0.0.1"), ("nowhere", "failed", 'could not find the address of "nowhere.invalid"'),
                                  ("strange", "failed", "the certificate of 127.0.0.1"), ("unset", "failed", "NOBODY_SET_THIS")):
            with self.subTest(name):
                check = self.one(checks, f"provider {name}")
                self.assertEqual(check["state"], state, check)
                self.assertIn(says, check["found"])

    def test_who_never_answers_is_waited_for_some_seconds_and_together(self):
        self.configure("".join(self.provider(f"slow{i}", "never") for i in range(4)))
        begin = time.monotonic()
        checks = self.checks()
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual({self.one(checks, f"provider slow{i}")["state"] for i in range(4)}, {"failed"})

    def test_a_running_host_its_state_and_its_tokens(self):
        viewer, operator = "v" * 20, "o" * 20
        config = (self.folder / "agentd.toml").read_text()
        tokens = 'tokens = [{ name = "eye", role = "viewer", token = "env:EYE" }, { name = "ops", role = "operator", token = "env:OPS" }]\n'
        (self.folder / "agentd.toml").write_text(config + tokens)
        self.agentd.start(wait=False, EYE=viewer, OPS=operator)
        self.agentd.wait_ready()
        both = {"EYE": viewer, "OPS": operator}
        checks = self.checks(environment=both)
        self.assertIn(f"process {self.agentd.process.pid} (agentd) has it", self.one(checks, "state folder")["found"])
        self.assertRegex(self.one(checks, "host")["found"], rf"^agentd/\S+ is ready at http://127.0.0.1:{self.agentd.port}$")
        self.assertEqual(self.one(checks, "token")["found"], 'token "eye", with the role viewer, is accepted')
        self.assertEqual(self.one(checks, "ledger")["state"], "ok")
        given = self.checks(environment={**both, "AGENTD_API_TOKEN": operator})
        self.assertEqual(self.one(given, "token")["found"], "AGENTD_API_TOKEN, with the role operator, is accepted")
        wrong = self.one(self.checks(environment={**both, "AGENTD_API_TOKEN": "w" * 20}), "token")
        self.assertEqual((wrong["state"], wrong["found"]), ("failed", "AGENTD_API_TOKEN is refused"))
        (self.folder / "agentd.toml").write_text((config + tokens).replace(str(self.agentd.port), str(free_port())))
        elsewhere = self.one(self.checks(environment=both), "host")
        self.assertEqual(elsewhere["state"], "warning")
        self.assertIn(f"process {self.agentd.process.pid} has the state folder, but ", elsewhere["found"])

    def test_something_else_at_the_host_s_address(self):
        config = self.folder / "agentd.toml"
        config.write_text(config.read_text().replace(str(self.agentd.port), str(self.server.server_port)))
        check = self.one(self.checks(code=1), "host")
        self.assertIn("something else than agentd answers", check["found"])

    def test_what_is_broken_stands_beside_what_is_not(self):
        folder = self.folder / "more"
        folder.mkdir(mode=0o755)
        for name in ("no_symbol", "picky"):
            shutil.copy(OTHERS / f"{name}.so", folder)
        config = self.folder / "agentd.toml"
        config.write_text(config.read_text().replace("plugin_dirs = [", f'plugin_dirs = ["{folder}", "gone", '))
        self.configure('[toolsets.fs]\nroots = 7\n[stores.attic]\nplugin = "sqlit"\n[sinks.ops]\nkind = "file"\n')
        (self.folder / "agents" / "two.toml").write_text('[task]\nnative = "nobody_has_this"\n')
        begin = time.monotonic()
        checks = self.checks(code=1)
        self.assertLess(time.monotonic() - begin, 25)  # one of them hangs as it is made
        for name, state, says in (("plugin no_symbol", "failed", "agentd_plugin_entry_v1"), ("toolset fs", "failed", "roots"), ("toolset stuck", "warning", ""), ("toolset failing", "warning", "nobody answers"),
                                  ("toolset plain", "ok", "1 tool"), ("toolset system", "ok", "tools"), ("store attic", "failed", 'did you mean "sqlite"'), ("sink ops", "failed", "path"), ("agents", "failed", "2 agents, 1 refused")):
            with self.subTest(name):
                check = self.one(checks, name)
                self.assertEqual(check["state"], state, check)
                self.assertIn(says, check["found"])
        self.assertTrue(any(check["state"] == "warning" and "gone is no folder" in check["found"] for check in checks["plugins"]), checks["plugins"])

    def test_a_plugin_that_ends_the_process_is_named(self):
        folder = self.folder / "more"
        folder.mkdir(mode=0o755)
        shutil.copy(OTHERS / "aborts.so", folder)
        check = self.one(self.checks("--plugins", str(folder), code=1), "plugin")
        self.assertRegex(check["found"], r"aborts\.so: .*it crashes when it is made: Aborted")

    def test_state_that_a_host_could_not_use(self):
        self.agentd.start()
        run = self.agentd.submit("one")
        self.agentd.wait_run(run)
        self.agentd.stop()
        with sqlite3.connect(self.agentd.state / "ledger.db", isolation_level=None) as ledger:
            ledger.execute("UPDATE records SET payload='{}' WHERE position=(SELECT last FROM runs)")
        ledger.close()
        os.chmod(self.agentd.state, 0o755)
        future = time.time() + 3600
        os.utime(self.agentd.state / "ledger.db", (future, future))
        checks = self.checks(code=1)
        self.assertIn("damaged", self.one(checks, "ledger")["found"])
        self.assertEqual(self.one(checks, "state folder")["state"], "warning")
        self.assertIn("no process has it", self.one(checks, "state folder")["found"])
        self.assertEqual(self.one(checks, "clock")["state"], "failed")
        nowhere = self.checks("--state", str(self.folder / "agentd.toml"), code=1)
        self.assertEqual(self.one(nowhere, "state folder")["state"], "failed")

    def test_state_that_is_somebody_else_s(self):
        self.agentd.start()
        self.agentd.stop()
        os.chmod(self.agentd.state, 0o500)
        self.addCleanup(os.chmod, self.agentd.state, 0o700)
        within = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        checks = self.checks(code=1, within=within)
        self.assertIn("cannot be written: Permission denied", self.one(checks, "state folder")["found"])
        os.chmod(self.agentd.state, 0o700)
        os.chmod(self.agentd.state / "ledger.db", 0)
        checks = self.checks(code=1, within=within)
        self.assertIn("ledger.db cannot be read and written: Permission denied", self.one(checks, "state folder")["found"])
        self.assertEqual(self.one(checks, "ledger")["do"], "Make the state folder usable first.")

    def test_a_plugin_that_another_folder_hides_is_ok(self):
        folder = self.folder / "more"
        folder.mkdir(mode=0o755)
        shutil.copy(BUILD / "lib" / "agentd" / "plugins" / "fs.so", folder)
        check = self.one(self.checks("--plugins", str(folder)), "plugin fs")
        self.assertEqual(check["state"], "ok", check)
        self.assertIn(f"{folder}/fs.so already; its folder is searched earlier", check["found"])

    def test_few_open_files_are_said_with_what_they_mean(self):
        limited = self.checks(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)))
        check = self.one(limited, "open files")
        self.assertEqual(check["state"], "warning")
        self.assertIn("768 clients at a time instead of 20000", check["found"])

    def test_a_configuration_that_cannot_be_read_is_exit_2(self):
        self.configure("[host\n")
        done = self.ask()
        self.assertEqual((done.returncode, done.stdout), (2, ""), done)
        self.assertRegex(done.stderr, r"agentd\.toml:\d+:\d+: ")


if __name__ == "__main__":
    unittest.main()
