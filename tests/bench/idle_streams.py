"""What 10,000 idle event streams cost a host: memory, and CPU and time of the runs of another agent beside them.
   AGENTD_BUILD=build/release PYTHONPATH=tests/support python3 tests/bench/idle_streams.py [STREAMS]"""
import asyncio
import json
import os
import re
import resource
import statistics
import sys
import tempfile
import time

from agentd import WATCHER, Endpoint, Host, openai, until

STREAMS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
RUNS, ROUNDS = 1_500, 5
BUSY = WATCHER + "[limits]\nmax_concurrent = 16\nqueue_size = 100000\n"
ASK = b"GET /v1/events?agent=calm HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"


class Measured:
    def __init__(self, host):
        self.host = host

    def memory_mib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.host.process.pid}/status").read()).group(1)) / 1024

    def cpu(self):
        fields = open(f"/proc/{self.host.process.pid}/stat").read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_quiet(self):
        status = self.host.get("/v1/status")
        return status["queue_depth"] == 0 and status["running_agents"] == 0

    def rounds(self):
        """Microseconds of CPU per run, and runs per second; medians. What asks for them is part of both."""
        costs, rates = [], []
        for _ in range(ROUNDS):
            cpu, began = self.cpu(), time.monotonic()
            for _ in range(RUNS):
                self.host.submit("busy")
            until("all have ended", self.is_quiet, pause=0.02)
            costs.append((self.cpu() - cpu) / RUNS * 1e6)
            rates.append(RUNS / (time.monotonic() - began))
        return statistics.median(costs), statistics.median(rates)


async def follow(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    writer.write(ASK)
    status = await reader.readline()
    assert b" 200 " in status, status
    return reader, writer


async def beside_streams(measured):
    streams = []
    for begin in range(0, STREAMS, 200):
        streams += await asyncio.gather(*[follow(measured.host.port) for _ in range(min(200, STREAMS - begin))])
    await asyncio.sleep(1)
    memory = measured.memory_mib()
    return memory, await asyncio.get_running_loop().run_in_executor(None, measured.rounds)


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as folder, Endpoint(folder, delay=0, tool="system__load") as endpoint, Host(folder) as host:
        host.configure(openai(endpoint), busy=BUSY, calm=WATCHER)
        host.start()
        measured = Measured(host)
        measured.rounds()  # warm
        cpu, rate = measured.rounds()
        before = measured.memory_mib()
        after, (cpu_beside, rate_beside) = asyncio.run(beside_streams(measured))
        print(json.dumps({"bench": "idle_streams", "streams": STREAMS, "memory_mib": round(after - before, 1), "cpu_us_per_run": round(cpu), "cpu_us_per_run_beside": round(cpu_beside),
                          "runs_per_s": round(rate), "runs_per_s_beside": round(rate_beside)}))


main()
