"""The commands of a README, run as they stand there: in a copy of its folder, with the system's folders put below one of the test's."""
import os
import re
import shutil
import subprocess

from agentd import AGENTD, PATIENCE

# What a test neither may nor needs to do to its machine.
STAND_INS = ("systemctl", "journalctl", "docker")


def blocks(readme):
    return re.findall(r"^```sh\n(.*?)^```$", readme.read_text(), re.M | re.S)


class Reader:
    """Follows the README of an example."""

    def __init__(self, example, folder):
        self.here = folder / example.name
        shutil.copytree(example, self.here)
        self.readme = self.here / "README.md"
        self.root = folder / "root"
        self.root.mkdir()
        self.called = folder / "called"
        self.programs = folder / "programs"
        self.programs.mkdir()
        for name in STAND_INS:
            self.stand_in(name, f'echo "{name} $*" >>"{self.called}"')
        self.stand_in("sudo", 'exec "$@"')
        (self.programs / "agentd").symlink_to(AGENTD)

    def stand_in(self, name, does):
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)

    def commands(self):
        return blocks(self.readme)

    def below_root(self, text):
        """With the folders of the system below one of the test's, and no owner whom a test machine may not have."""
        text = re.sub(r"(?<![\w/.])/(etc|var/lib|usr/local)/", rf"{self.root}/\1/", text)
        return re.sub(r"install (.*?)-[go] \w+ ", r"install \1", text)

    def follow(self, text, **environment):
        for place in re.findall(rf"{self.root}/(?:etc|var/lib|usr/local)(?:/[\w.-]+)*/", self.below_root(text)):
            os.makedirs(place, exist_ok=True)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", self.below_root(text)], cwd=self.here, capture_output=True, text=True, timeout=PATIENCE,
                              env={**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}", "HOME": str(self.here), **environment})
        if done.returncode != 0:
            raise AssertionError(f"{text}\nexited {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def calls(self):
        return self.called.read_text().splitlines() if self.called.exists() else []
