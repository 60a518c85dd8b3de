"""A clock that ran ahead and is put right stops no schedule, and runs no slot twice."""
import datetime
import os
import unittest

from agentd import BUILD, AgentdTest, openai, until

AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "Say hi"
[schedule]
interval = "1s"
"""
HOURS, DAYS = 3600, 86400


class Clock(AgentdTest):
    def prepare(self):
        self.model = self.endpoint(rounds=0)
        self.offset = self.folder / "offset"
        self.host = super().host(openai(self.model), agent=AGENT)

    def start(self, ahead):
        self.set(ahead)
        preloads = [os.environ.get("LD_PRELOAD", ""), str(BUILD / "tests" / "wrong_clock.so")]  # a sanitizer's runtime must be first
        self.host.start(LD_PRELOAD=":".join(filter(None, preloads)), WRONG_CLOCK=str(self.offset))

    def told(self, words):
        return self.host.log_file.read_text().count(words)

    def set(self, ahead):
        new = self.folder / "offset.new"
        new.write_text(str(ahead))
        new.rename(self.offset)

    def slots(self):
        runs = self.host.get("/v1/runs?limit=1000")["runs"]
        return [run["scheduled_at"] for run in runs if run["status"] == "completed" and run.get("scheduled_at")]

    def wait_for_slots(self, ahead, count=2):
        """Slots of the time that the clock shows now come to be run."""
        first = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ahead)
        first, last = first.strftime("%FT%TZ"), (first + datetime.timedelta(minutes=30)).strftime("%FT%TZ")
        until(f"slots after {first} run", lambda: len([slot for slot in self.slots() if first <= slot <= last]) >= count, 30)

    def test_that_ran_ahead_while_the_host_ran(self):
        self.prepare()
        self.start(0)
        self.wait_for_slots(0)
        self.set(2 * HOURS)
        self.wait_for_slots(2 * HOURS)
        self.set(0)
        self.wait_for_slots(0)
        self.assertEqual(self.told("the clock went back"), 1)
        self.host.stop()
        self.start(0)
        self.wait_for_slots(0)
        self.assertEqual(self.told("the clock was ahead"), 1)
        self.assertEqual(len(self.slots()), len(set(self.slots())), "a slot ran twice")

    def test_that_was_ahead_when_the_host_was_started(self):
        self.prepare()
        self.start(5 * DAYS)  # the schedule comes into force by a wrong clock, too
        self.wait_for_slots(5 * DAYS)
        self.host.stop()
        for _ in range(2):
            self.start(0)
            self.wait_for_slots(0)
            self.host.stop()
        self.assertEqual(self.told("the clock was ahead"), 2)


if __name__ == "__main__":
    unittest.main()
