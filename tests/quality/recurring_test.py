"""An agent that runs again and again on one memory: what it is given stays as long as it is, its store as large, a look into it as quick (by
copies of the store that are looked into in turns, for what else the machine does is not to be told apart from it),
and what it was told at the beginning is known at the end. AGENTD_LONG_RUNS=10000 for so many runs; else a few hundred."""
import contextlib
import http.server
import json
import os
import socketserver
import sqlite3
import statistics
import threading
import time
import unittest
import urllib.parse

from agentd import AgentdTest, Host, until

LONG = "AGENTD_LONG_RUNS" in os.environ
RUNS = int(os.environ.get("AGENTD_LONG_RUNS", 800))
WINDOW = 20 if LONG else 4             # messages: those of a hundred summaries are kept, which are of half a window or more each: up to 1,000 runs' worth, or 300
TOLD_IN, WITHIN = 3, 0.10
STORE_WITHIN = 0.10 if LONG else 0.25  # its index of words is tidied up now and then: a few hundred runs see one tooth of a saw
CODE_WORD = "The code word of the vault is heron"
LOOKS = 500
FACTS = 60                             # that its runs come upon, over and over
AGENT = f"""
[model]
provider = "openai"
model = "test"
[task]
query = "Look after the hosts"
[memory]
window = {WINDOW}
learn = ["long_term", "procedural"]
[limits]
queue_size = 1000
max_concurrent = 2
"""


def lessons_of(account, number):
    if "heron" in account and "[task] Remember" in account:
        return [{"type": "long_term", "text": CODE_WORD}]
    return [{"type": "long_term", "text": f"Host h{number % FACTS} is in rack {number % FACTS // 4}"}] if number % 3 == 0 else []


class Model(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """An OpenAI-compatible endpoint that knows what it is asked for: an answer, a summary or lessons."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.prompts = []      # of the agent's own runs: bytes, and what it was given
        self.digests = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, request):
        system, last = request["messages"][0]["content"], request["messages"][-1]["content"]
        if "running summary" in system:
            self.digests += 1
            return f"Until now {self.digests} times. " + "The hosts were looked after and were well, one after the other. " * 12
        if "leaves for its later runs" in system:
            self.digests += 1
            return json.dumps({"memories": lessons_of(last, self.digests)})
        self.prompts.append((sum(len(message["content"]) for message in request["messages"]), json.dumps(request["messages"])))
        return f"All {len(self.prompts)} looks so far found every host well. " + "Nothing is to be done. " * 10


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = self.server.answer(request)
        tokens = sum(len(message["content"]) for message in request["messages"]) // 5
        body = json.dumps({"id": "1", "object": "chat.completion", "model": "test", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                           "usage": {"prompt_tokens": tokens, "completion_tokens": len(text) // 5, "total_tokens": tokens + len(text) // 5}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        try:
            super().handle()
        except ConnectionResetError:  # the host has ended
            pass

    def log_message(self, *_):
        pass


class Recurring(AgentdTest):
    def test_needs_no_more_at_the_end_than_at_the_beginning(self):
        model = Model()
        self.addCleanup(model.server_close)
        self.addCleanup(model.shutdown)
        config = f'[providers.openai]\nbase_url = "http://127.0.0.1:{model.server_port}/v1"\napi_key = "env:KEY"\n[providers.openai.prices."test"]\n'
        self.agentd = self.host(config, worker=AGENT)
        self.agentd.start(KEY="k")
        size = {}
        early, late = range(RUNS // 10 if LONG else RUNS // 2, RUNS // 5 if LONG else RUNS * 5 // 8), range(RUNS - RUNS // 10, RUNS + 1)
        copies = {span[len(span) // 2]: self.folder / f"at{span.start}" for span in (early, late)}
        for number in range(1, RUNS + 1):
            query = {"query": f"Remember this: {CODE_WORD}"} if number == TOLD_IN else {"query": "What is the code word of the vault?"} if number == RUNS - RUNS // 10 else {}
            self.ran(self.agentd.submit("worker", **query))
            if number == TOLD_IN:
                until("its lesson is kept", lambda: CODE_WORD in json.dumps(self.agentd.get("/v1/memory/worker?type=long_term")))
            if number % max(1, RUNS // 200) == 0:
                size[number] = self.store_size()
            if number in copies:
                self.copy_store(copies[number])
        prompts = {number: length for number, (length, _) in enumerate(model.prompts, 1)}
        figures = {name: [statistics.fmean(values[number] for number in span if number in values) for span in (early, late)]
                   for name, values in (("prompt, bytes", prompts), ("store, bytes", size))}
        self.agentd.kill()
        figures["a look, ms"] = self.looks(config, copies.values())
        for name, (before, after) in figures.items():
            print(f"{name:14} runs {early.start} to {early.stop - 1}: {before:.4g}; runs {late.start} to {late.stop - 1}: {after:.4g}, {after / before - 1:+.1%}")
        asked = next(text for _, text in model.prompts[RUNS - RUNS // 10 - 1:] if "What is the code word" in text)
        self.assertIn(CODE_WORD, asked)
        for name, within in (("prompt, bytes", WITHIN), ("store, bytes", STORE_WITHIN)):
            before, after = figures[name]
            self.assertLess(abs(after / before - 1), within, name)

    def ran(self, run_id):
        while (status := self.agentd.run_status(run_id)) not in ("completed", "failed"):
            time.sleep(0.002)
        self.assertEqual(status, "completed")

    def store_size(self):
        """What is in use of the file: it does not shrink at once, and its log is as long as it likes."""
        with contextlib.closing(sqlite3.connect(f"file:{self.agentd.state}/memory.db?mode=ro", uri=True)) as db:
            pages, free, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
        return (pages - free) * size

    def copy_store(self, folder):
        (folder / "state").mkdir(parents=True)
        with contextlib.closing(sqlite3.connect(f"file:{self.agentd.state}/memory.db?mode=ro", uri=True)) as db, contextlib.closing(sqlite3.connect(folder / "state" / "memory.db")) as copy:
            db.backup(copy)

    def looks(self, config, folders):
        hosts = []
        for folder in folders:
            hosts.append(self.enter(Host(folder)))
            hosts[-1].configure(config, worker=AGENT)
            hosts[-1].start(KEY="k")
        took = [[] for _ in hosts]
        query = urllib.parse.quote("Which rack is host h7 in?")
        for _ in range(LOOKS):
            for host, times in zip(hosts, took):
                begin = time.monotonic()
                self.assertTrue(host.get(f"/v1/memory/worker?type=long_term&limit=5&query={query}")["entries"])
                times.append((time.monotonic() - begin) * 1000)
        return [statistics.median(times) for times in took]


if __name__ == "__main__":
    unittest.main()
