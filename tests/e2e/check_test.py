"""`agentd check` lists every mistake of a folder in one pass, each with its place; `serve` starts what is healthy all the same."""
import os
import re
import shutil
import sqlite3
import subprocess
import unittest

from agentd import AGENTD, BUILD, AgentdTest, openai

HEALTHY = '[model]\nprovider = "openai"\nmodel = "m"\n[task]\nquery = "Look"\n'

# agent: (manifest, line of the mistake, what the message says)
MISTAKES = {
    "wrong_key": ('[task]\nquery = "x"\n[model]\nprovider = "openai"\nmodel = "m"\n[schedule]\nintervall = "5m"\n', 7, 'did you mean "interval"'),
    "wrong_type": (HEALTHY + '[limits]\nmax_steps = "many"\n', 7, "max_steps"),
    "bad_cron": (HEALTHY + '[schedule]\ncron = "61 * * * *"\n', 7, "61"),
    "bad_zone": (HEALTHY + '[schedule]\ncron = "0 9 * * *"\ntimezone = "Europe/Berlim"\n', 8, "Europe/Berlin"),
    "unknown_tool": (HEALTHY + '[tools]\nallow = ["system.laod"]\n', 7, "system.laod"),
    "unknown_provider": ('[model]\nprovider = "opanai"\nmodel = "m"\n[task]\nquery = "x"\n', 2, "opanai"),
    "unknown_store": (HEALTHY + '[memory]\nstore = "attic"\n', 7, "attic"),
    "no_task": ('[model]\nprovider = "openai"\nmodel = "m"\n', None, "task"),
    "bad_duration": (HEALTHY + 'timeout = "5 minutes"\n', 6, "5 minutes"),
    "not_toml": ("[task\nquery = 1\n", 1, ""),
    "later": ('skills = ["report"]\n' + HEALTHY, None, "not supported yet"),
}


# Root is kept out of nothing without this.
MAY_NOT_PASS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


class Check(AgentdTest):
    def test_a_state_folder_that_cannot_be_written_is_told_once_with_what_to_do(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY)
        host.state.mkdir(exist_ok=True)
        host.state.chmod(0o500)
        for command in ("check", "serve"):
            done = subprocess.run([*MAY_NOT_PASS, str(AGENTD), command, "--config", "agentd.toml"], cwd=host.folder, capture_output=True, text=True, timeout=60, env=host.environment())
            out = done.stdout + done.stderr
            with self.subTest(command):
                self.assertEqual((done.returncode, out.count("Permission denied")), (2, 1), out)
                self.assertRegex(out, r"agentd\.toml:\d+:\d+: state folder: \S+ cannot be written: Permission denied\. Give it to the user that runs agentd, or name another")

    def test_a_folder_of_agents_that_is_not_there_is_told_where_it_is_named(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY)
        config = host.folder / "agentd.toml"
        lines = config.read_text().splitlines()
        line = next(i for i, text in enumerate(lines) if text.startswith("[host]")) + 1
        lines = [text for text in lines if not text.startswith("agent_dirs")]
        lines.insert(line, 'agent_dirs = ["agents", "agent"]')
        config.write_text("\n".join(lines) + "\n")
        out = host.cli("check", "--config", "agentd.toml", check=False).stdout
        self.assertRegex(out, rf"(?m)^agentd\.toml:{line + 1}:25: cannot read the folder of agents \S+/agent: No such file or directory$")
        flag = host.cli("check", "--config", "agentd.toml", "--agents", "nowhere", check=False).stdout
        self.assertRegex(flag, r"(?m)^--agents: cannot read the folder of agents \S*nowhere: No such file or directory$")

    def test_a_configuration_that_is_not_there_comes_before_what_comes_of_it(self):
        host = self.host("", healthy=HEALTHY)
        lines = host.cli("check", "--config", "nope.toml", check=False).stdout.splitlines()
        self.assertGreater(len(lines), 1)
        self.assertTrue(lines[0].startswith("nope.toml: "), lines)

    def test_a_plugin_that_another_folder_hides_is_no_mistake(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY)
        folder = self.folder / "own"
        folder.mkdir(mode=0o755)
        shutil.copy(BUILD / "lib" / "agentd" / "plugins" / "fs.so", folder)
        done = host.cli("check", "--config", "agentd.toml", "--plugins", str(folder))
        self.assertRegex(done.stdout, r'(?m)fs\.so: note: .*plugin "fs" .* is loaded from \S+/own/fs\.so already$')

    def test_agents_that_may_write_what_their_host_reads_are_noted(self):
        host = self.host(openai(self.endpoint()) + '[toolsets.fs]\nroots = ["data", "."]\n', healthy=HEALTHY)
        (host.folder / "data").mkdir()
        done = host.cli("check", "--config", "agentd.toml")
        self.assertRegex(done.stdout, r"(?m)^agentd\.toml:\d+:\d+: note: \S+, where agents may write, holds manifests of agents: \S+/agents; name a folder beside it, or set read_only = true$")
        self.assertNotIn("data, where", done.stdout)
        config = host.folder / "agentd.toml"
        config.write_text(config.read_text().replace('roots = ["data", "."]', 'roots = ["."]\nread_only = true'))
        self.assertNotIn("where agents may write", host.cli("check", "--config", "agentd.toml").stdout)

    def test_every_row_of_the_ledger_also_while_a_host_serves(self):
        host = self.host(openai(self.endpoint(rounds=0)), healthy=HEALTHY)
        host.start()
        run = host.submit("healthy")
        self.assertEqual(host.wait_run(run)["status"], "completed")
        check = lambda: host.cli("check", "--ledger", "--config", "agentd.toml", check=False)
        sound = check()
        self.assertEqual(sound.returncode, 0, sound.stdout + sound.stderr)
        self.assertRegex(sound.stdout, r"ledger\.db: 1 run and \d+ records were read\n")
        ledger = sqlite3.connect(host.state / "ledger.db", isolation_level=None)
        position, = ledger.execute("SELECT last FROM runs").fetchone()
        ledger.execute("UPDATE records SET payload='{}' WHERE position=?", (position,))
        ledger.close()
        damaged = check()
        self.assertEqual(damaged.returncode, 2, damaged.stdout + damaged.stderr)
        self.assertIn(f"ledger: position {position}: run {run}: the record is damaged: its checksum does not fit", damaged.stdout)
        self.assertEqual(host.cli("check", "--config", "agentd.toml").returncode, 0)

    def test_a_plugin_that_ends_the_process_is_named_and_one_that_nobody_needs_is_noted(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY)
        for name, code, says in (("aborts", 2, r"aborts\.so: .*it crashes when it is made: Aborted"), ("picky", 0, r"note: toolset \"failing\" is not there: .*nobody answers at 127\.0\.0\.1")):
            folder = self.folder / name
            folder.mkdir(mode=0o755)
            shutil.copy(BUILD / "tests" / "support" / "plugins" / "so" / f"{name}.so", folder)
            done = host.cli("check", "--config", "agentd.toml", "--plugins", str(folder), check=False)
            with self.subTest(name):
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertRegex(done.stdout, says)

    def test_lists_every_mistake_with_its_place(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY, **{name: text for name, (text, _, _) in MISTAKES.items()})
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        out = done.stdout + done.stderr
        for name, (_, line, says) in MISTAKES.items():
            with self.subTest(name):
                about = [text for text in out.splitlines() if f"{name}.toml:" in text]
                self.assertTrue(about, f"nothing about {name} in:\n{out}")
                self.assertRegex(about[0], rf"{name}\.toml:\d+:\d+: ")
                self.assertTrue(any(says in text for text in about), about)
                if line:
                    self.assertRegex(about[0], rf"{name}\.toml:{line}:\d+: ")
        self.assertFalse([text for text in out.splitlines() if re.search(r"healthy\.toml:\d+:\d+:", text) and "by hand" not in text and "has no price" not in text])

    def test_serve_starts_the_healthy_and_refuses_the_broken_by_name(self):
        host = self.host(openai(self.endpoint(rounds=0)), healthy=HEALTHY, bad_cron=MISTAKES["bad_cron"][0])
        host.start()
        agents = {agent["agent_id"]: agent for agent in host.get("/v1/agents")["agents"]}
        self.assertIn("healthy", agents)
        self.assertEqual(host.wait_run(host.submit("healthy"))["status"], "completed")
        self.assertIn("bad_cron", host.log())
        status, _ = host.request("POST", "/v1/agents/bad_cron/runs", {})
        self.assertIn(status, (404, 409))

    def test_stores_of_the_wrong_kind_are_told_at_their_place_in_one_pass(self):
        host = self.host(openai(self.endpoint()) + '[stores.log]\nplugin = "jsonl"\npath = "x"\n[stores.fast]\nplugin = "ram"\n'
                         '[ledger]\nstore = "fast"\n[memory]\nstore = "log"\n',
                         healthy=HEALTHY, forgetful=HEALTHY + '[memory]\nstore = "log"\n')
        lines = (host.folder / "agentd.toml").read_text().splitlines()
        done = host.cli("check", "--config", "agentd.toml", check=False)
        out = done.stdout + done.stderr
        self.assertEqual(done.returncode, 2, out)
        for section, says in (("[ledger]", "not ledger"), ("[memory]", "not memory")):
            self.assertRegex(out, rf"agentd\.toml:{lines.index(section) + 2}:\d+: .*wrong kind.*{says}")
        self.assertRegex(out, r"forgetful\.toml:7:\d+: .*wrong kind.*not memory")

    def test_a_broken_entry_is_told_at_its_place(self):
        host = self.host('[toolsets.fs]\nroots = 7\n[providers.openai]\nbase_url = "http://h"\napi_key = "env:NOBODY_SET_THIS"\n', healthy=HEALTHY)
        lines = (host.folder / "agentd.toml").read_text().splitlines()
        out = host.cli("check", "--config", "agentd.toml", check=False).stdout
        self.assertRegex(out, rf"agentd\.toml:{lines.index('[toolsets.fs]') + 2}:9: toolsets\.fs\.roots: expected array, got integer")
        self.assertRegex(out, rf"agentd\.toml:{lines.index('[providers.openai]') + 1}:\d+: providers\.openai: .*NOBODY_SET_THIS")

    def test_wrong_settings_are_told_once_at_their_place_and_agents_say_where(self):
        uses = HEALTHY + '[tools]\nallow = ["fs.*"]\n'
        host = self.host('[toolsets.fs]\nroots = "agents"\nread_onyl = true\n[toolsets.fss]\n[providers.opnai]\nbase_url = "http://h"\n'
                         '[providers.openai]\nbase_url = "http://h"\ntimout = "5s"\n[stores.attic]\nplugin = "sqlit"\n', one=uses, two=uses)
        first = (host.folder / "agentd.toml").read_text().splitlines().index("[toolsets.fs]") + 1
        told = [f'{first + 1}:9: toolsets.fs.roots: expected array, got string', f'{first + 2}:1: toolsets.fs: unknown key "read_onyl"; did you mean "read_only"?',
                f'{first + 8}:1: providers.openai: unknown key "timout"; did you mean "timeout"?']
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 2)
        for line in told:
            self.assertEqual(done.stdout.count(f"agentd.toml:{line}\n"), 1, done.stdout)
        self.assertRegex(done.stdout, rf'agentd.toml:{first + 3}:11: toolsets.fss: no plugin provides the toolset "fss"; there is .*; did you mean "fs"\?')
        self.assertRegex(done.stdout, rf'agentd.toml:{first + 4}:12: providers.opnai: no plugin provides the provider "opnai"; there is .*; did you mean "openai"\?')
        self.assertRegex(done.stdout, rf'agentd.toml:{first + 10}:10: stores.attic: no plugin provides the store "sqlit"; there is .*sqlite.*; did you mean "sqlite"\?')
        self.assertIn(f'agents/one.toml:7:10: toolset "fs" cannot be used: see agentd.toml:{first + 1}:9\n', done.stdout)
        host.start()
        for line in told:
            self.assertEqual(host.log().count(f"agentd.toml:{line}"), 1, host.log())

    def test_a_sink_of_no_kind_is_told_once(self):
        host = self.host('[sinks.x]\nkind = "teams"\n')
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout, r'\A[^\n]*"kind" must be [^\n]*not "teams"\n\Z')

    def test_settings_that_narrow_a_toolset_are_told_at_their_place(self):
        narrows = HEALTHY + '[tools]\nallow = ["fs.*"]\ntoolsets.fs = {{ {} }}\n'
        host = self.host(openai(self.endpoint()) + '[toolsets.fs]\nroots = ["agents"]\n', word=narrows.format('roots = "x"'), item=narrows.format('roots = ["x", 7]'),
                         key=narrows.format("rots = []"), wider=narrows.format('roots = ["/"]'))
        out = host.cli("check", "--config", "agentd.toml", check=False).stdout
        self.assertIn("agents/word.toml:8:25: tools.toolsets.fs.roots: expected array, got string\n", out)
        self.assertIn("agents/item.toml:8:31: tools.toolsets.fs.roots[1]: expected string, got integer\n", out)
        self.assertIn('agents/key.toml:8:17: tools.toolsets.fs: unknown key "rots"; did you mean "roots"?\n', out)
        self.assertRegex(out, r"agents/wider.toml:8:10: tools.toolsets.fs: .*roots")

    def test_a_short_secret_is_noted_and_never_shown(self):
        host = self.host(openai(self.endpoint(), api_key="env:HOME_KEY"), healthy=HEALTHY)
        done = subprocess.run([str(AGENTD), "check", "--config", "agentd.toml"], cwd=host.folder, capture_output=True, text=True, env=host.environment(HOME_KEY="qzx"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("the value of env:HOME_KEY has fewer than 8 bytes", done.stdout)
        self.assertNotIn("qzx", done.stdout + done.stderr)

    def test_paths_that_narrow_a_toolset_are_relative_to_the_manifest(self):
        narrowed = HEALTHY + '[tools]\nallow = ["fs.*"]\ntoolsets.fs = { roots = ["data"] }\n'
        host = self.host(openai(self.endpoint()) + '[toolsets.fs]\nroots = ["agents", "other"]\n', healthy=narrowed)
        (host.folder / "agents" / "data").mkdir()
        (host.folder / "other").mkdir()
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (host.folder / "agents" / "data").rmdir()
        (host.folder / "other" / "data").mkdir()
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn(str(host.folder / "agents" / "data"), done.stdout)

    def test_a_folder_without_agents_is_fine_unless_it_was_named(self):
        host = self.host("", healthy=HEALTHY)
        empty = host.folder / "empty"
        empty.mkdir()
        for arguments, code, says in ((["check"], 0, f"note: no agents: there is no *.toml in {empty / 'agents'}"),
                                           (["check"], 0, f"note: no configuration file: there is no {empty / 'agentd.toml'}, no {empty / '.config/agentd/agentd.toml'}, no /etc/agentd/agentd.toml"),
                                           (["check", "--agents", "gone"], 2, f"--agents: cannot read the folder of agents {empty / 'gone'}: No such file or directory")):
            done = subprocess.run([str(AGENTD), *arguments], cwd=empty, capture_output=True, text=True, env=host.environment(HOME=str(empty)))
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            self.assertIn(says, done.stdout)

    def test_serve_says_what_it_did_not_find(self):
        host = self.host("")
        empty = host.folder / "empty"
        empty.mkdir()
        done = subprocess.run([str(AGENTD), "serve", "--for", "100ms", "--listen", f"127.0.0.1:{host.port}"], cwd=empty, capture_output=True, text=True, env=host.environment(HOME=str(empty)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"no configuration file: there is no {empty / 'agentd.toml'}, ", done.stderr)
        self.assertIn(f"no agents: there is no *.toml in {empty / 'agents'}", done.stderr)
        self.assertNotIn("error", done.stderr)

    def test_nothing_wrong_is_exit_0(self):
        host = self.host(openai(self.endpoint()), healthy=HEALTHY)
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("by hand", done.stdout + done.stderr)  # it has neither schedule nor trigger


if __name__ == "__main__":
    unittest.main()
