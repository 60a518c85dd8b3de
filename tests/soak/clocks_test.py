"""A replica whose clock is an hour ahead and one whose clock is an hour behind: no slot is harmed, and both say so."""
import os
import time
import unittest

from agentd import BUILD, until
from fleet import FleetTest

AGENTS, AHEAD, WRONG_FOR, RIGHT_FOR, HOUR = 12, 20, 12, 14, 3600  # seconds, but the first


class Clocks(FleetTest):
    def wrong(self, name, seconds, agents):
        self.offset(name, seconds)
        preloads = [os.environ.get("LD_PRELOAD", ""), str(BUILD / "tests" / "wrong_clock.so")]  # a sanitizer's runtime must be first
        return self.replica(name, agents, LD_PRELOAD=":".join(filter(None, preloads)), WRONG_CLOCK=str(self.folder / f"{name}.offset"))

    def offset(self, name, seconds):
        new = self.folder / f"{name}.new"
        new.write_text(str(seconds))
        new.rename(self.folder / f"{name}.offset")

    def prepare(self, wrong_first):
        self.begin = int(time.time()) + AHEAD
        self.all_agents = self.agents(AGENTS, self.begin, self.begin + 3 * HOUR)
        if not wrong_first:
            self.replica("right", self.all_agents).wait_ready()
        self.ahead, self.behind = self.wrong("ahead", HOUR, self.all_agents), self.wrong("behind", -HOUR, self.all_agents)
        if wrong_first:
            self.ahead.wait_ready(), self.behind.wait_ready()
            self.replica("right", self.all_agents)
        self.wait_ready()
        self.assertLess(time.time(), self.begin, "they were ready too late")
        self.right = next(host for host in self.replicas if host.name == "right")

    def expect_it_is_told(self):
        until("each has said how late it is", lambda: sorted(round(one["clock_ahead"] / HOUR) for one in self.right.get("/v1/status")["replicas"]) == [-1, 0, 1], pause=0.2)
        self.assertIn("ms ahead of the database server's", self.ahead.whole_log())
        self.assertIn("ms behind the database server's", self.behind.whole_log())
        until("alerts tell of both", lambda: all(any(f"{HOUR} s {which}" in told for told in self.alerts()) for which in ("ahead of", "behind")), pause=0.2)

    def alerts(self):
        return [one["summary"] for one in self.right.get("/v1/alerts")["alerts"] if one["rule"] == "clock"]

    def expect_all_is_well(self):
        time.sleep(max(0, self.begin + WRONG_FOR + RIGHT_FOR - time.time()))
        end = int(time.time()) - 3
        slots = self.slots(self.right)
        self.assertEqual([slot for slot in slots if slot[1] > time.time() + 1], [], "slots of a time to come")
        slots = {slot: fate for slot, fate in slots.items() if slot[1] <= end}
        self.expect_each_slot_once(slots, self.all_agents, self.begin, end)
        self.assertEqual({slot.status for slot in slots.values()} - {"completed", "skipped", "running", "queued"}, set())
        late = max(slot.entered - second for (_, second), slot in slots.items())
        print(f"\n{len(slots)} slots, the latest in the ledger after {late:.1f} s")
        self.expect_no_call_twice()
        self.expect_a_sound_ledger(self.right)

    def put_right(self):
        time.sleep(max(0, self.begin + WRONG_FOR - time.time()))
        self.assertEqual({one.by for one in self.doorstep.deliveries()}, {"right"}, "who has a wrong clock begins nothing")
        self.offset("ahead", 0), self.offset("behind", 0)
        right_since = time.time()
        for name in ("ahead", "behind"):
            until(f"the one that was {name} takes part", lambda: [one for one in self.doorstep.deliveries(name) if one.at > right_since], 60, pause=0.1)

    def test_that_join_a_right_one(self):
        self.prepare(wrong_first=False)
        self.expect_it_is_told()
        self.put_right()
        until("no alert is left", lambda: not self.alerts(), pause=0.2)
        self.expect_all_is_well()

    def test_that_are_there_first(self):
        self.prepare(wrong_first=True)
        self.put_right()
        self.expect_all_is_well()


if __name__ == "__main__":
    unittest.main()
