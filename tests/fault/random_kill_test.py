"""A host under load that is killed a hundred times, whenever it happens to be, and an endpoint in a storm of refusals."""
import collections
import random
import time
import unittest

from agentd import AgentdTest, Records, openai, until

AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "Leave a mark"
[tools]
allow = ["marker.*"]
[retry]
max_retries = 0
[memory]
session = "run"
[limits]
max_concurrent = 16
queue_size = 1000
max_crashes = 1000
"""
KILLS = 100


class RandomKill(AgentdTest):
    def test_a_hundred_times_under_load(self):
        marks = self.folder / "marks"
        model = self.endpoint(tool="marker__once", delay=15)
        host = self.host(openai(model) + f'[toolsets.marker]\nfile = "{marks}"\n', agent=AGENT)
        host.start()
        chance = random.Random(11)
        accepted = {}
        for kill in range(KILLS):
            for i in range(4):
                accepted[f"{kill}-{i}"] = host.submit("agent", key=f"{kill}-{i}")
            time.sleep(chance.uniform(0, 0.15))
            host.kill()
            if kill % 10 == 9:  # a copy of the ledger as a kill left it, against the endpoint's own journal
                before, seen = Records(host.state, self.folder).answers(), len(model.journal("asked"))
                host.start()
                until("all of them have ended", lambda: not host.get("/v1/status")["queue_depth"] and host.get("/v1/status")["running_agents"] == 0, pause=0.1)
                for line in model.journal("asked")[seen:]:
                    run, step = line["call_id"].split("/")[:2]
                    self.assertNotIn((int(run.split("-")[0]), int(step)), before, f"{line['call_id']} was answered durably and asked again")
            else:
                host.start()
        for key, run in accepted.items():
            self.assertEqual(host.wait_run(run)["status"], "completed")
            self.assertEqual(host.submit("agent", key=key), run)  # once accepted, it is the same run for ever
        marked = collections.Counter(line.split(" ")[0] for line in marks.read_text().split("\n")[:-1])
        self.assertEqual(set(marked.values()), {1}, "a once tool ran twice")
        asked = collections.Counter(line["call_id"] for line in model.journal("asked"))
        self.assertLessEqual(max(asked.values()), KILLS)
        self.assertEqual(len(asked), 2 * len(accepted))
        repeats = sum(asked.values()) - len(asked)
        print(f"{len(accepted)} runs, {KILLS} kills, {repeats} model calls made again because their answer was not durable, {len(marked)} marks, none twice")

    def test_a_storm_of_429_is_outlasted(self):
        model = self.endpoint(tool="marker__once", fail=",".join(f"{n}=429:1" for n in range(1, 41)))
        # A call has four tries, and one that began before the others may be refused at each: the run's own retries outlast that.
        patient = AGENT.replace("max_retries = 0", 'max_retries = 3\ndelay = "1s"')
        host = self.host(openai(model) + f'[toolsets.marker]\nfile = "{self.folder / "marks"}"\n', agent=patient)
        host.start()
        runs = [host.submit("agent") for _ in range(20)]
        self.assertEqual({host.wait_run(run)["status"] for run in runs}, {"completed"})


if __name__ == "__main__":
    unittest.main()
