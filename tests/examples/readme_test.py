"""Every command that README at the root shows is run, or stands here with the reason why it is not; and the page of the provider `script` is followed.

The commands need something to be about: a host with agents, a call that waits, a run in quarantine. PREPARED makes that, and says what takes the
place of an id or a name in capitals. A command that is not named there is run as it stands, and has to succeed."""
import pathlib
import re
import shutil
import tempfile
import unittest

from agentd import SOURCE
from example import sdk
from page import FOR_EVER, Reader, blocks_of

ELSEWHERE = {
    "examples/quickstart/run": "tests/e2e/quickstart_test.py",
    ".ci/install build": "installs packages; .ci runs it first of all",
    "cmake --preset install && cmake --build --preset install": "minutes; the preset is `release`, which .ci builds, without tests",
    "sudo cmake --install build/install": "wants root; tests/e2e/outside_plugin_test.py installs to a folder of its own",
    "tests/run": "is what runs this",
    "tests/run --preset asan": "is what runs this, under sanitizers",
    "tests/run --long 10": "takes hours",
    "cmake --preset release && cmake --build --preset release": "minutes; .ci does it",
    "tests/bench/run": "minutes, and a machine of its own",
}

CONFIG = """
[host]
agent_dirs = ["agents"]
[toolsets.fs]
roots = ["files"]
[providers.script]
file = "script.toml"
[providers.script.prices."gpt-4o-mini"]
input = 0.15
output = 0.60
"""
SCRIPT = """
[[agent]]
name = "walker"
[[agent.step]]
call = [{ tool = "fs.list", arguments = { path = "." } }]
[[agent.step]]
call = [{ tool = "fs.stat", arguments = { path = "." } }]
[[agent.step]]
say = "There and back."

[[agent]]
name = "asker"
[[agent.step]]
call = [{ tool = "fs.write_file", arguments = { path = "said.txt", text = "so" } }]
[[agent.step]]
say = "Said."

[[agent]]
name = "poisoned"
step = [{ say = "no JSON" }]

[[agent]]
name = "health"
step = [{ say = "All is well." }]
"""
MODEL = '[model]\nprovider = "script"\nmodel = "gpt-4o-mini"\n[task]\nquery = "Go."\n'
AGENTS = {
    "walker": MODEL + '[tools]\nallow = ["fs.*"]\n',
    "asker": MODEL + '[tools]\nask = ["fs.write_file"]\n',
    "poisoned": MODEL + 'output_schema = "answer.schema.json"\n[retry]\nmax_retries = 0\n',
}


class Readme(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="agentd-readme-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.folder = self.scratch / "ana"
        for folder in (self.folder, self.scratch / "terminals"):
            folder.mkdir()
        self.blocks = blocks_of((SOURCE / "README.md").read_text())
        environment = {"CMAKE_PREFIX_PATH": sdk(self.scratch / "sdk"), "XDG_STATE_HOME": str(self.scratch / "state")}
        self.reader = Reader(self.folder, self.scratch / "terminals", "ana", environment=environment)
        self.addCleanup(self.reader.shell.close)

    def block(self, language, holding):
        return next(block.text for block in self.blocks if block.language == language and holding in block.text)

    def sh(self, command):
        code, output = self.reader.shell.run(command)
        self.assertEqual(code, 0, f"{command}\n{output}\n{self.reader.logs()}")
        return output.strip()

    def serve(self):
        self.reader.end_what_stays()
        self.reader.stay("agentd serve")

    # What the commands are about.

    def world(self):
        """The folder that `agentd init` made, with more agents in it, and a host at work."""
        demo = self.folder / "demo"
        (demo / "files").mkdir()
        (demo / "agentd.toml").write_text(CONFIG)
        batch = SOURCE / "examples" / "batch"
        (demo / "script.toml").write_text(SCRIPT + (batch / "script.toml").read_text())
        shutil.copytree(batch / "agents", demo / "agents", dirs_exist_ok=True)
        health = self.block("toml", "Watches this machine").replace('"openai"', '"script"') + self.block("toml", "cost_per_day")
        for name, manifest in {**AGENTS, "health": health}.items():
            (demo / "agents" / f"{name}.toml").write_text(manifest)
        self.serve()

    def walked(self):
        self.sh("agentd agents run walker --wait")
        return {"742-k3f9q2a": self.sh("agentd runs list --agent walker --status completed --limit 1 --json | grep -o '[0-9]*-[0-9a-z]\\{7\\}' | head -n 1")}

    def asked(self):
        run = self.sh("agentd agents run asker")
        self.sh(f"until agentd approvals list | grep -q {run}; do sleep 0.05; done")
        return {"742-k3f9q2a": run}

    def quarantined(self):
        item = f"poison-{len(list(self.folder.glob('poison-*')))}"
        (self.folder / item).write_text('{"key": "1"}\n')
        self.reader.shell.run(f"agentd batch submit poisoned {self.folder / item} --name {item} --wait")
        return {"742-k3f9q2a": self.sh("agentd quarantine list --json | grep -o '[0-9]*-[0-9a-z]\\{7\\}' | head -n 1")}

    def backup(self):
        return {"FILE": str(self.scratch / "copy.db")}

    def restore(self):
        self.reader.end_what_stays()
        return self.backup()

    def forget(self):
        self.serve()  # the one that was restored
        return {"RUN": self.walked()["742-k3f9q2a"]}

    def plugin(self):
        self.reader.end_what_stays()
        project = self.scratch / "geometry"
        project.mkdir()
        (project / "geometry.cpp").write_text(self.block("cpp", "AGENTD_PLUGIN"))
        (project / "CMakeLists.txt").write_text(self.block("cmake", "agentd_add_plugin"))
        self.sh(f"cd {project}")

    def deployed(self):
        (self.folder / "demo" / "deployed").mkdir()
        (self.folder / "demo" / "deployed" / "one.toml").write_text('[task]\nnative = "disk_report"\n')

    PREPARED = {
        r"agentd agents apply": deployed,
        r"agentd check --cost": world,
        r"agentd ledger backup": backup,
        r"agentd ledger restore": restore,
        r"agentd runs forget": forget,
        r"agentd runs replay": walked,
        r"agentd approvals (show|approve|deny)": asked,
        r"agentd batch submit reader": lambda self: {"examples/batch": str(SOURCE / "examples" / "batch")},
        r"agentd quarantine (show|edit|retry|drop)": quarantined,
        r"cmake -S \.": plugin,
    }

    def test_every_command_is_run(self):
        commands = [re.sub(r" +#.*", "", command) for block in self.blocks if block.language == "sh" for command in block.commands()]
        self.assertEqual([command for command in ELSEWHERE if command not in commands], [], "stands here, and no longer in README")
        self.assertEqual([command for command in commands if "sudo" in command and command not in ELSEWHERE], [], "would change this machine")
        for command in commands:
            if command in ELSEWHERE:
                continue
            with self.subTest(command):
                prepare = next((prepare for pattern, prepare in self.PREPARED.items() if re.match(pattern, command)), lambda self: {})
                for shown, here in (prepare(self) or {}).items():
                    command = command.replace(shown, here)
                if re.search(FOR_EVER, command):
                    self.reader.stay(command)
                else:
                    self.sh(self.reader.with_free_ports(command))
        self.reader.end_what_stays()

    def test_the_page_of_the_provider_script_makes_an_agent(self):
        self.blocks = blocks_of((SOURCE / "providers" / "script" / "README.md").read_text())
        self.sh("agentd init demo && cd demo")
        demo = self.folder / "demo"
        config = (demo / "agentd.toml").read_text()
        (demo / "agentd.toml").write_text(re.sub(r"^\[toolsets\.fs\].*\n([^\[].*\n|\n)*", "", config, flags=re.M) + self.block("toml", 'roots = ["files"]'))
        (demo / "agents" / "notes.toml").write_text(self.block("toml", "Keeps a summary of a folder of notes"))
        (demo / "script.toml").write_text(self.block("toml", 'name = "notes"'))
        said = [self.sh(re.sub(r" +#.*", "", command)) for block in self.blocks if block.language == "sh" for command in block.commands()]
        self.assertIn(f"2 notes, summed up in {demo}/files/summary.txt.", said[-1])
        self.assertEqual((demo / "files" / "summary.txt").read_text(), "1. Fix the roof\n2. Call Ana\n")


if __name__ == "__main__":
    unittest.main()
