"""Whatever a client sends, a host answers what is wrong with it or hangs up: it does not do a part of it, keeps nothing of it, and goes
on answering others. What is asked for wrongly is taken from the host's own description of itself."""
import json
import os
import pathlib
import resource
import socket
import time
import unittest

from agentd import PATIENCE, AgentdTest, is_sanitized, until

AGENT = '[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "Look"\n[limits]\nqueue_size = 1000\ntokens_per_day = 1000000\n'
MIB = 1 << 20
CONNECTIONS = 10_000
GROWTH = 8 * MIB
NO_JSON = {
    "cut short": b'{"query": "x', "two documents": b'{"query": "x"} {}', "no object": b'["query"]', "a text": b'"query"', "a bare word": b"nul", "a comma too many": b'{"query": "x",}',
    "not UTF-8": b'{"query": "\xff"}', "half a surrogate pair": b'{"query": "\\ud800"}', "an overlong NUL": b'{"query": "\xc0\x80"}', "a NUL": b'{"query": "x"}\0', "a byte order mark": b"\xef\xbb\xbf{}",
    "a key twice": b'{"query": "x", "query": "y"}', "too deep": b'{"params": ' + b'{"a":' * 64 + b"1" + b"}" * 65, "a number that no double holds": b'{"params": {"a": 1e999}}',
}
ANY_QUERY = {"/healthz", "/readyz", "/metrics", "/", "/assets/{version}/{file}", "/assets/{version}/{folder}/{file}", "/v1/hooks/{agent}/{trigger}"}
JSON = b"Content-Type: application/json\r\n"
WRONG = {"string": 7, "object": [], "number": "soon", "integer": 1.5, "boolean": "yes"}


class Client:
    """One connection; sends bytes as they are."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.unread = b""

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # the host has hung up already, and its answer is still to be read
        return self

    def more(self):
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        self.unread += piece
        return bool(piece)

    def answer(self):
        """(status, headers, body); None: the host has hung up."""
        while b"\r\n\r\n" not in self.unread:
            if not self.more():
                return None
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        length = int(headers["content-length"])
        while len(self.unread) < length and self.more():
            pass
        body, self.unread = self.unread[:length], self.unread[length:]
        return int(first.split()[1]), headers, body

    def answer_head(self):
        """The status of what comes first."""
        while b"\r\n\r\n" not in self.unread and self.more():
            pass
        return int(self.unread.split()[1])

    def answers(self):
        """Every one until the host hangs up."""
        while (answer := self.answer()) is not None:
            yield answer

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(method, path, body=b"", headers=b""):
    return b"%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n%s" % (method.encode(), path.encode(), headers, len(body), body)


class BadHttp(AgentdTest):
    def setUp(self):
        super().setUp()
        (self.folder / "script.toml").write_text('agent = [{ step = [{ say = "Said." }] }]\n')
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', worker=AGENT).start()
        self.agent = self.agentd.get("/v1/agents/worker")
        self.document = self.agentd.get("/v1/openapi.json")

    def tearDown(self):
        self.assertIsNone(self.agentd.process.poll(), self.agentd.log())
        self.assertEqual(self.agentd.get("/v1/runs")["runs"], [], "nothing was done")
        self.assertEqual(self.agentd.get("/v1/agents/worker"), self.agent, "nothing has changed")
        self.assertEqual(self.agentd.get("/v1/budgets")["budgets"][0]["raised"], 0)

    def client(self):
        return self.enter(Client(self.agentd.port))

    def ask(self, data):
        with Client(self.agentd.port) as client:
            return client.send(data).answer()

    def assert_problem(self, answer, *statuses):
        status, headers, body = answer
        self.assertIn(status, statuses, body)
        self.assertEqual(headers["content-type"], "application/problem+json")
        problem = json.loads(body)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["detail"])
        return problem

    def resolved(self, value):
        while "$ref" in value:
            found = self.document
            for step in value["$ref"][2:].split("/"):
                found = found[step]
            value = found
        return value

    def operations(self):
        """(method, path, body's schemas) of each that takes JSON from people, at names that are here where there are such."""
        for pattern, item in self.document["paths"].items():
            for method, operation in item.items():
                content = self.resolved(operation.get("requestBody", {})).get("content", {})
                if "application/json" not in content or pattern.startswith("/v1/hooks/"):
                    continue
                path = pattern.replace("/v1/agents/{id}", "/v1/agents/worker").replace("{id}", "1-0000000").replace("{run_id}", "1-0000000")
                path = path.replace("{call_id}", "1-0000000%2F1%2F0").replace("{run}/{step}/{index}", "1-0000000/1/0").replace("/v1/memory/{agent}", "/v1/memory/worker")
                yield method.upper(), path, self.resolved(content["application/json"]["schema"])


class Bodies(BadHttp):
    def test_that_are_no_json_object_are_refused_by_everything_that_takes_one(self):
        asked = 0
        for method, path, _ in self.operations():
            for what, body in NO_JSON.items():
                with self.subTest(f"{method} {path}: {what}"):
                    answer = self.ask(request(method, path, body, JSON))
                    self.assert_problem(answer, 400, *((404,) if "1-0000000" in path else ()))
                    asked += 1
        self.assertGreater(asked, 100)

    def test_with_a_member_that_is_not_known_or_not_of_its_type_are_refused_at_that_member(self):
        asked = 0
        for method, path, schema in self.operations():
            if "1-0000000" in path:
                continue
            properties = {name: self.resolved(of) for one in schema.get("anyOf", [schema]) for name, of in one.get("properties", {}).items()}
            wrong = {name: WRONG[kind] for name, of in properties.items() for kind in [next((k for k in WRONG if k in str(of.get("type", of))), "string")]}
            for name, value in {**wrong, "no such member": 1}.items():
                with self.subTest(f"{method} {path}: {name}"):
                    problem = self.assert_problem(self.ask(request(method, path, json.dumps({name: value}).encode(), JSON)), 422, *((409,) if path == "/v1/agents/worker" else ()))
                    if problem["status"] == 422:  # 409: of a file, where it is changed
                        self.assertIn("/" + name, [error["pointer"] for error in problem["errors"]])
                    asked += 1
        self.assertGreater(asked, 15)

    def test_that_are_too_long_are_refused_by_everything(self):
        for method, path, _ in self.operations():
            with self.subTest(f"{method} {path}"):
                self.assert_problem(self.ask(request(method, path, b'{"query": "%s"}' % (b"x" * MIB), JSON)), 413)

    def test_that_are_not_said_to_be_json_are_refused_by_everything(self):
        for method, path, _ in self.operations():
            with self.subTest(f"{method} {path}"):
                self.assert_problem(self.ask(request(method, path, b"query=x", b"Content-Type: application/x-www-form-urlencoded\r\n")), 415)


class Targets(BadHttp):
    def test_with_a_method_that_is_none_of_theirs_are_refused_with_those_they_have(self):
        for pattern, item in self.document["paths"].items():
            for method in {"PUT", "TRACE", "BREW"} - {name.upper() for name in item}:
                with self.subTest(f"{method} {pattern}"):
                    answer = self.ask(request(method, pattern.replace("{", "").replace("}", "")))
                    self.assert_problem(answer, 405)
                    self.assertLessEqual({name.upper() for name in item}, set(answer[1]["allow"].split(", ")))

    def test_with_a_parameter_that_nobody_reads_are_refused(self):
        for pattern, item in self.document["paths"].items():
            for method in item:
                path = pattern.replace("/{trigger}", "/t").replace("{", "").replace("}", "")
                with self.subTest(f"{method} {path}"):
                    asked = self.ask(request(method.upper(), path + "?limitt=1"))
                    if pattern in ANY_QUERY:
                        self.assertEqual(asked[0], self.ask(request(method.upper(), path))[0])
                    else:
                        self.assertIn("takes no parameter \"limitt\"", self.assert_problem(asked, 400)["detail"])
        self.assertIn('; did you mean "agent"?; it takes agent, status, limit, cursor', self.assert_problem(self.ask(request("GET", "/v1/runs?agnet=worker")), 400)["detail"])

    def test_and_headers_that_are_not_utf8_are_refused(self):
        cases = {"a path": (request("GET", "/v1/agents/%ff"), 400), "raw bytes of a path": (b"GET /v1/agents/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", 400), "a query": (request("GET", "/v1/runs?agent=%c3%28"), 400),
                 "a key": (request("POST", "/v1/agents/worker/runs", headers=b"Idempotency-Key: \xff\r\n"), 422), "an event's id": (request("GET", "/v1/events", headers=b"Accept: text/event-stream\r\nLast-Event-ID: \xff\r\n"), 400),
                 "a host": (b"GET /v1/runs HTTP/1.1\r\nHost: \xff\r\n\r\n", 403), "an origin": (request("GET", "/v1/runs", headers=b"Origin: \xff\r\n"), 403),
                 "a batch's name": (request("POST", "/v1/agents/worker/batches", b"{}\n", b"Content-Type: application/jsonl\r\nIdempotency-Key: \xff\r\n"), 400)}
        for what, (asked, status) in cases.items():
            with self.subTest(what):
                self.assert_problem(self.ask(asked), status)

    def test_of_nothing_that_is_here_are_said_to_be_so(self):
        for path in ("/v1/agents/nobody", "/v1/runs/1-0000000", "/v1/runs/nonsense", "/v1/runs/1-0000000/steps", "/v1/batches/worker.none", "/v1/batches/nonsense", "/v1/schedule/nobody", "/v2", "/v1/agents/"):
            with self.subTest(path):
                self.assert_problem(self.ask(request("GET", path)), 404)
        for path in ("/v1/agents/nobody/runs", "/v1/agents/nobody/pause", "/v1/runs/1-0000000/cancel", "/v1/approvals/1-0000000%2F1%2F0/approve", "/v1/quarantine/1-0000000/retry", "/v1/hooks/worker/none"):
            with self.subTest(path):
                self.assert_problem(self.ask(request("POST", path)), 404)


class Connections(BadHttp):
    ASK = request("POST", "/v1/agents/worker/runs", b"{}", JSON)

    def test_many_requests_at_once_are_answered_in_their_order(self):
        client = self.client().send(b"".join(request("GET", f"/v1/agents/nobody{n}") for n in range(500)))
        for n in range(500):
            status, _, body = client.answer()
            self.assertEqual((status, f"nobody{n}" in body.decode()), (404, True))

    def test_nothing_behind_a_request_that_is_none_is_taken_for_one(self):
        post = b"POST /v1/agents/worker/runs HTTP/1.1\r\nHost: localhost\r\n"
        shapes = {
            "a length and an encoding": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "an encoding and a length": post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "two lengths": post + b"Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}",
            "two lengths in one": post + b"Content-Length: 2, 2\r\n\r\n{}",
            "a length without a colon": post + b"Content-Length\r\n\r\n",
            "an encoding without a colon": post + b"Transfer-Encoding\r\n\r\n",
            "a signed length": post + b"Content-Length: +2\r\n\r\n{}",
            "a length in hex": post + b"Content-Length: 0x2\r\n\r\n{}",
            "a length below nothing": post + b"Content-Length: -1\r\n\r\n",
            "a length beyond 64 bits": post + b"Content-Length: 18446744073709551618\r\n\r\n{}",
            "an encoding that hides": post + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
            "an encoding behind another": post + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
            "a quoted encoding": post + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
            "a folded encoding": post + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
            "a space before a colon": post + b"Content-Length : 2\r\n\r\n{}",
            "a chunk's size below nothing": post + JSON + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
            "a chunk's size in 0x": post + JSON + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
            "a chunk's size beyond 64 bits": post + JSON + b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
            "a chunk that is longer than it says": post + JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
            "chunks that end with LF": post + JSON + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
            "lines that end with LF": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
            "a CR alone": b"GET /healthz HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
            "two hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            "a host in a header that goes on": b"GET /healthz HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n",
            "a line that is none": b"nonsense\r\n\r\n",
            "TLS": bytes.fromhex("16030102000100") + b"\r\n\r\n",
            "an older HTTP": b"GET /healthz\r\n\r\n",
            "a newer one": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        }
        for what, shape in shapes.items():
            with self.subTest(what):
                answers = list(self.client().send(shape + self.ASK).answers())  # ends: the host hangs up
                self.assertEqual([status // 100 for status, _, _ in answers], [4] if answers and answers[0][0] != 501 else [5], (what, answers))
                self.assertEqual(answers[0][1]["connection"], "close")

    def test_of_an_older_version_are_answered_in_its_words(self):
        """HTTP/1.0 knows neither chunks nor an answer before the answer."""
        client = self.client().send(b"GET /v1/events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        while b"\n\n" not in client.unread:
            self.assertTrue(client.more(), client.unread)
        head, body = client.unread.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"transfer-encoding", head.lower())
        self.assertTrue(body.startswith(b"retry: "), body)
        post = b"POST /v1/agents/nobody/runs HTTP/1.0\r\nHost: localhost\r\nExpect: 100-continue\r\n" + JSON + b"Content-Length: 2\r\n\r\n{}"
        self.assertEqual([status for status, _, _ in self.client().send(post).answers()], [404])
        self.assertEqual(self.client().send(post.replace(b"HTTP/1.0", b"HTTP/1.1")).answer_head(), 100)

    def test_that_ask_for_a_streams_head_get_no_body(self):
        client = self.client().send(b"HEAD /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        while client.more():
            pass
        self.assertTrue(client.unread.startswith(b"HTTP/1.1 200"), client.unread)
        self.assertTrue(client.unread.endswith(b"\r\n\r\n"), client.unread)
        self.assertEqual(client.unread.count(b"\r\n\r\n"), 1, client.unread)

    def test_a_request_that_does_not_end_is_not_begun(self):
        for part in (self.ASK[:20], self.ASK[:-2], self.ASK[:-1], self.ASK.replace(b"Content-Length: 2", b"Content-Length: 200")):
            client = self.client().send(part)
            client.socket.shutdown(socket.SHUT_WR)
            self.assertEqual([status for status, _, _ in client.answers() if status < 400], [])
        self.client().send(self.ASK[:-1]).close()

    def test_a_flood_of_them_leaves_nothing_behind_and_shuts_nobody_out(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        before = self.load()
        self.flood(min(CONNECTIONS, most - 200), before)
        grown = []
        for _ in range(4):  # what one has left is the allocator's, and serves the next; on a busy machine one may keep more of them alive at once
            after_one = self.load()
            self.flood(min(CONNECTIONS, most - 200), before)
            grown.append(self.load()["bytes"] - after_one["bytes"])
            if grown[-1] < GROWTH:
                break
        if not is_sanitized():
            self.assertLess(grown[-1], GROWTH, grown)

    def flood(self, wanted, before):
        """Clients that say nothing, or begin and go no further; all at once."""
        slowest, idle = 0.0, []
        for n in range(wanted):
            one = socket.socket()
            one.connect(("127.0.0.1", self.agentd.port))
            if n % 2:
                one.send(b"GET /v1/status HTTP/1.1\r\nHost: local")
            idle.append(one)
            if n % 500 == 0:
                slowest = max(slowest, self.time_of("/healthz"))
        slowest = max(slowest, self.time_of("/v1/agents/worker"))
        self.assertLess(slowest, 5)
        self.assert_grown_less(100 * MIB, before)
        for one in idle:
            one.close()
        until("the host has its descriptors back", lambda: self.load()["descriptors"] <= before["descriptors"] + 2)

    def assert_grown_less(self, most, before):
        if not is_sanitized():
            self.assertLess(self.load()["bytes"] - before["bytes"], most)

    def time_of(self, path):
        begin = time.monotonic()
        self.assertEqual(self.agentd.request("GET", path)[0], 200)
        return time.monotonic() - begin

    def load(self):
        process = pathlib.Path("/proc", str(self.agentd.process.pid))
        pages = int((process / "statm").read_text().split()[1])
        return {"bytes": pages * resource.getpagesize(), "descriptors": len(os.listdir(process / "fd"))}


if __name__ == "__main__":
    unittest.main()
