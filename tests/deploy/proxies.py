"""nginx and HAProxy as their examples say, on free ports, in front of one host, for the name agents.example.com."""
import http.client
import shutil
import socket
import ssl
import subprocess

from agentd import PATIENCE, SOURCE, free_port, until
from readme import Reader

NAME = "agents.example.com"
NGINX = """
daemon off;
pid {here}/nginx.pid;
error_log {here}/nginx.log notice;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {here}/t1;
  proxy_temp_path {here}/t2;
  fastcgi_temp_path {here}/t3;
  uwsgi_temp_path {here}/t4;
  scgi_temp_path {here}/t5;
  include {here}/conf.d/*.conf;
}}
"""


class Proxy:
    """One of them; `program` is put in its place for whoever follows the README."""

    def __init__(self, example, config, folder, host_port):
        folder.mkdir()
        self.http_port, self.port = free_port(), free_port()
        self.reader = Reader(SOURCE / "examples" / "deploy" / example, folder)
        file = self.reader.here / config
        text = self.reader.below_root(file.read_text()).replace("127.0.0.1:8765", f"127.0.0.1:{host_port}")
        for was, becomes in (("listen 80", f"listen 127.0.0.1:{self.http_port}"), ("listen 443", f"listen 127.0.0.1:{self.port}"), ("bind :80\n", f"bind 127.0.0.1:{self.http_port}\n"), ("bind :443", f"bind 127.0.0.1:{self.port}")):
            text = text.replace(was, becomes)
        file.write_text(text)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", self.reader.here / "privkey.pem",
                        "-out", self.reader.here / "fullchain.pem"], check=True, capture_output=True)
        self.trust = ssl.create_default_context(cafile=self.reader.here / "fullchain.pem")
        # For curl, which is asked for the real name on the real port.
        (self.reader.here / ".curlrc").write_text(f'connect-to = "{NAME}:443:127.0.0.1:{self.port}"\ncacert = "{self.reader.here / "fullchain.pem"}"\n')
        self.process, self.log = None, folder / "log"

    def run(self, *command):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until("the proxy listens", self.listens)

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the proxy ended:\n{self.log.read_text()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def connect(self):
        """A connection over TLS to the name, which its certificate has to have."""
        connection = http.client.HTTPSConnection(NAME, self.port, timeout=PATIENCE, context=self.trust)
        connection._create_connection = lambda _, *rest: socket.create_connection(("127.0.0.1", self.port), *rest)
        return connection

    def ask(self, method, path, body=None, **headers):
        """(status, text, headers); a_header becomes a-header."""
        connection = self.connect()
        try:
            connection.request(method, path, body, {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)


def nginx(folder, host_port):
    proxy = Proxy("nginx", "agentd.conf", folder, host_port)
    here = proxy.reader.root / "etc" / "nginx"
    (here / "conf.d").mkdir(parents=True)
    (here / "nginx.conf").write_text(NGINX.format(here=here))
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx"
    proxy.reader.stand_in("nginx", f'exec {program} -e {here}/nginx.log -c {here}/nginx.conf "$@"')
    proxy.start = lambda: proxy.run(program, "-e", f"{here}/nginx.log", "-c", f"{here}/nginx.conf")
    return proxy


def haproxy(folder, host_port):
    proxy = Proxy("haproxy", "haproxy.cfg", folder, host_port)
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin") or "haproxy"
    proxy.reader.stand_in("haproxy", f'exec {program} "$@"')
    proxy.start = lambda: proxy.run(program, "-f", f"{proxy.reader.root}/etc/haproxy/haproxy.cfg")
    return proxy
