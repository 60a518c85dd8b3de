"""README's plugin, word for word, built out of tree against the installed SDK, loaded by the installed host and called by an agent."""
import os
import re
import shutil
import subprocess
import unittest

from agentd import BUILD, SOURCE, AgentdTest

SCRIPT = """
[[agent]]
[[agent.step]]
call = [{ tool = "geometry.calculate_area", arguments = { length = 3, width = 4.5 } }]
[[agent.step]]
say = "The area is {{geometry.calculate_area}}."
"""
AGENT = """
[model]
provider = "script"
model = "script"
[task]
query = "How large is it?"
[tools]
allow = ["geometry.*"]
"""
CONFIG = '[providers.script]\nfile = "script.toml"\n'


def of_readme(language, holding):
    blocks = re.findall(rf"```{language}\n(.*?)```", (SOURCE / "README.md").read_text(), re.S)
    return next(block for block in blocks if holding in block)


class OutsidePlugin(AgentdTest):
    def run_in(self, folder, *command, **environment):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env={**os.environ, **environment})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_builds_with_each_compiler_and_runs(self):
        prefix = self.folder / "prefix"
        self.run_in(self.folder, "cmake", "--install", str(BUILD), "--prefix", str(prefix))
        self.assertFalse((prefix / "include" / "agentd" / "abi" / "ledger.h").exists(), "an interface of the tree alone is installed")
        project = self.folder / "geometry"
        project.mkdir()
        (project / "geometry.cpp").write_text(of_readme("cpp", "AGENTD_PLUGIN"))
        (project / "CMakeLists.txt").write_text(of_readme("cmake", "agentd_add_plugin"))
        (self.folder / "agentd.toml").write_text(CONFIG)
        (self.folder / "script.toml").write_text(SCRIPT)
        (self.folder / "agent.toml").write_text(AGENT)
        for compiler in ("g++", "clang++-19"):
            with self.subTest(compiler):
                built = project / "build"
                shutil.rmtree(built, ignore_errors=True)
                self.run_in(project, "cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={compiler}")
                self.run_in(project, "cmake", "--build", "build")
                answer = self.run_in(self.folder, str(prefix / "bin" / "agentd"), "run", "agent.toml", "--config", "agentd.toml", AGENTD_PLUGIN_PATH=str(built))
                self.assertEqual(answer, "The area is 13.5.\n")


if __name__ == "__main__":
    unittest.main()
