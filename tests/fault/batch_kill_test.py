"""A batch of 100 items outlives a host that is killed every second: every item has one result, and nothing that was answered is asked again."""
import json
import subprocess
import unittest

from agentd import AGENTD, AgentdTest, Records, openai

ITEMS = 100
AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "Leave a mark"
[tools]
allow = ["marker.once"]
[retry]
max_retries = 0
[limits]
queue_size = 30
max_concurrent = 1
max_crashes = 1000
[memory]
session = "run"
"""


class BatchKill(AgentdTest):
    def killed_every_second(self, host, submit):
        """Until the submit has ended. For each kill: what was durably answered, and how many requests the endpoint had seen."""
        kills = []
        while True:
            try:
                submit.wait(1)
                return kills
            except subprocess.TimeoutExpired:
                host.kill()
                kills.append((Records(host.state, self.folder).answers(), len(self.model.journal("asked"))))
                host.start()

    def test_every_item_ends_once_and_no_answered_call_is_made_again(self):
        marks = self.folder / "marks"
        self.model = self.endpoint(tool="marker__once", delay=30)
        host = self.host(openai(self.model) + f'[toolsets.marker]\nfile = "{marks}"\n', agent=AGENT)
        host.start()
        (self.folder / "items.jsonl").write_text("".join(json.dumps({"key": f"item-{i:03}", "params": {"n": i}}) + "\n" for i in range(ITEMS)))
        submit = subprocess.Popen([str(AGENTD), "batch", "submit", "agent", "items.jsonl", "--wait", "--name", "killed", "--json"], cwd=self.folder,
                                  env=host.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(submit.communicate)
        kills = self.killed_every_second(host, submit)
        out, err = submit.communicate()
        self.assertEqual((submit.returncode, err), (0, ""), f"{out}\n{host.log()}")
        self.assertGreaterEqual(len(kills), 3, "the batch ended before it was hurt")
        batch = json.loads(out)
        self.assertEqual((batch["items"], batch["completed"], batch["status"]), (ITEMS, ITEMS, "ended"))

        items = json.loads(host.cli("batch", "show", "agent.killed", "--json").stdout)["item_list"]
        self.assertEqual([item["key"] for item in items], [f"item-{i:03}" for i in range(ITEMS)])
        self.assertEqual({item["result"] for item in items}, {"All is well."})
        host.stop()
        ends = [run for _, run, kind, _ in Records(host.state, self.folder).rows if kind == 7]
        self.assertEqual((len(ends), len(set(ends))), (ITEMS, ITEMS), "an item ended twice, or never")

        asked = self.model.journal("asked")
        for answered, before in kills:
            for line in asked[before:]:
                run, step = line["call_id"].split("/")[:2]
                self.assertNotIn((int(run.split("-")[0]), int(step)), answered, f"{line['call_id']} was answered durably and asked again")
        ids = [line["call_id"] for line in asked]
        self.assertLessEqual(len(ids) - len(set(ids)), len(kills), "more than one repeat per kill")
        made = [line.split(" ")[0] for line in marks.read_text().split("\n")[:-1]]
        self.assertEqual(len(made), len(set(made)), "a once tool ran twice under one id")


if __name__ == "__main__":
    unittest.main()
