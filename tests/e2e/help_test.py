"""Every example that the help shows works in a folder that `agentd init` made."""
import os
import re
import shutil
import signal
import subprocess
import unittest

from agentd import AGENTD, PATIENCE, AgentdTest, free_port


class Examples(AgentdTest):
    def help_of(self, *command):
        return subprocess.run([str(AGENTD), *command, "--help"], capture_output=True, text=True, check=True).stdout

    def commands(self, *above):
        """Every command below this one, itself included."""
        yield above
        names = re.search(r"\nSubcommands:\n(.*?)\n\n|\Z", self.help_of(*above) + "\n\n", re.S).group(1) or ""
        for name in re.findall(r"^  (\w+)", names, re.M):
            yield from self.commands(*above, name)

    def examples(self):
        lines = [line.strip() for command in self.commands() for line in self.help_of(*command).splitlines() if line.startswith("  agentd ")]
        return list(dict.fromkeys(lines))

    def test_work(self):
        examples = self.examples()
        self.assertGreater(len(examples), 15)
        address = f"127.0.0.1:{free_port()}"
        environment = {**os.environ, "AGENTD__API__LISTEN": address, "AGENTD__BUDGET__COST_PER_DAY": "10", "AGENTD_URL": f"http://{address}", "PATH": f"{AGENTD.parent}:{os.environ['PATH']}"}
        subprocess.run([str(AGENTD), "init"], cwd=self.folder, check=True, capture_output=True)
        run = lambda command: subprocess.Popen(command, shell=True, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0)
        host = run("exec agentd serve")
        self.addCleanup(lambda: (host.terminate(), host.communicate()))
        for line in host.stdout:
            if "is ready" in line:
                break
        for example in examples:
            with self.subTest(example):
                shutil.rmtree(self.folder / "demo", ignore_errors=True)
                for_ever = re.search(r"agentd serve|--follow", example)
                example = example.replace("127.0.0.1:9000", f"127.0.0.1:{free_port()}")
                if example.endswith("agentd serve"):
                    example += f" --state ./another --listen 127.0.0.1:{free_port()}"
                process = run(example)
                try:
                    out, _ = process.communicate(timeout=2 if for_ever else PATIENCE)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGTERM)
                    out, _ = process.communicate(timeout=PATIENCE)
                    self.assertTrue(for_ever, out)
                    self.assertNotIn("agentd: ", out)
                else:
                    self.assertEqual(process.returncode, 0, out)


if __name__ == "__main__":
    unittest.main()
