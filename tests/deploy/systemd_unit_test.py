"""The unit of examples/deploy/systemd: systemd accepts it and finds it well confined, its command keeps the state where the unit says, and
a host does its work within what the unit allows."""
import re
import shlex
import subprocess
import sys
import unittest

from agentd import AGENTD, PATIENCE, SOURCE, Endpoint, Host, until
from build import is_sanitized
from confinement import Confinement, settings
from fleet import AGENTS, FleetTest
from readme import Reader, blocks

EXAMPLE = SOURCE / "examples" / "deploy" / "systemd"
UNIT = EXAMPLE / "agentd.service"
EXPOSURE = 15  # tenths; what is left is what an agent host needs: networks, processes it can tell of


def systemd_analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr


class Service(Host):
    """A host as the unit starts it: its command with the folders of the test, its state folder, and what it may not do."""

    def start_service(self, state):
        state.mkdir(mode=0o700)
        [command] = settings(UNIT, "ExecStart")
        command = command.replace("/usr/local/bin/agentd", str(AGENTD)).replace("/etc/agentd", str(self.folder)).replace("${STATE_DIRECTORY}", str(state))
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(shlex.split(command), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=Confinement(UNIT).enter,
                                            env=self.environment(STATE_DIRECTORY=str(state)))
        self.wait_ready()


NO_SANITIZER = unittest.skipIf(is_sanitized(), "sanitizers do at a process' start and end what the unit forbids")


class Unit(FleetTest):
    def installed(self):
        """The unit with the program of this build."""
        unit = self.folder / "agentd.service"
        unit.write_text(UNIT.read_text().replace("/usr/local/bin/agentd", str(AGENTD)))
        return unit

    def service(self, etc):
        """One that runs with a configuration as `agentd init` writes it."""
        host = self.enter(Service(etc))
        host.log_file = self.folder / "host.log"
        config = etc / "agentd.toml"
        config.write_text(config.read_text().replace("127.0.0.1:8765", f"127.0.0.1:{host.port}"))
        host.start_service(self.folder / "var")
        return host

    def test_is_accepted_and_confined(self):
        unit = self.installed()
        self.assertEqual(systemd_analyze("verify", unit), (0, ""))
        status, report = systemd_analyze("security", "--no-pager", "--offline=yes", f"--threshold={EXPOSURE}", unit)
        self.assertEqual(status, 0, report)
        said = re.search(r"exposure ([\d.]+) of 10", (EXAMPLE / "README.md").read_text())[1]
        self.assertIn(f"Overall exposure level for agentd.service: {said} OK", report)
        unit.write_text(unit.read_text().replace("NoNewPrivileges", "NoNewPrivilege"))
        self.assertIn("Unknown key 'NoNewPrivilege'", systemd_analyze("verify", unit)[1])

    def test_asks_for_no_file_that_may_be_missing(self):
        for name in ("LoadCredential", "LoadCredentialEncrypted", "ReadWritePaths", "BindPaths"):
            self.assertEqual(settings(UNIT, name), [])
        self.assertTrue(all(file.startswith("-") for file in settings(UNIT, "EnvironmentFile")))
        self.assertEqual(settings(EXAMPLE / "openai.conf", "LoadCredential"), ["openai:/etc/agentd/openai.key"])

    @NO_SANITIZER
    def test_keeps_the_state_out_of_the_configurations_folder(self):
        etc = self.folder / "etc"
        subprocess.run([AGENTD, "init", str(etc)], check=True, capture_output=True)
        self.assertIn("state_dir", (etc / "agentd.toml").read_text())
        host = self.service(etc)
        self.assertEqual(host.wait_run(host.submit("hello"))["status"], "completed")
        self.assertEqual(host.stop(), 0)
        self.assertTrue((self.folder / "var" / "ledger.db").exists())
        self.assertEqual({str(file.relative_to(host.folder)) for file in host.folder.rglob("*") if file.is_file()}, {"agentd.toml", "agents/hello.toml"})

    @NO_SANITIZER
    def test_leaves_a_host_what_it_needs(self):
        """Plugins, agents with tools, answers over the network, folders that are watched, and a plugin that is looked at in a process of its own."""
        endpoint = self.enter(Endpoint(self.folder, tool="system__load"))
        plain = self.fleet(f'[providers.openai]\nbase_url = "{endpoint.url}"\n[providers.openai.prices.test]\ninput = 1\noutput = 1\n', **AGENTS)
        host = self.enter(Service(plain.folder))
        host.port, host.url = plain.port, plain.url
        host.start_service(self.folder / "var")
        self.assertEqual(host.wait_run(host.submit("steady"))["status"], "completed")
        watched = AGENTS["steady"].replace('"played"', '"openai"').replace('"priced"', '"test"').replace("[schedule]\ninterval = \"1s\"\n", "")
        (host.folder / "agents" / "new.toml").write_text(watched)
        until("the new agent is there", lambda: host.request("GET", "/v1/agents/new")[0] == 200)
        run = host.wait_run(host.submit("new"))
        self.assertEqual((run["status"], run["error"]), ("completed", None))
        self.assertTrue(endpoint.journal("request") or endpoint.journal())
        until("results are told", lambda: (host.folder / "told.jsonl").exists())
        self.assertEqual(host.stop(), 0)
        looked = subprocess.run([AGENTD, "plugins", "inspect", str(AGENTD.parents[1] / "lib" / "agentd" / "plugins" / "system.so")], capture_output=True, text=True, preexec_fn=Confinement(UNIT).enter)
        self.assertIn("toolset\tsystem", looked.stdout, looked.stderr)

    def test_forbids_what_it_says(self):
        def within(code):
            return subprocess.run([sys.executable, "-c", code], preexec_fn=Confinement(UNIT).enter, capture_output=True, text=True).stderr
        self.assertIn("PermissionError", within("import os; os.chroot('/')"))
        self.assertIn("PermissionError", within("import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"))
        self.assertEqual(within("import socket; socket.socket()"), "")
        if Confinement(UNIT).no_new_code:
            self.assertIn("PermissionError", within("import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)"))

    @NO_SANITIZER
    def test_starts_when_the_readme_is_followed(self):
        reader = Reader(EXAMPLE, self.folder)
        for file in (reader.here / "agentd.service", reader.here / "openai.conf"):
            file.write_text(reader.below_root(file.read_text()))
        program = reader.root / "usr" / "local" / "bin" / "agentd"
        program.parent.mkdir(parents=True)
        program.symlink_to(AGENTD)
        install, look, key = blocks(reader.readme)
        reader.follow(install)
        self.assertEqual(reader.calls(), ["systemctl daemon-reload", "systemctl enable --now agentd"])
        host = self.service(reader.root / "etc" / "agentd")
        said = reader.follow(look, AGENTD_URL=host.url)
        self.assertRegex(said, r"^1 agent, ")
        self.assertEqual(reader.calls()[-1], "journalctl -u agentd -n 20 --no-pager")
        reader.follow(key, OPENAI_API_KEY="sk-secret")
        credential = reader.root / "etc" / "agentd" / "openai.key"
        self.assertEqual((credential.read_text(), credential.stat().st_mode & 0o777), ("sk-secret", 0o600))
        drop_in = reader.root / "etc/systemd/system/agentd.service.d/openai.conf"
        self.assertIn(f"LoadCredential=openai:{credential}", drop_in.read_text())
        self.assertEqual(systemd_analyze("verify", reader.root / "etc/systemd/system/agentd.service"), (0, ""))


if __name__ == "__main__":
    unittest.main()
