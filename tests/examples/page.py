"""What a page of documentation shows, done as a reader does it: its commands one after the other in one shell on a terminal, each held
against the output that stands below it.

A page is Markdown. Its ```sh blocks are commands; a ```text block that follows is what the last of them prints. Words behind a fence's
language are for this file alone, readers are not shown them:

    ```sh fails        the last command of the block ends with an exit code other than 0
    ```sh again        what is shown is there after a moment: the block is run until it is
    ```sh alone        whatever still runs is ended first, as Ctrl-C does
    ```sh elsewhere    run by another test, or not at all: the caller's list says which and why
    ```text numbers    the numbers in it are of the day: any number stands for any other

Of outputs these count as equal, whatever they are: instants, spans of time, ids of runs and events, the width of columns. `...` stands for
any text, and on a line of its own for any lines. An id that was shown may stand in a later command: it is then the one that was printed in its
place. A page's folder is /home/ana/NAME in it, wherever it really is, and a port of the loopback interface that it names is a free one.

Commands that run until somebody ends them (a host, `--follow`, a web server) stay, as in a terminal of their own; a host has to end well."""
import fcntl
import os
import pathlib
import re
import selectors
import shlex
import signal
import struct
import subprocess
import termios
import time

from agentd import AGENTD, PATIENCE, SOURCE, free_port, until

COLUMNS = 140
HOST = r"agentd serve\b"
FOR_EVER = rf"^({HOST}|python3 -m http\.server\b|agentd .*--follow\b)"
MARK = "\x1e"  # written behind a command's output
KINDS = {"sh": {"fails", "again", "alone", "elsewhere"}, "text": {"numbers"}}


class Block:
    def __init__(self, line, language, words, text):
        self.line, self.language, self.words, self.text = line, language, words, text

    def commands(self):
        """A line each, those that end in a backslash with the next one."""
        whole = [line.strip() for line in re.sub(r"\\\n\s*", "", self.text).splitlines()]
        return [line for line in whole if line and not line.startswith("#")]


def blocks_of(markdown):
    """Every fenced block. Words that this file does not know are an error: a misspelt one would switch a check off."""
    found = []
    for match in re.finditer(r"^```(\w*)([^\n]*)\n(.*?)^```$", markdown, re.M | re.S):
        language, words = match[1] or "text", set(match[2].split())
        line = markdown[:match.start()].count("\n") + 1
        if language in KINDS and not words <= KINDS[language]:
            raise ValueError(f"line {line}: {words - KINDS[language]} is none of {KINDS[language]}")
        found.append(Block(line, language, words, match[3]))
    return found


def shown_after(blocks, block):
    """The ```text block that follows a ```sh block, before the next one."""
    following = blocks[blocks.index(block) + 1:]
    return next((other for other in following[:1] if other.language == "text"), None)


# What is of the day, and what takes its place before two outputs are compared. The first that fits wins.
OF_THE_DAY = [
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", "INSTANT"),
    (r"\b[0-9a-f]{16}-\d{3}\b", "EVENT"),
    (r"\b\d+-[0-9a-z]{7}\b", "RUN"),
    (r"\b(?:in \d+[smhd]|\d+[smhd] ago)\b", "WHEN"),
    (r"\bduration_ms(\W+)\d+", "duration_ms SPAN"),
    (r"\b\d+(?:\.\d+)? ?(?:ms|s)\b", "SPAN"),
]
ID = r"\b(?:[0-9a-f]{16}-\d{3}|\d+-[0-9a-z]{7})\b"


def settled(text, numbers=False):
    """An output with what is of the day taken out of it."""
    lines = [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line.split("\r\x1b[K")[-1]) for line in text.replace("\r\n", "\n").split("\n")]
    out = []
    for line in lines:
        for pattern, name in OF_THE_DAY:
            line = re.sub(pattern, name, line)
        if numbers:
            line = re.sub(r"(?<![\w.])-?\d+(?:[.,]\d+)*", "N", line)
        out.append(re.sub(r"[ \t]+", " ", line).strip())
    return "\n".join(out).strip()


def fits(shown, printed, numbers=False):
    lines = settled(shown, numbers).split("\n")
    pattern = "".join(r"(?:[^\n]*\n)*" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + "\n" for line in lines)
    return re.fullmatch(pattern, settled(printed, numbers) + "\n") is not None


class Shell:
    """Bash on a terminal. What it started ends with it."""

    def __init__(self, folder, environment, patience):
        self.patience = patience
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        said, says = os.pipe()
        self.says = says
        self.bash = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs,
                                     pass_fds=[says], start_new_session=True, text=True)
        os.close(theirs)
        os.close(says)
        self.terminal, self.said = ours, said
        self.answers = ""

    def tell(self, line):
        self.bash.stdin.write(line + "\n")
        self.bash.stdin.flush()

    def run(self, command):
        """Exit code and output."""
        self.tell(f"eval {shlex.quote(command)} </dev/null; printf '%s\\n' $? >&{self.says}; printf '{MARK}'")
        output = self.read(self.terminal, MARK, command)
        return int(self.answer(command)), output

    def start(self, command, file):
        """The process id of what stays."""
        self.tell(f"{re.sub(r' +#.*', '', command)} </dev/null >{shlex.quote(str(file))} 2>&1 & printf '%s\\n' $! >&{self.says}")
        return int(self.answer(command))

    def wait(self, pid):
        self.tell(f"wait {pid}; printf '%s\\n' $? >&{self.says}")
        return int(self.answer(f"wait {pid}"))

    def answer(self, command):
        if "\n" not in self.answers:
            self.answers += self.read(self.said, "\n", command) + "\n"
        line, self.answers = self.answers.split("\n", 1)
        return line

    def read(self, descriptor, mark, command):
        end, got = time.monotonic() + self.patience, b""
        with selectors.DefaultSelector() as ready:
            ready.register(descriptor, selectors.EVENT_READ)
            while not got.endswith(mark.encode()):
                if not ready.select(max(0, end - time.monotonic())):
                    raise AssertionError(f"`{command}` has not ended after {self.patience} s:\n{got.decode(errors='replace')}")
                got += os.read(descriptor, 1 << 16)
        return got.decode(errors="replace").removesuffix(mark)

    def close(self):
        os.killpg(self.bash.pid, signal.SIGKILL)
        self.bash.stdin.close()
        self.bash.wait()
        for descriptor in (self.terminal, self.said):
            os.close(descriptor)


class Reader:
    """Somebody who does what a page says, in a folder of their own."""

    def __init__(self, folder, scratch, name, ports=(), environment=None, elsewhere=(), patience=PATIENCE):
        self.patience = patience
        self.folder, self.scratch, self.name, self.elsewhere = folder, pathlib.Path(scratch), name, elsewhere
        self.ports = {str(port): str(free_port()) for port in {8765, *ports}}
        for file in (file for file in pathlib.Path(folder).rglob("*.toml") if file.is_file()):
            file.write_text(self.with_free_ports(file.read_text()))
        address = f"127.0.0.1:{self.ports['8765']}"
        kept = {key: value for key, value in os.environ.items() if not re.match("AGENTD|OPENAI|ANTHROPIC", key)}
        self.url = f"http://{address}"
        self.shell = Shell(folder, {**kept, "PATH": f"{AGENTD.parent}:{os.environ['PATH']}", "AGENTD_URL": self.url, "AGENTD__API__LISTEN": address, "USER": "ana",
                                    "NO_COLOR": "1", "LC_ALL": "C.UTF-8", **(environment or {})}, patience)
        self.staying = []  # (command, process, file), the latest last
        self.ids = {}      # those of the page, and what they are here

    def with_free_ports(self, text):
        for shown, free in self.ports.items():
            text = re.sub(rf"\b(127\.0\.0\.1:|localhost:|http\.server ){shown}\b", rf"\g<1>{free}", text)
        return text

    def is_shown(self, shown, output):
        if shown is None:
            return True
        ours, theirs = re.findall(ID, output), re.findall(ID, shown.text)
        if not fits(shown.text, output, "numbers" in shown.words):
            return False
        if len(ours) == len(theirs):
            self.ids.update(zip(theirs, ours))
        return True

    def as_shown(self, output):
        for shown, free in self.ports.items():
            output = output.replace(f":{free}", f":{shown}").replace(f" {free} ", f" {shown} ")
        return output.replace(str(self.folder), f"/home/ana/{self.name}")

    def follow(self, markdown):
        blocks = blocks_of(markdown)
        for block in (block for block in blocks if block.language == "sh" and "elsewhere" not in block.words):
            self.do(block, shown_after(blocks, block))
        self.end_what_stays()

    def do(self, block, shown):
        if "alone" in block.words:
            self.end_what_stays()
        tried = []

        def once():
            output = "".join(self.command(command, block, is_last=command == block.commands()[-1]) for command in block.commands() if command not in self.elsewhere)
            tried[:] = [self.as_shown(output)]
            return self.is_shown(shown, tried[0])

        for_ever = re.search(FOR_EVER, block.commands()[-1]) is not None
        try:
            if for_ever:
                once()
                file = self.staying[-1][2]
                until("the output is there", lambda: self.is_shown(shown, self.as_shown(file.read_text())), self.patience)
            elif "again" in block.words:
                until("the output is there", once, self.patience, pause=0.2)
            else:
                assert once()
        except AssertionError as failed:
            raise AssertionError(f"line {block.line}: {failed}\n--- done\n{block.text}--- shown\n{shown.text if shown else ''}--- printed\n{''.join(tried)}\n{self.logs()}") from None

    def command(self, command, block, is_last):
        if re.search(FOR_EVER, command):
            self.stay(command)
            return ""
        here = re.sub(ID, lambda found: self.ids.get(found[0], found[0]), self.with_free_ports(command))
        code, output = self.shell.run(here)
        if (code != 0) != (is_last and "fails" in block.words) and "again" not in block.words:
            raise AssertionError(f"`{command}` exited {code}:\n{output}")
        return output

    def stay(self, command):
        file = self.scratch / f"stays-{len(os.listdir(self.scratch))}"
        file.touch()
        pid = self.shell.start(self.with_free_ports(command), file)
        self.staying.append((command, pid, file))
        if re.search(HOST, command):
            until("the host is ready", lambda: self.is_ready(file), self.patience)

    def is_ready(self, log):
        if " host: stopped" in log.read_text() or "agentd: " in log.read_text():
            raise AssertionError(f"the host did not start:\n{log.read_text()}")
        return " is ready at " in log.read_text()

    def end_what_stays(self):
        while self.staying:
            command, pid, file = self.staying.pop(0 if len(self.staying) == 1 else -1)
            os.kill(pid, signal.SIGTERM)
            code = self.shell.wait(pid)
            if re.search(HOST, command) and code != 0:
                raise AssertionError(f"`{command}` ended with {code}:\n{file.read_text()}")

    def logs(self):
        return "".join(f"--- {command}\n{file.read_text()[-6000:]}" for command, _, file in self.staying)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shell.close()
