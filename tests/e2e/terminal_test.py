"""What models, tools and strangers say does not steer the terminal of whoever reads it, nor a line of the log."""
import os
import pty
import select
import subprocess
import unittest

from agentd import AGENTD, PATIENCE, AgentdTest, until

# Clears the screen, sets the window's title in the seven and in the eight bit form, and turns a line round.
HOSTILE = "before\u001b[2J\u001b]0;owned\u0007\u009b2J\u009d0;owned\u009c\u007f\u202etxt.exe\u2066after"
STEERING = [character.encode() for character in "\u0007\u007f\u009b\u009d\u009c\u202e\u2066"] + [b"\x1b[2J", b"\x1b]"]
SPEAKER = '[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "Speak"\n'


def toml_text(text):
    return '"' + "".join(c if " " <= c < "\x7f" else f"\\u{ord(c):04x}" for c in text) + '"'


class Terminal(AgentdTest):
    def setUp(self):
        super().setUp()
        script = f'agent = [{{ step = [{{ call = [{{ tool = "fs.write_file", arguments = {{ path = "f", text = {toml_text(HOSTILE)} }} }}] }}, {{ say = {toml_text(HOSTILE)} }}] }}]\n'
        (self.folder / "script.toml").write_text(script)
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', speaker=SPEAKER)
        self.agentd.start()

    def on_a_terminal(self, *arguments):
        """Everything that appears on it, standard error too."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([str(AGENTD), *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=self.agentd.environment(TERM="xterm"))
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], PATIENCE)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the last who had it open is gone
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        process.wait(PATIENCE)
        return shown

    def assert_plain(self, shown, what):
        for steering in STEERING:
            self.assertNotIn(steering, shown, what)
        self.assertIn(b"before", shown, what)
        self.assertIn(b"after", shown, what)

    def test_an_answer_its_steps_and_its_events(self):
        run_id = self.agentd.submit("speaker", query=HOSTILE)
        self.agentd.wait_run(run_id)
        self.assert_plain(self.on_a_terminal("agents", "run", "speaker", "--wait"), "the answer")
        for command in (("runs", "show", run_id), ("runs", "show", run_id, "--json"), ("runs", "show", run_id, "--steps"), ("runs", "list", "--json"), ("events", "--run", run_id), ("events", "--run", run_id, "--json")):
            with self.subTest(" ".join(command)):
                self.assert_plain(self.on_a_terminal(*command), command)

    def test_an_answer_to_a_program_is_as_it_was_said(self):
        self.assertEqual(self.agentd.cli("agents", "run", "speaker", "--wait").stdout, HOSTILE + "\n")

    def test_a_run_without_a_host(self):
        self.agentd.stop()
        self.assert_plain(self.on_a_terminal("run", "agents/speaker.toml", "--config", "agentd.toml"), "run FILE")

    def test_why_something_was_refused(self):
        self.assert_plain(self.on_a_terminal("agents", "show", "before\u009b2J\u202eafter"), "a name that nobody has")
        self.assert_plain(self.on_a_terminal("agents", "create", HOSTILE), "a file that is not there")

    def test_the_name_of_a_file(self):
        (self.folder / "agents" / f"{HOSTILE}.toml").write_text(SPEAKER)
        until("it is told", lambda: "is refused" in self.agentd.log())
        self.assert_plain(self.agentd.log_file.read_bytes(), "the log")
        self.assert_plain(self.on_a_terminal("status"), "status")
        self.assert_plain(self.on_a_terminal("check", "--config", "agentd.toml"), "check")

    def test_no_line_of_the_log_is_a_strangers(self):
        (self.folder / "agents" / "a\n2026-01-01T00:00:00.000Z error   host: all is lost.toml").write_text(SPEAKER)
        until("it is told", lambda: "is refused" in self.agentd.log())
        lines = self.agentd.log_file.read_text().splitlines()
        self.assertTrue(any("all is lost" in line for line in lines))
        self.assertEqual([line for line in lines if line.startswith("2026-01-01") or not (line[:1].isdigit() or line.startswith("  "))], [])


if __name__ == "__main__":
    unittest.main()
