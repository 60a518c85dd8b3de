"""Eight writers and one commit that takes two seconds: who reads along on another replica misses nothing, and reads it in order."""
import http.client
import threading
import time
import unittest

from agentd import until
from fleet import COURIER, FleetTest
from line import Line

WRITERS, RUNS, SLOW = 8, 25, 2  # SLOW in seconds
BUSY = COURIER + "[limits]\nmax_concurrent = 16\nqueue_size = 1000\n"


class Reader(threading.Thread):
    """Takes the event stream of a replica, from behind the first event on."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.first = host.get("/v1/events?limit=1")["events"][0]["id"]
        self.ids, self.at = [], []
        self.connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)
        self.connection.request("GET", "/v1/events?since=" + self.first, headers={"Accept": "text/event-stream"})
        self.stream = self.connection.getresponse()
        assert self.stream.status == 200, self.stream.read()

    def run(self):
        try:
            for line in self.stream:
                if line.startswith(b"id:"):
                    self.ids.append(line[3:].strip().decode())
                    self.at.append(time.monotonic())
        except (OSError, ValueError, AttributeError):  # it was closed
            pass

    def close(self):
        self.connection.sock.close() if self.connection.sock else None


class Order(FleetTest):
    def prepare(self):
        self.line = self.enter(Line(self.database.port))
        agents = {f"agent-{i}": BUSY for i in range(4)}
        self.slow = self.replica("slow", agents, port=self.line.port)
        self.other, self.third = self.replica("other", agents), self.replica("third", agents)
        self.wait_ready()
        self.reader = Reader(self.third)
        self.addCleanup(self.reader.close)
        self.reader.start()

    def write(self, number):
        host = (self.slow, self.other)[number % 2]
        for i in range(RUNS):
            host.submit(f"agent-{i % 4}")

    def ids_of(self, host):
        found, since = [], ""
        while page := host.get(f"/v1/events?limit=1000{since}")["events"]:
            found += [event["id"] for event in page]
            since = "&since=" + found[-1]
        return found

    def read_along(self, delay):
        writers = [threading.Thread(target=self.write, args=(n,)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        until("much is written", lambda: len(self.reader.ids) > 200)
        delay()
        for writer in writers:
            writer.join()
        until("every run has ended", lambda: self.live_runs() == 0, pause=0.2)
        wanted = self.ids_of(self.other)
        self.assertEqual(wanted, sorted(set(wanted)))
        wanted = wanted[wanted.index(self.reader.first) + 1:]
        self.assertEqual(int(self.database.ask("SELECT count(*) FROM runs")[0]), WRITERS * RUNS)
        until("the reader has the last one", lambda: self.reader.ids[-1:] >= wanted[-1:], pause=0.1)
        read = self.reader.ids[:len(wanted)]
        self.assertEqual(read, wanted, "what was read along is what there is, in order, each once")
        longest = max(later - before for before, later in zip(self.reader.at, self.reader.at[1:]))
        print(f"\n{len(wanted)} events read along; the longest pause between two was {longest:.1f} s")
        self.expect_a_sound_ledger(self.third)
        self.expect_no_call_twice()
        return longest

    def test_when_a_line_is_slow_in_the_middle_of_a_commit(self):
        self.prepare()

        def delay():
            for _ in range(3):
                self.line.hold()
                time.sleep(SLOW)
                self.line.release()
                time.sleep(0.5)
        self.read_along(delay)

    def test_when_somebody_holds_the_row_that_all_go_through(self):
        self.prepare()
        longest = self.read_along(lambda: self.database.ask(f"BEGIN; SELECT groups FROM head FOR UPDATE; SELECT pg_sleep({SLOW}); COMMIT"))
        self.assertGreater(longest, SLOW - 0.5, "nobody can have written meanwhile")


if __name__ == "__main__":
    unittest.main()
