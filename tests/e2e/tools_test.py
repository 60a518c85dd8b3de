"""`agentd tools` lists and calls what a configuration's toolsets offer, without a host."""
import json
import pathlib
import shutil
import signal
import subprocess
import time
import unittest
import uuid

from agentd import AGENTD, BUILD, PATIENCE, AgentdTest, until

OTHERS = BUILD / "tests" / "support" / "plugins" / "so"


class Tools(AgentdTest):
    def setUp(self):
        super().setUp()
        (self.folder / "data").mkdir()
        (self.folder / "data" / "a.txt").write_text("a line of it\n")
        self.agentd = self.host(f'[toolsets.fs]\nroots = ["data"]\n[toolsets.marker]\nfile = "{self.folder}/marks"\n[defaults.limits]\ntool_call_timeout = "20s"\n')

    def tools(self, *arguments, **options):
        return self.agentd.cli("tools", *arguments, "--config", "agentd.toml", check=False, **options)

    def call(self, *arguments, **options):
        return self.tools("call", *arguments, **options)

    def plugin(self, name):
        folder = self.folder / "more"
        folder.mkdir(mode=0o755, exist_ok=True)
        shutil.copy(OTHERS / f"{name}.so", folder)
        return str(folder)

    def configure(self, text):
        config = self.folder / "agentd.toml"
        config.write_text(config.read_text() + text)

    def marked(self, mark):
        """Processes that have inherited a variable of this test."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark.encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def test_lists_every_tool_with_its_effect_and_schema(self):
        listed = self.tools("list")
        self.assertEqual((listed.returncode, listed.stderr), (0, ""))
        rows = {row[0]: row[1:] for row in (line.split("\t") for line in listed.stdout.splitlines())}
        self.assertEqual(rows["fs.write_file"][0], "idempotent")
        self.assertEqual(rows["marker.once"], ["once", "Leaves a mark that must not be left twice"])
        self.assertTrue({"system.load", "http.fetch", "report.nothing_new"} <= rows.keys(), rows.keys())
        document = json.loads(self.tools("list", "--json").stdout)
        self.assertEqual({tool["name"] for tool in document["tools"]}, rows.keys())
        stat, = (tool for tool in document["tools"] if tool["name"] == "fs.stat")
        self.assertEqual((stat["toolset"], stat["schema"]["required"]), ("fs", ["path"]))

    def test_works_with_no_configuration_at_all(self):
        alone = self.folder / "alone"
        alone.mkdir()
        done = subprocess.run([str(AGENTD), "tools", "call", "system.load"], cwd=alone, capture_output=True, text=True, timeout=PATIENCE, env=self.agentd.environment(HOME=str(alone)))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("uptime_seconds", json.loads(done.stdout))
        self.assertEqual(list(alone.iterdir()), [])

    def test_a_toolset_that_could_not_be_made_is_said_and_the_others_are_listed(self):
        self.configure('[toolsets.wrong]\nplugin = "fs"\nroots = 7\n')
        for arguments in ((), ("--json",)):
            listed = self.tools("list", *arguments)
            self.assertEqual(listed.returncode, 1, listed)
            self.assertIn('toolset "wrong" is not there: ', listed.stderr)
            self.assertIn("system.load", listed.stdout)
        self.assertEqual([broken["toolset"] for broken in json.loads(listed.stdout)["broken_toolsets"]], ["wrong"])
        called = self.call("wrong.stat")
        self.assertEqual((called.returncode, called.stdout), (1, ""))
        self.assertIn('toolset "wrong" cannot be used: ', called.stderr)

    def test_a_plugin_that_ends_the_process_is_named(self):
        listed = self.tools("list", "--plugins", self.plugin("aborts"))
        self.assertEqual(listed.returncode, 1, listed)
        self.assertRegex(listed.stderr, r"aborts\.so: .*it crashes when it is made: Aborted")

    def test_a_call_prints_its_result_and_nothing_else(self):
        done = self.call("marker.once", '{"text":"now"}')
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "marked now\n", ""))
        mark = (self.folder / "marks").read_text()
        self.assertRegex(mark, r"^call-\d+/1/0 now\n$")
        piped = self.call("fs.stat", "-", input=json.dumps({"path": "a.txt"}))
        self.assertEqual(json.loads(piped.stdout)["size"], 13, piped)
        whole = json.loads(self.call("fs.stat", '{"path":"a.txt"}', "--json").stdout)
        self.assertEqual((whole["tool"], whole["effect"], whole["outcome"], whole["result"]["size"]), ("fs.stat", "pure", "ok", 13))

    def test_only_the_toolset_of_the_call_is_made(self):
        self.configure('[toolsets.wrong]\nplugin = "fs"\nroots = 7\n')
        done = self.call("marker.pure")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "marked mark\n", ""))

    def test_secrets_are_shown_to_nobody(self):
        self.configure('[providers.openai]\nbase_url = "http://127.0.0.1:9"\napi_key = "env:DOOR"\n')
        done = subprocess.run([str(AGENTD), "tools", "call", "marker.pure", '{"text":"sesame opens the door"}', "--config", "agentd.toml"], cwd=self.folder, capture_output=True, text=True,
                              timeout=PATIENCE, env=self.agentd.environment(DOOR="sesame opens"))
        self.assertEqual((done.returncode, done.stdout), (0, "marked [secret] the door\n"), done.stderr)

    def test_an_error_goes_to_standard_error_with_its_class(self):
        failed = self.call("marker.fail")
        self.assertEqual((failed.returncode, failed.stdout, failed.stderr), (1, "", "agentd: marker.fail: terminal: as asked\n"))
        told = self.call("marker.fail", "--json")
        self.assertEqual(told.returncode, 1)
        document = json.loads(told.stdout)
        self.assertEqual((document["outcome"], document["error"], document["error_class"]), ("error", "as asked", "terminal"))
        crashed = self.call("stubborn.crash")
        self.assertEqual((crashed.returncode, crashed.stdout), (1, ""))
        self.assertIn("stubborn.crash: crash: it ended the process (Segmentation fault)", crashed.stderr)

    def test_wrong_usage_is_told_and_nothing_is_called(self):
        for arguments, says in ((("marker.pure", '{"text":'), "marker.pure: the arguments are "),
                                (("marker.pure", "[]"), "marker.pure: the arguments are not a JSON object"),
                                (("marker.pure", '{"text":1}'), "marker.pure: the arguments do not fit: /text: expected string, got integer"),
                                (("marker.pur",), 'there is no tool "marker.pur"; did you mean "marker.pure"?'),
                                (("markers.pure",), 'there is no tool "markers.pure"; did you mean "marker.pure"?'),
                                (("marker.pure", "--timeout", "soon"), "--timeout")):
            with self.subTest(arguments):
                done = self.call(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done)
                self.assertIn(says, done.stderr)
        self.assertFalse((self.folder / "marks").exists())

    def test_the_timeout_holds_and_an_unknown_outcome_is_called_so(self):
        begin = time.monotonic()
        late = self.call("stubborn.sleep", "--timeout", "300ms")
        self.assertEqual((late.returncode, late.stdout), (1, ""))
        self.assertIn("stubborn.sleep: timeout: ", late.stderr)
        config = (self.folder / "agentd.toml").read_text()
        (self.folder / "agentd.toml").write_text(config.replace('"20s"', '"1s"').replace("[defaults.limits]", "delay_ms = 60000\n[defaults.limits]"))
        unknown = self.call("marker.once")
        self.assertEqual((unknown.returncode, unknown.stdout), (1, ""))
        self.assertIn("marker.once: unknown_outcome: it may or may not have happened", unknown.stderr)
        self.assertLess(time.monotonic() - begin, 30)

    def test_ctrl_c_cancels_and_leaves_no_process(self):
        for tool, arguments, says in (("stubborn.nap", '{"seconds":60}', "slept"), ("stubborn.child", "{}", "stubborn.child: cancelled: "), ("stubborn.sleep", "{}", "stubborn.sleep: cancelled: ")):
            with self.subTest(tool):
                mark = uuid.uuid4().hex
                process = subprocess.Popen([str(AGENTD), "tools", "call", tool, arguments, "--config", "agentd.toml"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, text=True, env=self.agentd.environment(MARK=mark))
                parts = 3 if tool == "stubborn.child" else 2
                until("the call is under way", lambda: len(self.marked(mark)) >= parts and self.threads(mark) > 1)
                time.sleep(0.3)  # the body has begun
                begin = time.monotonic()
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=PATIENCE)
                self.assertLess(time.monotonic() - begin, 5)
                self.assertIn(says, out + err)
                self.assertEqual(process.returncode, 0 if says == "slept" else 1)
                self.assertEqual(self.marked(mark), [])

    def threads(self, mark):
        return max((len(list(pathlib.Path(f"/proc/{process}/task").glob("*"))) for process in self.marked(mark)), default=0)


if __name__ == "__main__":
    unittest.main()
