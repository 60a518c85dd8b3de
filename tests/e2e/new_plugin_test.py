"""`agentd plugins new` writes a plugin of each kind that builds, passes its own test and is what it says, as it is."""
import concurrent.futures
import json
import os
import subprocess
import unittest

from agentd import AGENTD, BUILD, SOURCE, AgentdTest

KINDS = ("toolset", "task", "provider", "memory", "events")


class NewPlugin(AgentdTest):
    def new(self, *arguments, agentd=AGENTD):
        return subprocess.run([str(agentd), "plugins", "new", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60)

    def build(self, kind, agentd):
        """Follows what the command says to do next, to the letter."""
        made = self.new(kind, f"own_{kind}", "--dir", f"of {kind}", agentd=agentd)
        self.assertEqual(made.returncode, 0, made.stderr)
        script = "set -e\n" + made.stdout.split("next:\n")[1]
        done = subprocess.run(["sh", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=600, env={**os.environ, "PATH": f"{agentd.parent}:{os.environ['PATH']}", "CXXFLAGS": "-Wall -Wextra -Werror"})
        self.assertEqual(done.returncode, 0, script + done.stdout + done.stderr)
        return done.stdout

    def test_each_kind_builds_by_what_is_said_next_and_is_what_it_says(self):
        prefix = self.folder / "prefix"
        subprocess.run(["cmake", "--install", str(BUILD), "--prefix", str(prefix), "--component", "sdk"], check=True, capture_output=True)
        (prefix / "bin").mkdir()
        agentd = prefix / "bin" / "agentd"
        agentd.write_bytes(AGENTD.read_bytes())
        agentd.chmod(0o755)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for kind, said in zip(KINDS, pool.map(lambda kind: self.build(kind, agentd), KINDS)):
                with self.subTest(kind):
                    self.assertIn("100% tests passed", said)
                    self.assertRegex(said, rf"(?m)^{kind}\s+own_{kind}: ")
                    inspected = subprocess.run([str(agentd), "plugins", "inspect", f"of {kind}/build/own_{kind}.so", "--json"], cwd=self.folder, capture_output=True, text=True, check=True)
                    self.assertEqual(json.loads(inspected.stdout)["name"], f"own_{kind}")
                    left = [file.name for file in (self.folder / f"of {kind}").iterdir() if file.is_file() and f"my_{kind}" in file.read_text()]
                    self.assertEqual(left, [])

    def test_is_what_the_sdk_has(self):
        made = json.loads(self.new("toolset", "my_toolset", "--json").stdout)
        self.assertEqual(sorted(made["files"]), sorted(f"my_toolset/{file.name}" for file in (SOURCE / "sdk" / "template" / "toolset").iterdir()))
        for file in made["files"]:
            name = file.split("/")[1]
            self.assertEqual((self.folder / file).read_text(), (SOURCE / "sdk" / "template" / "toolset" / name).read_text())
        self.assertEqual(made["next"][0], "cd my_toolset")

    def test_refuses_what_it_cannot_make(self):
        (self.folder / "full").mkdir()
        (self.folder / "full" / "mine.txt").write_text("mine")
        (self.folder / "file").write_text("mine")
        (self.folder / "empty").mkdir()
        for arguments, code, says in ((("toolsets", "x"), 2, r'no kind of plugin "toolsets"; there is events, memory, provider, task, toolset; did you mean "toolset"\?'), (("toolset", "My-Tools"), 2, r'"My-Tools" is not a plugin\'s name'),
                                      (("toolset", "../x"), 2, "not a plugin's name"), (("toolset", ""), 2, "name"), (("toolset", "a" * 65), 2, "at most 64"), (("toolset", "test"), 2, "CMake"),
                                      (("toolset", "x", "--dir", "full"), 1, "full is not empty"), (("toolset", "x", "--dir", "file"), 1, "file is no folder"), (("toolset",), 2, "name")):
            with self.subTest(arguments):
                done = self.new(*arguments)
                self.assertEqual((done.returncode, done.stdout), (code, ""), done)
                self.assertRegex(done.stderr, says)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["empty", "file", "full"])
        self.assertEqual(self.new("task", "x", "--dir", "empty").returncode, 0)


if __name__ == "__main__":
    unittest.main()
