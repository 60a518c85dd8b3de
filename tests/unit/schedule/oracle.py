#!/usr/bin/env python3
"""Compares a command's slots with a walk over every minute.

  oracle.py [--seed N] [--count N] [--batch] -- COMMAND...

COMMAND is called as COMMAND --cron EXPR --timezone ZONE --from INSTANT --count N --json and prints [{"scheduled_at": INSTANT}, ...]:
`agentd schedule next` or this folder's schedule_next. With --batch, COMMAND --batch is started once and asked a line at a time. The rules here are written down once more, from their description alone:
no calendar arithmetic, only minutes that match or do not, and the zone data as Python reads it.
"""
import argparse
import itertools
import json
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()
FIELDS = [(0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, WEEKDAYS)]
MACROS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
          "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}

# A few days around each change of clocks, both ways, and one calm stretch each.
WINDOWS = {
    "Europe/Berlin": ["2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2027-03-25T11:17:31Z", "2026-06-30T22:00:00Z"],
    "America/New_York": ["2026-03-06T00:00:00Z", "2026-10-30T00:00:00Z", "2026-11-01T05:30:00Z", "2026-12-30T00:00:00Z"],
    "Australia/Lord_Howe": ["2026-04-02T00:00:00Z", "2026-10-02T00:00:00Z", "2026-04-04T14:45:10Z", "2026-02-26T00:00:00Z"],
    "Africa/Cairo": ["2026-04-22T00:00:00Z", "2026-10-27T00:00:00Z"],  # at midnight
}
WINDOW_DAYS = 6


class Cron:
    def __init__(self, expression):
        texts = MACROS.get(expression.lower(), expression).split()
        self.sets = [self.parse(text, *field) for text, field in zip(texts, FIELDS)]
        self.sets[4] = {day % 7 for day in self.sets[4]}
        self.either = texts[2][0] != "*" and texts[4][0] != "*"
        self.elapsed = "*" in texts[0] or "*" in texts[1]

    @staticmethod
    def parse(text, low, high, names):
        def value(word):
            return low + names.index(word.lower()) if word.lower() in names else int(word)
        out = set()
        for item in text.split(","):
            span, _, step = item.partition("/")
            first, dash, last = span.partition("-")
            begin, end = (low, high) if span == "*" else (value(first), value(last) if dash else value(first))
            out |= set(range(begin, end + 1, int(step or 1)))
        return out

    def matches(self, minute, hour, day, month, weekday):
        minutes, hours, days, months, weekdays = self.sets
        if minute not in minutes or hour not in hours or month not in months:
            return False
        if self.either:
            return day in days or weekday in weekdays
        return day in days and weekday in weekdays


def fields_of(local):
    return local.minute, local.hour, local.day, local.month, local.isoweekday() % 7


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Window:
    """Every minute of some days: as time passes, and as a calendar on the wall would count them."""

    def __init__(self, zone, begin, days):
        self.zone, self.begin, self.end = zone, begin, begin + timedelta(days=days)
        tz = ZoneInfo(zone)
        first = begin.replace(second=0, microsecond=0)
        self.passing = []
        at = first - timedelta(days=1)
        while at <= self.end + timedelta(days=1):
            self.passing.append((at, at.astimezone(tz).replace(tzinfo=None)))
            at += MINUTE
        earliest = {}
        for at, local in self.passing:
            earliest.setdefault(local, at)
        self.counted = []
        local, stop = self.passing[0][1], self.passing[-1][1]
        seen_last = None
        pending = []
        while local <= stop:
            if local in earliest:
                seen_last = earliest[local]
                self.counted += [(missing, seen_last) for missing in pending]
                pending = []
                self.counted.append((local, seen_last))
            else:
                pending.append(local)
            local += MINUTE
        self.fields = {local: fields_of(local) for _, local in self.passing}
        self.fields.update({local: fields_of(local) for local, _ in self.counted})

    def slots(self, cron):
        if cron.elapsed:
            found = {at for at, local in self.passing if cron.matches(*self.fields[local])}
        else:
            found = {at for local, at in self.counted if cron.matches(*self.fields[local])}
        return sorted(at for at in found if self.begin < at <= self.end)


def random_field(rng, index):
    low, high, names = FIELDS[index]

    def word(value):
        return rng.choice([str.lower, str.upper, str.title])(names[value - low]) if names and rng.random() < 0.3 and value - low < len(names) else str(value)

    def item():
        kind = rng.random()
        if kind < 0.45:
            return word(rng.randint(low, high))
        begin = rng.randint(low, high)
        span = f"{begin}-{rng.randint(begin, high)}"
        return span if kind < 0.7 else f"{span}/{rng.randint(1, high // 2 + 1)}"

    kind = rng.random()
    if kind < (0.25 if index < 2 else 0.5):
        return "*"
    if kind < (0.4 if index < 2 else 0.6):
        return f"*/{rng.randint(1, high)}"
    return ",".join(item() for _ in range(rng.choice([1, 1, 1, 2, 3])))


def random_expression(rng):
    fields = [random_field(rng, i) for i in range(5)]
    if rng.random() < 0.5:  # where clocks change
        fields[1] = rng.choice(["1", "2", "3", "1-3", "0,1,2", "1,2", "*/2", "2-3", "0-4/2"])
        fields[3] = "*"
    return " ".join(fields)


CHOSEN = ["30 2 * * *", "0 2 * * *", "15 2 * * *", "45 1 * * *", "30 1 * * *", "0,15,30,45 2 * * *", "*/30 2 * * *", "* 1 * * *", "30 * * * *", "0 0 * * *", "30 0 * * 5", "30 23 * * *", "0 */2 * * *", "0 3 * * *", "59 1 * * SUN",
          "0 2,3 * * *", "0-59 2 * * *", "0 0-23 * * *", "0 0 30 2 *", "* * 31 2,4,6,9,11 *", "30 2 29 3 *", "5 0 1 * 0", "0 0 */2 * 1", "@hourly", "@daily", "@weekly", "@monthly", "@yearly"]


class Asked:
    """The command, started for every question, or once."""

    def __init__(self, command, batch):
        self.command = command
        self.process = subprocess.Popen(command + ["--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) if batch else None

    def slots(self, expression, zone, begin, count):
        question = [expression, zone, begin.strftime("%Y-%m-%dT%H:%M:%SZ"), str(count)]
        if self.process:
            self.process.stdin.write("\t".join(question) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            return [instant(slot["scheduled_at"]) for slot in json.loads(line)] if line.startswith("[") else line.strip() or "no answer"
        options = [word for pair in zip(["--cron", "--timezone", "--from", "--count"], question) for word in pair]
        done = subprocess.run(self.command + options + ["--json"], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            return f"exit {done.returncode}: {done.stderr.strip()}"
        return [instant(slot["scheduled_at"]) for slot in json.loads(done.stdout)]


def compare(asked, window, expression, count=40):
    expected = window.slots(Cron(expression))[:count]
    got = asked.slots(expression, window.zone, window.begin, count)
    if isinstance(got, list):
        got = [slot for slot in got if slot <= window.end]
    if got == expected:
        return True
    show = lambda slots: slots if isinstance(slots, str) else " ".join(s.strftime("%m-%dT%H:%MZ") for s in slots)
    print(f"MISMATCH {expression!r} {window.zone} after {window.begin:%Y-%m-%dT%H:%M:%SZ}\n  expected {show(expected)}\n  got      {show(got)}")
    return False


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--count", type=int, default=300, help="random expressions")
    arguments.add_argument("--batch", action="store_true")
    arguments.add_argument("command", nargs="+")
    options = arguments.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    windows = [Window(zone, instant(begin), WINDOW_DAYS) for zone, begins in WINDOWS.items() for begin in begins]
    cases = [(window, expression) for window in windows for expression in CHOSEN]
    year = Window("Europe/Berlin", instant("2026-01-01T00:00:00Z"), 366)
    cases += [(year, f"{rng.randint(0, 59)} {rng.randint(0, 3)} {random_field(rng, 2)} {random_field(rng, 3)} {random_field(rng, 4)}") for _ in range(10)]
    asked = Asked(options.command, options.batch)
    cases = itertools.chain(cases, ((rng.choice(windows), random_expression(rng)) for _ in range(options.count)))
    results = [compare(asked, window, expression) for window, expression in cases]
    wrong = results.count(False)
    print(f"{len(results)} cases, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
