"""Completion in real shells, and the manual page."""
import http.server
import json
import os
import pty
import re
import select
import subprocess
import threading
import time
import unittest

from agentd import AGENTD, AgentdTest

WATCHER = '[task]\nnative = "disk_report"\n'


class Completion(AgentdTest):
    def setUp(self):
        super().setUp()
        self.agentd = self.host("", worker=WATCHER, other=WATCHER)
        self.agentd.start()
        self.variables = {**self.agentd.environment(), "PATH": f"{AGENTD.parent}:{os.environ['PATH']}", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        for shell in ("bash", "zsh", "fish"):
            (self.folder / f"agentd.{shell}").write_text(self.agentd.cli("completion", shell).stdout)

    def bash(self, line):
        words = line.split(" ")
        script = f'source agentd.bash; COMP_WORDS=({" ".join(words) if words[-1] else " ".join(words[:-1]) + " " + chr(39) * 2}); COMP_CWORD={len(words) - 1}; _agentd; printf "%s\\n" "${{COMPREPLY[@]}}"'
        return subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.variables, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]

    def fish(self, line):
        script = f"source agentd.fish; complete -C '{line}'"
        said = subprocess.run(["fish", "-c", script], cwd=self.folder, env=self.variables, capture_output=True, text=True, check=True)
        self.assertEqual(said.stderr, "")
        return [word.split("\t")[0] for word in said.stdout.split("\n")[:-1]]

    def zsh(self, line):
        """Types it and a tab into a real one, and looks at what it shows."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**self.variables, "TERM": "dumb", "PS1": "READY> ", "COLUMNS": "200"})
        try:
            for text, sign in (("autoload -U compinit; compinit -u -D; zstyle ':completion:*' list-prompt ''; source ./agentd.zsh; print SO''URCED\n", "SOURCED"), (f"{line}\t\t", None)):
                os.write(terminal, text.encode())
                shown = self.shown(terminal, sign)
            return shown
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)

    def shown(self, terminal, sign):
        shown, end = "", time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([terminal], [], [], 3)[0]:
                shown += os.read(terminal, 65536).decode(errors="replace")
                if sign and re.search(rf"\n{sign}", shown):
                    break
            elif not sign:
                break
        return shown

    def test_completes_commands_options_and_agents(self):
        for complete in (self.bash, self.fish):
            with self.subTest(shell=complete.__name__):
                self.assertEqual(complete("agentd appr"), ["approvals"])
                self.assertEqual(sorted(word for word in complete("agentd approvals ") if not word.startswith("-")), ["approve", "deny", "list", "show"])
                self.assertIn("--reason", complete("agentd agents pause --re"))
                self.assertEqual(sorted(word for word in complete("agentd agents show ") if not word.startswith("-")), ["other", "worker"])
                self.assertEqual(complete("agentd agents show wo"), ["worker"])
                self.assertIn("agentd.toml", complete("agentd init agentd.to"))
        self.assertIn("approvals", self.zsh("agentd appro"))
        shown = self.zsh("agentd agents show ")
        self.assertIn("worker", shown)
        self.assertIn("other", shown)

    def test_says_nothing_of_agents_where_no_host_runs(self):
        self.agentd.kill()
        self.assertEqual([word for word in self.bash("agentd agents show ") if not word.startswith("-")], [])

    def test_gives_no_shell_a_command_that_a_host_made_up(self):
        """Who listens there need not be a host: any user of the machine may, before one is started."""
        done = self.folder / "done"
        names = [f"$(touch {done})", f"`touch {done}`", f"x;touch {done}", f"x\ntouch {done}", "-x", "wo rker", "worker"]
        agents = json.dumps({"agents": [{"agent_id": name} for name in names], "next": None}).encode()

        class Liar(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(agents)))
                self.end_headers()
                self.wfile.write(agents)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.variables["AGENTD_URL"] = f"http://127.0.0.1:{server.server_port}"
        for complete in (self.bash, self.fish):
            with self.subTest(shell=complete.__name__):
                self.assertEqual([word for word in complete("agentd agents show ") if not word.startswith("-")], ["worker"])
        self.assertIn("worker", self.zsh("agentd agents show "))
        self.assertFalse(done.exists())

    def test_refuses_another_shell(self):
        refused = self.agentd.cli("completion", "tcsh", check=False)
        self.assertEqual(refused.returncode, 2)

    def test_the_manual_page_is_one(self):
        page = self.agentd.cli("manual").stdout
        formatted = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-K", "utf8"], input=page, capture_output=True, text=True, check=True)
        self.assertEqual(formatted.stderr, "")
        text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", formatted.stdout)
        told = [words for words in ("agents run", "quarantine retry", "EXIT STATUS", "AGENTD_API_TOKEN", "--cacert") if words in text]
        self.assertEqual(len(told), 5, told)


if __name__ == "__main__":
    unittest.main()
