"""A PostgreSQL server for tests, on a free port of the loopback interface, in a folder of its own; taken down with its `with` block."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from agentd import PATIENCE, free_port, until


def program(name):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, f"no {name} below /usr/lib/postgresql: install the packages of .ci/packages"
    return str(found[-1])


class Postgres:
    def __init__(self, **settings):
        self.settings = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="agentd-pg-"))
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None  # the server refuses to be root
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.server = None

    def command(self, *arguments, **options):
        if self.user:
            options |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return subprocess.Popen(arguments, cwd="/", stdin=subprocess.DEVNULL, **options)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.server = self.command(program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", *self.settings,
                                       stdout=log, stderr=log)
        ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        until("the server takes connections", lambda: subprocess.run(ready).returncode == 0, pause=0.05)

    def kill(self):
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(PATIENCE)

    def ask(self, sql):
        """The rows, as psql prints them."""
        done = subprocess.run([program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", self.url, "-c", "SET search_path=agentd", "-c", sql], capture_output=True, text=True, check=True)
        return done.stdout.split("\n")[:-1]

    def __enter__(self):
        made = self.command(program("initdb"), "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = made.communicate()[0]
        assert made.returncode == 0, said
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder)
