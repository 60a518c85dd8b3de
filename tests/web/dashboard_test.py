"""The dashboard in a real browser, on a live host: Debian's Chromium, driven by playwright-core; axe-core looks for what keeps people out.
Pictures of every view are left in the build tree, in tests/web/pictures."""
import json
import os
import shutil
import subprocess
import unittest

from agentd import BUILD, SOURCE, AgentdTest, until

HERE = SOURCE / "tests" / "web"
MODULES = BUILD / "tests" / "web"
PACKAGES = {"playwright-core": "1.60.0", "axe-core": "4.14.1"}  # the former is the last that Debian 12's Node runs
PATIENCE = 300

SCRIPT = """
[[agent]]
name = "thinker"
[[agent.step]]
delay = "700ms"
call = [{ tool = "fs.list", arguments = { path = "." } }]
[[agent.step]]
delay = "900ms"
say = "I found {{fs.list/entries|count}}."
[[agent]]
name = "publisher"
[[agent.step]]
call = [{ tool = "fs.write_file", arguments = { path = "public.txt", text = "The report of <b>the day</b>\\nis out." } }]
[[agent.step]]
say = "Published."
[[agent]]
name = "batcher"
match = "good"
step = [{ say = "Good." }]
"""

ECHO = '[[agent]]\nstep = [{ say = "{{query}}" }]\n'
MODEL = '[model]\nprovider = "played"\nmodel = "m"\n'
AGENTS = {
    "thinker": 'description = "Looks into a folder and thinks about it"\nlabels = { team = "ops" }\n' + MODEL + '[task]\nquery = "What is there?"\n[schedule]\ncron = "0 9 * * MON-FRI"\n'
               '[tools]\nallow = ["fs.list"]\n[limits]\ncost_per_day = 1.0\n',
    "publisher": 'description = "Publishes the report, once a person has said so"\n' + MODEL + '[task]\nquery = "Publish it."\n[tools]\nask = ["fs.write_file"]\n[memory]\nsession = "run"\n',
    "batcher": MODEL + '[task]\nquery = "Work."\n[retry]\nmax_retries = 0\n[alerts]\nconsecutive_failures = 1\n',
    "broken": '[task]\nquary = "What?"\n',
}
CONFIG = """
[providers.played]
plugin = "script"
file = "script.toml"
usage = "estimated"
[providers.played.prices."m"]
input = 3.0
output = 15.0
[toolsets.fs]
roots = ["data"]
[budget]
cost_per_day = 10.0
"""


def install():
    """The packages, in the build tree, once."""
    MODULES.mkdir(parents=True, exist_ok=True)
    (MODULES / "package.json").write_text(json.dumps({"private": True, "dependencies": PACKAGES}))
    wanted = json.dumps(PACKAGES)
    mark = MODULES / "installed"
    if mark.exists() and mark.read_text() == wanted:
        return
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"], cwd=MODULES, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    mark.write_text(wanted)


def setUpModule():
    install()


class Dashboard(AgentdTest):
    def hosted(self, api="", script=SCRIPT, agents=AGENTS, **environment):
        data = self.folder / "data"
        data.mkdir()
        (data / "note.txt").write_text("a note")
        (self.folder / "script.toml").write_text(script)
        return self.host(api + CONFIG, **agents).start(**environment)

    def play(self, story, agentd, **environment):
        pictures = MODULES / "pictures" / story
        shutil.rmtree(pictures, ignore_errors=True)
        told = subprocess.run(["node", str(HERE / f"{story}.mjs"), agentd.url, str(pictures)], capture_output=True, text=True, timeout=PATIENCE,
                              env={**os.environ, "WEB_MODULES": str(MODULES), **environment})
        print(told.stdout, end="")
        self.assertEqual(told.returncode, 0, f"{told.stdout}{told.stderr}\n--- host log\n{agentd.log()}")

    def test_an_operator_finds_the_way(self):
        agentd = self.hosted()
        (self.folder / "items.jsonl").write_text(json.dumps({"key": "one", "query": "bad"}) + "\n")
        agentd.cli("batch", "submit", "batcher", "items.jsonl", check=False)  # 1, where its item has failed by then
        until("an item is in quarantine", lambda: agentd.get("/v1/quarantine")["quarantine"])
        self.play("walk", agentd)

    def test_a_thousand_agents_do_not_stutter(self):
        agents = {f"agent-{i:04}": f'description = "Number {i}"\nlabels = {{ team = "t{i % 7}" }}\n[task]\nnative = "disk_report"\n[schedule]\ncron = "{i % 60} {i % 24} 1 1 *"\n' for i in range(1000)}
        self.play("thousand", self.hosted(agents=agents))

    def test_what_strangers_write_is_text(self):
        echo = 'description = "A <b>bold</b> agent"\n' + MODEL + '[task]\nquery = "What?"\n[limits]\ntotal_tokens_limit = 0\ncost_limit = 0\n'
        self.play("hostile", self.hosted(script=ECHO, agents={"echo": echo}))

    def test_who_has_a_token_does_what_its_role_may(self):
        tokens = {role.upper(): f"{role}-0123456789abcdef" for role in ("viewer", "operator")}
        section = ", ".join(f'{{ name = "{name}", role = "{name.lower()}", token = "env:{name}" }}' for name in tokens)
        agentd = self.hosted(f"tokens = [{section}]\n", script=ECHO, agents={"echo": MODEL + '[task]\nquery = "What?"\n'}, **tokens)
        self.play("tokens", agentd, **tokens)


if __name__ == "__main__":
    unittest.main(verbosity=2)
