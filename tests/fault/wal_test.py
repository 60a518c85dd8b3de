"""The ledger's log stays small under load, whoever reads meanwhile without a pause."""
import http.client
import json
import threading
import unittest

from agentd import WATCHER, AgentdTest, openai

MOST = 40 << 20  # bytes: beyond 16 MiB the writer copies it into the file and begins at its front again
RUNS = 1000
PAGERS = 6


class Wal(AgentdTest):
    def page(self, stop, pages):
        """All events from the first, page after page and again, without a pause."""
        connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=60)
        since = ""
        while not stop.is_set():
            connection.request("GET", f"/v1/events?limit=1000{since}")
            answer = connection.getresponse()
            events = json.loads(answer.read())["events"]
            since = f"&since={events[-1]['id']}" if events else ""
            pages.append(len(events))
        connection.close()

    def test_stays_bounded_while_clients_page_events(self):
        model = self.endpoint(tool="system__load")
        self.agentd = self.host(openai(model), watcher=WATCHER + "[limits]\nqueue_size = 1000\nmax_concurrent = 32\n[memory]\nsession = \"run\"\n")
        self.agentd.start()
        stop, pages = threading.Event(), []
        readers = [threading.Thread(target=self.page, args=(stop, pages)) for _ in range(PAGERS)]
        for reader in readers:
            reader.start()
        ledger, wal = self.agentd.state / "ledger.db", self.agentd.state / "ledger.db-wal"
        most, ended, sent = 0, 0, 0
        try:
            while ended < RUNS or ledger.stat().st_size <= MOST:  # until the log would have been larger
                for _ in range(50):
                    sent += self.agentd.request("POST", "/v1/agents/watcher/runs", {"params": {"filler": "x" * 20_000}})[0] == 202
                    most = max(most, wal.stat().st_size)
                ended = self.agentd.get("/v1/agents/watcher")["run_count"]
        finally:
            stop.set()
            for reader in readers:
                reader.join()
        self.assertGreater(sum(pages), 10_000)
        self.assertLess(most, MOST)
        print(f"{sent} runs asked for, {len(pages)} pages of {sum(pages)} events read, log at most {most / 2**20:.1f} MiB")


if __name__ == "__main__":
    unittest.main()
