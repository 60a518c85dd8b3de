"""A replica that loses touch with the ledger's server for longer than its lease: it begins nothing that others may have begun, writes
nothing as who it was, and takes part again by itself."""
import os
import signal
import time
import unittest

from agentd import until
from fleet import LEASE, FleetTest
from line import Line

AGENTS, AHEAD, AWAY, BEFORE, AFTER = 24, 20, LEASE + 6, 6, 24  # seconds, but the first
COME_AGAIN = LEASE * 2 // 3 + 3  # when a call that was not taken is to be tried again: behind two thirds of the lease
PROMPTLY = 0.5  # what is on its way when the time is up


class LostTouch(FleetTest):
    def prepare(self):
        self.line = self.enter(Line(self.database.port))
        self.begin = int(time.time()) + AHEAD
        self.end = self.begin + BEFORE + AWAY + AFTER
        self.all_agents = self.agents(AGENTS, self.begin, self.end)
        self.one = self.replica("one", self.all_agents, port=self.line.port)
        self.replica("two", self.all_agents)
        self.replica("three", self.all_agents)
        self.wait_ready()
        self.assertLess(time.time(), self.begin, "they were ready too late")

    def deliveries(self, since, until_=float("inf")):
        return [one for one in self.doorstep.deliveries("one") if since <= one.at < until_]

    def lose_touch(self, lose, come_back):
        """Answers since when and until when. Calls that are under way when it happens are to be tried again while it lasts."""
        time.sleep(self.begin + BEFORE - time.time())
        worker = self.worker_of(self.one)
        self.doorstep.away["one"] = COME_AGAIN
        self.waiting = until("calls of it were sent away", lambda: [one.call for one in self.doorstep.journal if one.by == "one" and not one.taken])
        lost = time.time()
        lose()
        del self.doorstep.away["one"]
        time.sleep(AWAY)
        self.others_took_over(worker)
        back = time.time()
        come_back()
        return worker, lost, back

    def others_took_over(self, worker):
        self.assertEqual(self.database.ask(f"SELECT count(*) FROM workers WHERE id={worker}"), ["0"], "the others took it for dead")
        self.assertEqual(self.database.ask(f"SELECT count(*) FROM runs WHERE worker={worker} AND status>0 AND status<10"), ["0"], "and have what it held")

    def expect_silence(self, worker, lost, back):
        begun = self.deliveries(lost + LEASE * 2 / 3 + PROMPTLY, back)
        self.assertEqual(begun, [], "calls that it began behind two thirds of its lease")
        self.assertEqual([one for one in self.deliveries(back) if one.call in self.waiting], [], "calls of runs that others have")
        written = self.database.ask(f"SELECT count(*) FROM groups WHERE worker={worker} AND at>to_timestamp({lost + LEASE})")
        self.assertEqual(written, ["0"], "it wrote as who it was")

    def expect_it_back(self, back):
        until("it takes part again", lambda: self.deliveries(back), patience=30)
        print(f"\nit made calls again {self.deliveries(back)[0].at - back:.1f} s after it could")
        until("it is there", lambda: len(self.one.get("/v1/status")["replicas"]) == 3)
        self.assertFalse(self.one.is_dead())

    def expect_all_is_well(self):
        self.wait_for_the_end(self.end)
        two = self.replicas[1]
        slots = self.slots(two)
        self.expect_each_slot_once(slots, self.all_agents, self.begin, self.end)
        self.assertEqual(set(slot.status for slot in slots.values()) - {"completed", "skipped"}, set())
        self.expect_no_call_twice()
        self.expect_a_sound_ledger(two)

    def test_that_is_cut_off(self):
        self.prepare()
        worker, lost, back = self.lose_touch(self.line.hold, self.line.release)
        self.expect_it_back(back)
        self.expect_silence(worker, lost, back)
        self.assertIn("nothing is written until that is over", self.one.whole_log())
        self.expect_all_is_well()

    def test_that_lost_it_because_the_server_was_away(self):
        """With all of them: nobody is taken for dead for that, and what they had in hand goes on."""
        self.prepare()
        time.sleep(self.begin + BEFORE - time.time())
        self.doorstep.away.update({host.name: 1 for host in self.replicas})
        until("calls were sent away", lambda: [one for one in self.doorstep.journal if not one.taken])
        self.database.kill()
        time.sleep(AWAY)
        self.doorstep.away.clear()
        self.database.start()
        self.expect_all_is_well()
        self.assertEqual(self.database.ask("SELECT sum(deaths) FROM runs"), ["0"])

    def test_that_stands_still(self):
        self.prepare()
        worker, lost, back = self.lose_touch(lambda: os.kill(self.one.process.pid, signal.SIGSTOP), lambda: os.kill(self.one.process.pid, signal.SIGCONT))
        self.expect_it_back(back)
        self.expect_silence(worker, lost, back)
        self.expect_all_is_well()


if __name__ == "__main__":
    unittest.main()
