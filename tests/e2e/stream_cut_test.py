"""However often its stream of events is cut, and wherever, a reader that goes on behind the last event it has whole sees each once and in
order. AGENTD_STREAM_CUT_SEED is what the cuts are drawn from."""
import collections
import http.client
import json
import os
import pathlib
import random
import select
import socket
import struct
import subprocess
import threading
import time
import unittest
import urllib.parse

from agentd import AGENTD, PATIENCE, WATCHER, AgentdTest, openai, until

SEED = int(os.environ.get("AGENTD_STREAM_CUT_SEED", random.SystemRandom().randrange(1 << 32)))
AGENTS = 32
CUTS = 50       # of each reader
KILLS = 4       # of the host
STALLS = 1      # of the one that sleeps
BEGIN = "0000000000000000-000"
BUSY = WATCHER + '[schedule]\ninterval = "1s"\n[memory]\nsession = "run"\n'
PAIR = ("background_task_started", "background_task_completed")
BROKEN = (OSError, http.client.HTTPException)  # how a connection ends that was cut


def hang_up(connection, reset):
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Reader(threading.Thread):
    """Reads the events of a query, again and again, until it has seen the last."""

    def __init__(self, name, port, chance, **query):
        super().__init__(name=name)
        self.port, self.chance, self.query = port, random.Random(chance.random()), query
        self.events, self.ends, self.fault = [], collections.Counter(), None
        self.last_of_all = None  # once it is known: the id of the last event, "" where there is none

    def last(self):
        return self.events[-1]["id"] if self.events else BEGIN

    def has_all(self):
        return self.last_of_all is not None and self.last() >= self.last_of_all

    def run(self):
        try:
            while not self.has_all():
                self.ends[self.read_until_cut()] += 1
        except Exception as fault:
            self.fault = fault

    def cuts(self):
        return sum(count for how, count in self.ends.items() if how not in ("not answered", "quiet", "done"))

    def take(self, record):
        """One that has come whole."""
        fields = dict(line.split(": ", 1) for line in record.split("\n") if not line.startswith(":"))
        if "data" not in fields:
            return
        event = json.loads(fields["data"])
        assert (fields["id"], fields["event"]) == (event["id"], event["type"]), record
        self.events.append(event)


class Listener(Reader):
    """One that speaks HTTP itself. cut_after: bytes of a stream that it reads at most; nothing: others cut it."""

    def __init__(self, name, port, chance, cut_after=None, **query):
        super().__init__(name, port, chance, **query)
        self.cut_after = cut_after

    def connect(self, connection):
        connection.settimeout(2)
        connection.connect(("127.0.0.1", self.port))
        query = urllib.parse.urlencode({"since": BEGIN, **self.query}, doseq=True)  # as a browser's: the address stays what it was
        last = f"Last-Event-ID: {self.last()}\r\n" if self.events else ""
        connection.sendall(f"GET /v1/events?{query} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{last}\r\n".encode())

    def read_until_cut(self):
        with socket.socket() as connection:
            try:
                self.connect(connection)
                answer = http.client.HTTPResponse(connection)
                answer.begin()
            except BROKEN:
                time.sleep(0.02)  # the host is dead for the moment
                return "not answered"
            with answer:
                assert answer.status == 200, answer.read()
                if not answer.chunked:
                    return "not answered"  # cut within its head
                try:
                    return self.read(connection, answer)
                except TimeoutError:
                    return "quiet"
                except BROKEN:
                    return "broken off"

    def read(self, connection, answer):
        how = self.chance.choice(("within a record", "within a line", "with a reset"))
        most = self.chance.randrange(self.cut_after) if self.cut_after else None
        unread, size = b"", 0
        while not self.has_all():
            left = 4096 if most is None else max(1, min(4096, most - size))
            piece = answer.read1(self.chance.randint(1, left))
            if not piece:
                raise AssertionError("the host has ended a stream that it was not asked to end")
            size += len(piece)
            *records, unread = (unread + piece).split(b"\n\n")
            for record in records:
                self.take(record.decode())
            inside = b"\n" in unread and not unread.endswith(b"\n") if how == "within a line" else unread
            if most is not None and size >= most and inside:
                hang_up(connection, how == "with a reset")
                return how
        return "done"


class Sleeper(Listener):
    """One that does not read until the host has had enough of it."""

    stalls = 0

    def connect(self, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        super().connect(connection)
        if self.stalls == STALLS:
            return
        peer = connection.getsockname()[1]
        until("the host cuts off who does not read", lambda: not self.is_held(peer), pause=0.1)
        self.stalls += 1

    def is_held(self, peer):
        """Whether the host's end of the connection is open."""
        held = [f"0100007F:{self.port:04X}", f"0100007F:{peer:04X}", "01"]
        return any(line.split()[1:4] == held for line in pathlib.Path("/proc/net/tcp").read_text().splitlines())


class CommandLine(Reader):
    """`agentd events --follow`, asked anew with --since."""

    def __init__(self, *arguments, environment, **query):
        super().__init__(*arguments, **query)
        self.environment = environment

    def read_until_cut(self):
        query = [word for name, values in self.query.items() for value in values for word in (f"--{name}", value)]
        command = [str(AGENTD), "events", "--follow", "--json", "--url", f"http://127.0.0.1:{self.port}", "--since", self.last(), *query]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment) as following:
            until_done = threading.Thread(target=lambda: self.stop(following))
            until_done.start()
            before = len(self.events)
            for line in following.stdout:
                self.events.append(json.loads(line))
        until_done.join()
        if self.has_all():
            return "done"
        assert following.returncode == 3, f"agentd events exited {following.returncode}"
        return "broken off" if len(self.events) > before else "not answered"

    def stop(self, following):
        while following.poll() is None:
            if self.has_all():
                following.kill()
            time.sleep(0.05)


class Proxy(threading.Thread):
    """Stands in front of the host and cuts its answers anywhere."""

    def __init__(self, host, chance, cut_after):
        super().__init__(daemon=True)
        self.host, self.chance, self.cut_after = host, random.Random(chance.random()), cut_after
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def run(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            with near:
                try:
                    with socket.create_connection(("127.0.0.1", self.host.port)) as far:
                        self.carry(near, far)
                except OSError:
                    pass  # the host is dead, or the client has left

    def carry(self, near, far):
        left = self.chance.randrange(self.cut_after)
        while left > 0:
            for one in select.select([near, far], [], [])[0]:
                piece = one.recv(min(left, 8192))
                if not piece:
                    return
                if one is far:
                    left -= len(piece)
                (near if one is far else far).sendall(piece)
        for one in (near, far):
            hang_up(one, self.chance.random() < 0.5)

    def stop(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


class StreamCut(AgentdTest):
    def setUp(self):
        super().setUp()
        print(f"AGENTD_STREAM_CUT_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.agents = [f"agent{n:02}" for n in range(AGENTS)]
        self.agentd = self.host(openai(self.endpoint(tool="system__load", delay=20)), **{agent: BUSY for agent in self.agents})
        self.agentd.start()

    def proxy(self, cut_after):
        proxy = Proxy(self.agentd, self.chance, cut_after)
        proxy.start()
        self.addCleanup(proxy.stop)
        return proxy.port

    def begin(self, *readers):
        for reader in readers:
            reader.start()

            def stop(reader=reader):
                reader.last_of_all = ""
                reader.join(PATIENCE)

            self.addCleanup(stop)

    def pages(self, **query):
        events, since = [], BEGIN
        while since:
            page = self.agentd.get("/v1/events?" + urllib.parse.urlencode({"limit": 1000, "since": since, **query}, doseq=True))
            events += page["events"]
            since = page["next"]
        return events

    def work_off(self):
        """No run begins any more, and those that have begun end."""
        for agent in self.agents:
            self.assertEqual(self.agentd.request("POST", f"/v1/agents/{agent}/pause", {})[0], 200)
        until("all runs have ended", lambda: (lambda now: now["queue_depth"] == 0 and now["running_agents"] == 0)(self.agentd.get("/v1/status")), pause=0.1)

    def test_fifty_times_under_load_and_each_event_is_seen_once_and_in_order(self):
        host = self.agentd
        readers = [
            Listener("everything", host.port, self.chance, 60_000),
            Listener("everything, behind a proxy", self.proxy(60_000), self.chance),
            Listener("one agent", host.port, self.chance, 1_500, agent=self.agents[7]),
            CommandLine("two types, behind a proxy", self.proxy(20_000), self.chance, environment=host.environment(), type=PAIR),
        ]
        sleeper = Sleeper("a sleeper", host.port, self.chance)
        self.begin(*readers)
        for _ in range(KILLS):
            time.sleep(self.chance.uniform(0.5, 1.5))
            host.kill()
            host.start()
        self.begin(sleeper)
        until("all have been cut as often as they are to be", lambda: min(reader.cuts() for reader in readers) >= CUTS and sleeper.stalls >= STALLS, patience=3 * PATIENCE, pause=0.1)
        self.work_off()
        self.compare([*readers, sleeper])

    def compare(self, readers):
        everything = self.pages()
        self.assertEqual([event["id"] for event in everything], sorted({event["id"] for event in everything}))
        for reader in readers:
            expected = self.pages(**reader.query)
            reader.last_of_all = expected[-1]["id"]
        for reader in readers:
            with self.subTest(reader.name):
                reader.join(PATIENCE)
                if reader.fault:
                    raise reader.fault
                expected = self.pages(**reader.query)
                seen = [event["id"] for event in reader.events]
                self.assertEqual(seen, [event["id"] for event in expected][:len(seen)])
                self.assertGreaterEqual(seen[-1], reader.last_of_all)
                self.assertEqual(reader.events, expected[:len(seen)])
                print(f"{reader.name}: {len(seen)} events, {dict(reader.ends)}")


if __name__ == "__main__":
    unittest.main()
