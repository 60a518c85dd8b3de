"""The image of examples/deploy/docker, as far as it can be looked at without a Docker: what is in it, and how what it starts behaves."""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import unittest

from agentd import AGENTD, BUILD, PATIENCE, SOURCE, AgentdTest, Host
from build import is_sanitized
from readme import Reader, blocks

EXAMPLE = SOURCE / "examples" / "deploy" / "docker"
TOKEN = "0123456789abcdef"
# Not linked with, yet needed: certificates, time zones, an init.
DATA = {"ca-certificates", "tini", "tzdata"}


def instructions():
    """[(stage, instruction, the rest)] of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (EXAMPLE / "Dockerfile").read_text(), flags=re.M).replace("\\\n", " ")
    found, stage = [], 0
    for line in filter(None, text.splitlines()):
        name, rest = line.split(None, 1)
        stage += name == "FROM"
        found.append((stage, name, rest))
    return found


def last(name):
    return [rest for stage, instruction, rest in instructions() if stage == 2 and instruction == name][-1]


def packages():
    [install] = [rest for stage, name, rest in instructions() if stage == 2 and name == "RUN" and "apt-get install" in rest]
    return set(install.split("--no-install-recommends")[1].split("&&")[0].split())


def needed():
    """The libraries that the program and the plugins name."""
    for file in [AGENTD, *(BUILD / "lib" / "agentd" / "plugins").glob("*.so")]:
        said = subprocess.run(["objdump", "-p", file], capture_output=True, text=True, check=True).stdout
        yield from re.findall(r"NEEDED +(\S+)", said)


def owner(library):
    """The package of a library that this machine loads."""
    places = dict(re.findall(r"^\s(\S+) \(libc6,x86-64\S*\) => (\S+)$", subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout, re.M))
    path = places[library]
    for place in (os.path.realpath(path), path, os.path.realpath(path).removeprefix("/usr"), path.removeprefix("/usr")):
        found = subprocess.run(["dpkg", "-S", place], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    raise AssertionError(f"no package has {path}")


class Image(AgentdTest):
    @unittest.skipIf(is_sanitized(), "a build with sanitizers is linked otherwise")
    def test_has_the_libraries_that_agentd_and_its_plugins_are_linked_with_and_no_others(self):
        libraries = {library for library in needed() if not library.startswith("ld-linux")}
        self.assertEqual(packages() - DATA, {owner(library) for library in libraries})
        for package in packages():
            status = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True).stdout
            self.assertIn("installed", status, f"{package} is no package here, where everything is installed that agentd needs")

    def test_is_small_and_not_roots(self):
        self.assertEqual([rest.split()[0] for _, name, rest in instructions() if name == "FROM"], ["debian:12-slim"] * 2)
        self.assertRegex(last("USER"), r"^[1-9]\d+:[1-9]\d+$")
        [install] = [rest for stage, name, rest in instructions() if stage == 2 and name == "RUN" and "apt-get" in rest]
        self.assertIn("rm -rf /var/lib/apt/lists/*", install)
        self.assertNotIn("ADD", [name for _, name, _ in instructions()])
        self.assertEqual(last("VOLUME"), "/var/lib/agentd")

    def test_copies_what_there_is(self):
        ignored = (EXAMPLE / "Dockerfile.dockerignore").read_text().split()
        for _, name, rest in instructions():
            if name == "COPY" and "--from" not in rest:
                source = [word for word in rest.split() if not word.startswith("--")][0]
                self.assertTrue((SOURCE / source).exists(), source)
                self.assertNotIn(source.split("/")[0], ignored)
        copied = [rest.split()[1] for _, name, rest in instructions() if name == "COPY" and "--from" in rest]
        self.assertEqual(copied, ["/image/bin/agentd", "/image/lib/agentd/plugins"])


class Contained(Host):
    """A host as the image starts it, with an init as the first process of a PID namespace; its files are below a folder of the test."""

    def start_contained(self, reader):
        command = json.loads(last("ENTRYPOINT")) + json.loads(last("CMD"))
        os.makedirs(reader.root / "var/lib/agentd", exist_ok=True)
        words = shlex.split(reader.below_root(shlex.join(command)).replace("--state /var/lib/agentd", f"--state {reader.root}/var/lib/agentd"))
        words[words.index("agentd")] = str(AGENTD)
        name, value = last("ENV").split("=")
        self.environment_of_image = {name: value.replace("8765", str(self.port)), "AGENTD_API_TOKEN": TOKEN}
        namespace = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"] + ([] if os.geteuid() == 0 else ["--user", "--map-current-user"])
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(namespace + words, cwd=reader.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(**self.environment_of_image))

    def init(self):
        """The pid, here, of the first process of the namespace."""
        [child] = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)


class Container(AgentdTest):
    def setUp(self):
        super().setUp()
        if subprocess.run(["unshare", "--fork", "--pid", "--mount-proc", "true"] if os.geteuid() == 0 else ["unshare", "--user", "--map-current-user", "--fork", "--pid", "--mount-proc", "true"], capture_output=True).returncode != 0:
            self.skipTest("no PID namespace can be made here")
        self.reader = Reader(EXAMPLE, self.folder)
        self.build, self.configure = blocks(self.reader.readme)
        self.contained = self.enter(Contained(self.folder))

    def healthy(self):
        return subprocess.run([EXAMPLE / "healthy"], capture_output=True, timeout=PATIENCE, env={**os.environ, **self.contained.environment_of_image}).returncode == 0

    def test_starts_as_the_readme_says_tells_that_it_is_healthy_and_drains(self):
        self.reader.follow(self.build)
        self.reader.follow(self.configure)
        built, ran, asked = self.reader.calls()
        self.assertEqual((built, asked), ("docker build -t agentd -f Dockerfile ../../..", "docker exec agentd agentd status"))
        for option in ("--read-only", "--cap-drop ALL", "--security-opt no-new-privileges", "-e AGENTD_API_TOKEN", f"-v {self.reader.root}/etc/agentd:"):
            self.assertIn(option, ran)
        self.contained.start_contained(self.reader)
        self.contained.wait_ready()
        self.assertTrue(self.healthy())
        self.assertEqual(self.contained.request("GET", "/v1/status")[0], 401)
        init = self.contained.init()
        self.assertEqual(pathlib.Path(f"/proc/{init}/comm").read_text(), "tini\n", "whatever becomes an orphan is looked for")
        os.kill(init, signal.SIGTERM)
        self.assertEqual(self.contained.wait_dead(), 0)
        self.assertFalse(self.healthy())
        self.assertIn("host: stopped", self.contained.log())
        self.assertTrue((self.reader.root / "var/lib/agentd/ledger.db").exists())

    def test_refuses_to_be_reached_from_elsewhere_without_tokens(self):
        subprocess.run([AGENTD, "init", self.reader.root / "etc" / "agentd"], check=True, capture_output=True)
        self.contained.start_contained(self.reader)
        self.assertEqual(self.contained.wait_dead(), 2)
        self.assertRegex(self.contained.log(), r"an address that others reach takes \[api\] tokens")


if __name__ == "__main__":
    unittest.main()
