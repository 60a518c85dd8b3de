"""Receivers of what agentd tells: HTTP and SMTP on free ports of the loopback, with everything they were sent."""
import collections
import contextlib
import http.server
import json
import socketserver
import threading

Request = collections.namedtuple("Request", "method path headers body")
Mail = collections.namedtuple("Mail", "sender recipients text")


class Receiver:
    """Answers each path with the statuses it was told to, one after the other, then with 200."""

    def __init__(self):
        self.requests, self.answers, self.texts = [], collections.defaultdict(list), {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.requests.append(Request(self.command, self.path, dict(self.headers), body.decode()))
                status = receiver.answers[self.path].pop(0) if receiver.answers[self.path] else 200
                self.send_response(status)
                text = receiver.texts.get(self.path, b"heard")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # who does not read all of it may leave
                    self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def told(self, path):
        return [request for request in self.requests if request.path == path]

    def bodies(self, path):
        return [json.loads(request.body) for request in self.told(path)]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """As much of RFC 5321 as a client needs."""

    def __init__(self):
        self.mails, self.refusals = [], []
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                sender, recipients = None, []
                self.say("220 here")
                for line in self.rfile:
                    word = line.decode().strip()
                    if word.upper().startswith("MAIL FROM:"):
                        sender = word[10:].split()[0]
                    elif word.upper().startswith("RCPT TO:"):
                        recipients.append(word[8:].strip())
                    elif word.upper() == "DATA":
                        self.say("354 go on")
                        lines = []
                        while (text := self.rfile.readline().decode()) not in (".\r\n", ""):
                            lines.append(text)
                        if server.refusals:
                            self.say(server.refusals.pop(0))
                            continue
                        server.mails.append(Mail(sender, recipients, "".join(lines)))
                    elif word.upper() == "QUIT":
                        self.say("221 bye")
                        return
                    self.say("250 fine")

            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
