"""Replicas that are killed every ten seconds, over a server that is restarted twice: every slot has one fate, nothing is called twice.

AGENTD_LONG_MINUTES=5 makes it five minutes of 200 agents; without it it is a minute of fewer."""
import collections
import os
import signal
import time
import unittest

from agentd import until
from fleet import FleetTest

MINUTES = float(os.environ.get("AGENTD_LONG_MINUTES", 0))
SECONDS = int(MINUTES * 60) if MINUTES else 45
AGENTS = 200 if MINUTES else 24
NAMES = ("one", "two", "three")
KILL_EVERY, DEAD_FOR, SERVER_DOWN_FOR, AHEAD = 10, 2, 3, 15  # seconds


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


class Kills(FleetTest):
    def restart(self, stop):
        began = time.time()
        stop()
        time.sleep(SERVER_DOWN_FOR)
        self.database.start()
        self.down.append((began, time.time()))

    def crash(self):
        self.database.kill()

    def stop_fast(self):
        self.database.server.send_signal(signal.SIGINT)
        self.database.server.wait(60)

    def tend(self):
        """As a supervisor does: who has died is started again."""
        for host in self.replicas:
            if host.is_dead() and time.time() - self.died.get(host.name, 0) > DEAD_FOR:
                self.died[host.name] = time.time()
                host.start(wait=False)

    def disturb(self, begin, end):
        """What is done to them, as [(what, when)]."""
        plan = [(begin + at, "kill", self.replicas[i % 3]) for i, at in enumerate(range(5, int(end - begin) - 5, KILL_EVERY))]
        plan += [(begin + (end - begin) / 3, "restart", self.stop_fast), (begin + (end - begin) * 2 / 3, "crash", self.crash)]
        done = []
        for at, what, whom in sorted(plan, key=lambda one: one[0]):
            while time.time() < at:
                self.tend()
                time.sleep(0.05)
            done.append((f"kill of {whom.name}" if what == "kill" else f"{what} of the server", time.time()))
            if what != "kill":
                self.restart(whom)
            elif not whom.is_dead():
                whom.kill()
                self.died[whom.name] = time.time()
        while time.time() < end:
            self.tend()
            time.sleep(0.05)
        return done

    def all_up(self):
        def look():
            self.tend()
            return all(not host.is_dead() and host.ready() for host in self.replicas)
        until("every replica is up again", look, pause=0.1)

    def recovered(self, slots, agents, when):
        """How long until every agent has completed a slot of after that."""
        first = {}
        for (agent, second), slot in slots.items():
            if second >= when and slot.status == "completed" and slot.ended:
                first[agent] = min(first.get(agent, slot.ended), slot.ended)
        return max(first.values()) - when if len(first) == len(agents) else None

    def table(self, slots, agents, disturbances):
        fates = collections.Counter(slot.status for slot in slots.values())
        entered = [slot.entered - second for (_, second), slot in slots.items() if slot.status != "missed"]
        begun = [slot.begun - second for (_, second), slot in slots.items() if slot.begun and slot.status == "completed"]
        one, five, fifteen = os.getloadavg()
        print(f"\n{len(agents)} agents for {SECONDS} s on 3 replicas; load {one:.1f} {five:.1f} {fifteen:.1f}")
        print(f"  slots: {len(slots)}, " + ", ".join(f"{count} {fate}" for fate, count in fates.most_common()) + f"; {len(self.doorstep.deliveries())} calls outside")
        for what, values in (("in the ledger", entered), ("begun", begun)):
            print(f"  late until {what}: p50 {percentile(values, 0.5):.3f} s, p99 {percentile(values, 0.99):.3f} s, max {max(values):.3f} s")
        for what, when in disturbances:
            took = self.recovered(slots, agents, when)
            print(f"  {what}: every agent had completed a later slot after " + (f"{took:.1f} s" if took else "the last one"))

    def test_every_slot_has_one_fate_and_no_call_is_made_twice(self):
        self.died, self.down = {}, []
        begin = int(time.time()) + AHEAD + AGENTS // 20
        end = begin + SECONDS
        agents = self.agents(AGENTS, begin, end)
        for name in NAMES:
            self.replica(name, agents)
        self.wait_ready()
        self.assertLess(time.time(), begin, "they were ready too late")
        disturbances = self.disturb(begin, end)
        self.all_up()
        self.wait_for_the_end(end)
        host = self.replicas[0]
        slots = self.slots(host)
        self.table(slots, agents, disturbances)
        self.expect_each_slot_once(slots, agents, begin, end)
        self.assertEqual(set(slot.status for slot in slots.values()) - {"completed", "skipped", "missed", "dropped"}, set(), "each run comes to its end")
        is_away = lambda second: any(since - 1 <= second <= until_ + 1 for since, until_ in self.down)
        self.assertEqual([slot for slot, fate in slots.items() if fate.status in ("missed", "dropped") and not is_away(slot[1])], [], "slots are missed only while the server is away")
        self.expect_no_call_twice()
        self.expect_a_sound_ledger(host)


if __name__ == "__main__":
    unittest.main()
