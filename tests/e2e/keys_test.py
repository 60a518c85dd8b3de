"""Nothing is silently ignored: every key of a manifest and of agentd.toml changes what a host does, or is refused with "not supported yet".
The keys are read from `agentd schema`; KEYS holds how each is seen at work, so a key that nobody looks at fails the test too."""
import concurrent.futures
import dataclasses
import datetime
import functools
import hashlib
import http.client
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import tomllib
import typing
import unittest

from agentd import AGENTD, BUILD, PATIENCE, SOURCE, TEST_PLUGINS, AgentdTest, Endpoint, Host, until
from flat_toml import ABSENT, flat_toml
from web import Web

EXAMPLES = {of: SOURCE / "tests" / "unit" / "manifest" / f"interface_{of}.toml" for of in ("manifest", "config")}
FINAL = ("completed", "failed", "timed_out", "cancelled", "quarantined", "skipped", "missed", "dropped")
ASKS_MODEL = {"model.provider": "main", "model.model": "m", "task.query": "Look", "retry.max_retries": 0}
PAUSE = 0.1  # seconds between two looks: many look at once
LONG_TEXT = "A line of a long text.\n" * 100

# What the provider `script` plays when the query holds the word.
SCRIPT = """
agent = [
  { match = "@slow", step = [{ delay = "700ms", say = "Slow." }] },
  { match = "@never", step = [{ delay = "59m", say = "Never." }] },
  { match = "@steps", step = [{ call = [{ tool = "system.load" }] }, { call = [{ tool = "system.load" }] }, { say = "Done." }] },
  { match = "@long", step = [{ call = [{ tool = "system.cpu", arguments = { sample_ms = 500 } }] }, { say = "Done." }] },
  { match = "@two", step = [{ call = [{ tool = "system.cpu" }, { tool = "system.cpu" }] }, { say = "Done." }] },
  { match = "@fetch", step = [{ call = [{ tool = "web.fetch", arguments = { url = "$web/hold" } }] }, { say = "Fetched." }] },
  { match = "@send", step = [{ call = [{ tool = "web.send", arguments = { method = "POST", url = "$web/hold" } }] }, { say = "Sent." }] },
  { step = [{ say = "Said." }] },
]
"""


def plays(word, **more):
    """An agent whose model is the script."""
    return {**ASKS_MODEL, "model.provider": "played", "task.query": word, "tools.allow": ["*"], **{key.replace("__", "."): value for key, value in more.items()}}


# --- how a key is seen: the values it is given, and what is looked at ---------------------------------------------------------------------


@dataclasses.dataclass
class Agents:
    """Two agents of one host that differ in this key. see(world, agent_id) is what is told apart."""
    see: typing.Callable
    one: typing.Any
    other: typing.Any
    base: dict = dataclasses.field(default_factory=lambda: ASKS_MODEL)
    restarts: bool = False  # seen in a host that is killed and started again


@dataclasses.dataclass
class Entries:
    """Two entries of [providers.*] or [toolsets.*] that differ in this key, each with an agent of its own."""
    see: typing.Callable
    one: typing.Any
    other: typing.Any
    settings: dict
    base: dict = dataclasses.field(default_factory=lambda: ASKS_MODEL)


@dataclasses.dataclass
class Hosts:
    """Two hosts whose configurations differ in this key."""
    see: typing.Callable
    one: typing.Any
    other: typing.Any


@dataclasses.dataclass
class Checks:
    """Two configurations that `agentd check` judges."""
    one: typing.Any
    other: typing.Any


class Together(dict):
    """Keys that only go together: the value of a probe whose key has others in its wake."""


class Refused(typing.NamedTuple):
    """Only the value that asks for nothing is accepted; this one is refused."""
    sample: typing.Any


class Elsewhere(typing.NamedTuple):
    """The test of this name has a look at it."""
    test: str


# --- what is looked at ----------------------------------------------------------------------------------------------------------------------


def view(member):
    return lambda world, agent: world.host.get(f"/v1/agents/{agent}")[member]


def is_served(world, agent):
    return world.host.request("GET", f"/v1/agents/{agent}")[0] == 200


def run(*members):
    def see(world, agent):
        ended = world.run(agent)
        return [functools.reduce(lambda of, key: of[key], member.split("."), ended) for member in members]
    return see


def tool_calls(member):
    return lambda world, agent: [step[member] for step in world.steps(world.run(agent)["run_id"]) if step["kind"] == "tool"]


def asked(member):
    """Of the body of the first request that reached the endpoint."""
    return lambda world, agent: world.bodies(world.run(agent)["run_id"])[0].get(member)


def recalled(world, agent):
    """What the second run is told of the first."""
    world.run(agent)
    return world.bodies(world.run(agent)["run_id"])[0]["messages"]


def offered(world, agent):
    return [tool["function"]["name"] for tool in asked("tools")(world, agent) or []]


def slots(world, agent):
    return world.host.get(f"/v1/schedule/{agent}?count=2")["slots"]


def is_late(world, agent):
    """Whether what comes every hour does not come on the hour."""
    return not view("next_run")(world, agent).endswith(":00:00.000Z")


def delays(world, agent):
    """Between the attempts of a run whose model always fails; calls within an attempt are tried again too, at a pace of their own."""
    events = world.events(world.run(agent)["run_id"])
    failed = {event["id"].split("-")[0] for event in events if event["type"] == "background_task_error"}
    return [event["payload"]["delay_ms"] for event in events if event["type"] == "background_task_retrying" and event["id"].split("-")[0] in failed]


def second_of_two(world, agent):
    """What becomes of a second run while the first goes on, given some time."""
    first = world.host.submit(agent)
    until(f"{agent} works", lambda: world.host.run_status(first) == "running", pause=PAUSE)
    return world.host.get(f"/v1/runs/{world.host.submit(agent)}?wait=4")["status"]


def calls_overlap(world, agent):
    types = [event["type"] for event in world.events(world.run(agent)["run_id"]) if event["type"].startswith("tool_call_")]
    return types[:2] == ["tool_call_started", "tool_call_started"]


def runs_of(world, agent, condition):
    """The statuses of its runs, oldest first, once they fulfil the condition."""
    def look():
        found = [run["status"] for run in reversed(world.host.get(f"/v1/runs?agent={agent}")["runs"])]
        return condition(found) and found
    return until(f"slots of {agent}", look, pause=PAUSE)


def second_slot(world, agent):
    return runs_of(world, agent, lambda found: len(found) > 1)[1]


def past_slot(world, agent):
    return runs_of(world, agent, lambda found: found and found[0] in FINAL)


def runs_at_once(world, agent):
    """Whether it has run by itself by the time that another one has which was asked to."""
    world.run(agent)
    return len(world.host.get(f"/v1/runs?agent={agent}")["runs"])


def admitted(world, agent):
    """How many runs are taken while one is under way."""
    first = world.host.submit(agent)
    until(f"{agent} works", lambda: world.host.run_status(first) == "running", pause=PAUSE)
    return [world.host.request("POST", f"/v1/agents/{agent}/runs", {})[0] for _ in range(2)]


def logged(world, agent):
    run_id = world.run(agent)["run_id"]
    return f"background_task_started {agent} {run_id}" in world.host.log_file.read_text()


def remembered_in_other(world, agent):
    world.run(agent)
    return agent in memories(world.host.folder / "other", world.host.folder)


def asked_main(world, agent):
    return bool(world.bodies(world.run(agent)["run_id"]))


def waits_or_ends(world, agent):
    run_id = world.host.submit(agent)
    until(f"{agent} ends or waits", lambda: world.host.run_status(run_id) in (*FINAL, "waiting"), pause=PAUSE)
    return world.host.run_status(run_id)


def time_to_decide(world, agent):
    """Seconds that a person has."""
    waits_or_ends(world, agent)
    asked = world.host.get(f"/v1/approvals?agent={agent}")["approvals"][0]
    expires, requested = (datetime.datetime.fromisoformat(asked[when]) for when in ("expires_at", "requested_at"))
    return round((expires - requested).total_seconds())


def first_outcome(world, agent):
    run_id = world.host.submit(agent)
    return until(f"{agent} has asked", lambda: world.steps(run_id), pause=PAUSE)[0]["outcome"]


def requests_overlap(world, agent):
    runs = [world.host.submit(agent), world.host.submit(agent)]
    for run_id in runs:
        world.ended(run_id)
    return [line["event"] for line in world.slow.journal() if line["call_id"].startswith(tuple(runs))][:2]


def tools_of(world, agent):
    return [name.split(".")[1] for name in view("available_tools")(world, agent)]


def memories(folder, scratch):
    """The agents that a memory file knows: read from a copy, so that the host's lock and log are left alone."""
    copy = tempfile.mkdtemp(dir=scratch)
    for file in folder.glob("memory.db*"):
        shutil.copy(file, copy)
    with sqlite3.connect(f"{copy}/memory.db") as db:
        found = [agent for agent, in db.execute("SELECT agent FROM entries")]
    db.close()
    return found


def exists(path):
    return lambda hosts, host: (host.folder / path).exists()


def pruned_until(hosts, host):
    """How many hours back the ledger's records are kept, as it says itself."""
    def found():
        ledger = sqlite3.connect(f"file:{next(host.folder.rglob('ledger.db'))}?mode=ro", uri=True)
        try:
            return ledger.execute("SELECT position FROM cursors WHERE name='schedule-pruned'").fetchone()
        finally:
            ledger.close()
    position, = until("old records were looked for", found)
    return round((time.time() * 1000 - position) / 3_600_000)


def logs(pattern):
    return lambda hosts, host: any(re.search(pattern, line) for line in host.log_file.read_text().splitlines())


UTC_NOON = {"schedule.cron": "0 12 * * *"}
HOURLY = {"schedule.interval": "1h"}
NOW = datetime.datetime.now(datetime.timezone.utc)
FAILS = {**ASKS_MODEL, "model.provider": "failing", "retry.max_retries": 2, "retry.delay": "100ms", "retry.jitter": 0}
PRICED = {"plugin": "openai", "base_url": "$web/v1"}


COSTLY = {"model__provider": "costly", "model__max_output_tokens": 100, "limits__cost_limit": 0}  # a dollar a token, so that a call holds a hundred


def price(kind):
    return Entries(run("usage.cost"), {"m": {kind: 20}}, {"m": {kind: 40}}, PRICED)


# key: how it is seen. Names of agents and entries are made of the key's.
KEYS = {
    "manifest": {
        "agent_id": Agents(is_served, ABSENT, "somebody_else"),
        "description": Agents(view("description"), "This", "That"),
        "system_instruction": Agents(asked("messages"), "Be short", "Be long"),
        "enabled": Agents(view("next_run"), True, False, {**ASKS_MODEL, **HOURLY}),
        "debug": Agents(logged, True, False),
        "labels": Agents(view("labels"), {"team": "ops"}, {"team": "dev"}),

        "model.provider": Agents(asked_main, "main", "played"),
        "model.model": Agents(asked("model"), "m", "n"),
        "model.temperature": Agents(asked("temperature"), 0.5, ABSENT),
        "model.reasoning_effort": Agents(asked("reasoning_effort"), "low", "high"),
        "model.max_output_tokens": Agents(asked("max_tokens"), 100, 200),

        "task.query": Agents(asked("messages"), "Look", "Listen"),
        "task.native": Agents(run("usage.requests"), Together({"task.native": "disk_report"}), Together(ASKS_MODEL), {}),
        "task.params": Agents(asked("messages"), {"size": 1}, {"size": 2}),
        "task.output_schema": Agents(run("status"), "object.json", ABSENT),
        "task.require": Agents(run("status"), ["system.load"], [], plays("@say")),
        "task.timeout": Agents(run("status"), "100ms", "1m", plays("@slow")),
        "task.deadline": Agents(run("status"), "100ms", "1m", plays("@slow")),

        "schedule.interval": Agents(slots, "1h", "7h"),
        "schedule.cron": Agents(slots, "0 12 * * *", "5 12 * * *"),
        "schedule.at": Agents(slots, datetime.datetime(2040, 1, 1), datetime.datetime(2041, 1, 1)),
        "schedule.timezone": Agents(slots, "UTC", "Asia/Tokyo", {**ASKS_MODEL, **UTC_NOON}),
        "schedule.start": Agents(slots, datetime.datetime(2040, 1, 1), ABSENT, {**ASKS_MODEL, **HOURLY}),
        "schedule.end": Agents(slots, datetime.datetime(2020, 1, 1), ABSENT, {**ASKS_MODEL, **HOURLY}),
        "schedule.jitter": Agents(is_late, "50m", "0s", {**ASKS_MODEL, **HOURLY}),
        "schedule.overlap": Agents(second_slot, "skip", "queue", plays("@never", schedule__interval="1s")),
        "schedule.misfire": Agents(past_slot, "latest", "skip", {**ASKS_MODEL, "schedule.at": NOW - datetime.timedelta(minutes=10)}),
        "schedule.catchup_window": Agents(runs_at_once, "1h", "1m", {**ASKS_MODEL, "schedule.at": NOW - datetime.timedelta(minutes=10)}),
        "schedule.run_on_start": Agents(runs_at_once, True, False),

        "gate.native": Agents(past_slot, *(Together({"gate": gate, "schedule.run_on_start": True}) for gate in ({"native": "always"}, {"native": "changed_files", "params": {"roots": ["/proc/self/ns"]}}))),
        "gate.params": Agents(past_slot, {"roots": ["/etc/passwd"]}, {"roots": ["/proc/self/ns"]}, {**ASKS_MODEL, "gate.native": "changed_files", "schedule.run_on_start": True}),

        **{f"trigger.{key}": Elsewhere("triggers_test.py") for key in ("name", "on", "verify", "secret", "path", "glob", "debounce", "agent", "outcome")},

        **{f"deliver.{key}": Elsewhere("deliver_test.py") for key in ("sinks", "when")},
        "deliver.on": Elsewhere("alerts_test.py"),
        **{f"alerts.{key}": Elsewhere("alerts_test.py") for key in ("silent_after", "consecutive_failures", "budget_ratio", "sinks")},

        "retry.max_retries": Agents(run("attempt"), 0, 1, {**FAILS, "retry.delay": "10ms"}),
        "retry.delay": Agents(delays, "100ms", "200ms", FAILS),
        "retry.backoff": Agents(delays, "exponential", "fixed", FAILS),
        "retry.max_delay": Agents(delays, "1s", "150ms", FAILS),
        "retry.jitter": Agents(delays, 0, 1, {**FAILS, "retry.delay": "300ms"}),
        "retry.pause_after_failures": Elsewhere("pause_test.py"),

        "limits.queue_size": Agents(admitted, 1, 5, plays("@never")),
        "limits.max_concurrent": Agents(second_of_two, 1, 2, plays("@never")),
        "limits.max_steps": Agents(run("status", "error_class"), 2, 15, plays("@steps")),
        "limits.request_limit": Agents(run("status", "error_class"), 2, 50, plays("@steps")),
        "limits.total_tokens_limit": Agents(run("status", "error_class"), 1, 50000, plays("@steps")),
        "limits.cost_limit": Agents(run("status", "error_class"), 1, 1000, plays("@steps", **COSTLY)),
        "limits.tokens_per_day": Agents(run("status", "error_class"), 50, 1000000, plays("@steps")),
        "limits.cost_per_day": Agents(run("status", "error_class"), 101, 1000000, plays("@steps", **COSTLY)),
        "limits.on_budget": Agents(waits_or_ends, "stop", "park", plays("@steps", limits__cost_per_day=101, **COSTLY)),
        "limits.max_crashes": Agents(run("status"), 1, 3, plays("@fetch"), restarts=True),
        "limits.tool_call_timeout": Agents(tool_calls("outcome"), "50ms", "30s", plays("@long")),
        "limits.tool_output_limit": Agents(tool_calls("content"), "256B", "64KiB", {**ASKS_MODEL, "tools.allow": ["fs.read_file"]}),
        "limits.parallel_tools": Agents(calls_overlap, 1, 4, plays("@two")),

        "memory.store": Agents(remembered_in_other, "other", ABSENT),
        "memory.stores": Elsewhere("memory_learning_test.py"),
        "memory.session": Agents(recalled, "agent", "run"),
        "memory.window": Agents(recalled, 0, 20),
        "memory.window_tokens": Agents(recalled, 1, 8000),
        "memory.summarize": Elsewhere("memory_learning_test.py"),
        "memory.recall": Agents(asked("messages"), 0, 5, {**ASKS_MODEL, "memory.window": 0}, restarts=True),
        "memory.learn": Elsewhere("memory_learning_test.py"),

        "tools.allow": Agents(offered, ["fs.read_file"], ["system.load"]),
        "tools.ask": Agents(waits_or_ends, ["fs.read_file"], [], {**ASKS_MODEL, "tools.allow": ["fs.read_file"]}),
        "tools.deny": Agents(offered, ["fs.*"], ["system.*"], {**ASKS_MODEL, "tools.allow": ["fs.*", "system.*"]}),
        "tools.approval_timeout": Agents(time_to_decide, "1h", "2h", {**ASKS_MODEL, "tools.ask": ["fs.read_file"]}),
        "tools.on_unknown_outcome": Agents(run("status", "error_class"), "fail", "tell_model", plays("@send"), restarts=True),
        "tools.toolsets": Agents(tool_calls("outcome"), {"fs": {"roots": ["empty"]}}, ABSENT, {**ASKS_MODEL, "tools.allow": ["fs.read_file"]}),
    },
    "config": {
        "host.agent_dirs": Hosts(lambda hosts, host: [agent["agent_id"] for agent in host.get("/v1/agents")["agents"]], ["agents"], ["agents", "more"]),
        "host.plugin_dirs": Hosts(lambda hosts, host: "marker" in [plugin["name"] for plugin in host.get("/v1/plugins")["plugins"]], [str(TEST_PLUGINS)], []),
        "host.state_dir": Hosts(exists("here"), "here", "there"),
        "host.drain_timeout": Hosts(lambda hosts, host: hosts.ended_by_themselves[host.port], "100ms", "10m"),
        "host.replicas": Elsewhere("replicas_test.py"),
        "host.roles": Refused(["api"]),
        "log.level": Hosts(logs(r"is ready at"), "warn", "info"),
        "log.format": Hosts(logs(r"^\{"), "text", "json"),
        "log.levels": Hosts(logs(r"model_call_started worker "), {"events": "debug"}, {}),
        **{f"api.{key}": Elsewhere("access_test.py") for key in ("tokens.name", "tokens.role", "tokens.token", "tls.cert", "tls.key")},
        "api.listen": Hosts(lambda hosts, host: hosts.ports_of(host), "127.0.0.1:$port0", "127.0.0.1:$port1"),
        "stores.*.plugin": Hosts(lambda hosts, host: (host.folder / "copies").is_dir(), "jsonl", "sqlite"),
        "ledger.retention": Hosts(pruned_until, "1h", "48h"),
        "ledger.store": Hosts(exists("ledger/ledger.db"), "record", "local"),
        "memory.store": Hosts(lambda hosts, host: "worker" in memories(host.folder / "memory", host.folder), "known", "local"),
        **{f"embedding.{key}": Elsewhere("memory_vectors_test.py") for key in ("provider", "model")},
        "events.stores": Hosts(exists("others"), ["copies"], ["copies", "others"]),
        "heartbeat.url": Elsewhere("alerts_test.py"),
        "heartbeat.every": Elsewhere("alerts_test.py"),
        "budget.cost_per_day": Hosts(lambda hosts, host: host.get("/v1/budgets")["budgets"], 1000, 2000),
        "defaults": Hosts(lambda hosts, host: host.get("/v1/agents/worker")["labels"], {"labels": {"team": "ops"}}, ABSENT),

        "providers.*.plugin": Entries(is_served, "script", "openai", {"file": "script.toml"}),
        "providers.*.base_url": Entries(asked_main, "$main", "$web/v1", {"plugin": "openai"}),
        "providers.*.api_key": Entries(waits_or_ends, "env:GOOD_KEY", "env:BAD_KEY", {"plugin": "openai", "base_url": "$locked"}),
        "providers.*.max_concurrent": Entries(requests_overlap, 1, 2, {"plugin": "openai", "base_url": "$slow"}, {**ASKS_MODEL, "limits.max_concurrent": 2}),
        "providers.*.requests_per_minute": Refused(60),
        "providers.*.tokens_per_minute": Refused(1000),
        "providers.*.timeout": Entries(first_outcome, "50ms", "1m", {"plugin": "openai", "base_url": "$slow"}),
        "providers.*.prices.*.input": price("input"),
        "providers.*.prices.*.output": price("output"),
        "providers.*.prices.*.cache_read": price("cache_read"),
        "providers.*.prices.*.cache_write": price("cache_write"),
        "toolsets.*.plugin": Entries(tools_of, "fs", "system", {}),
        "sinks.*.kind": Elsewhere("deliver_test.py"),
        "plugins.*.sha256": Checks(hashlib.sha256((BUILD / "lib" / "agentd" / "plugins" / "fs.so").read_bytes()).hexdigest(), "0" * 64),
        "plugins.*.isolation": Refused("process"),
    },
}


# --- the keys there are ---------------------------------------------------------------------------------------------------------------------


@functools.cache
def schema(of):
    return json.loads(subprocess.run([str(AGENTD), "schema", of], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout)


def inner(key):
    """The keys of the table, of the entries or of the list's elements that a key holds; None: it holds a value."""
    for table in (key, key.get("additionalProperties"), key.get("items")):
        if isinstance(table, dict) and "properties" in table:
            return table
    return None


def each_key(of, table=None, at=""):
    """(path, schema) of every key that holds a value; an entry's own name is "*"."""
    for name, key in (table or schema(of))["properties"].items():
        held = inner(key) if at + name != "defaults" else None
        if held is None:
            yield at + name, key
        else:
            yield from each_key(of, held, at + name + (".*." if held is key.get("additionalProperties") else "."))


def is_refused(key):
    return key["description"].endswith(" Not supported yet.")


def refused_values(of, path, key):
    if "not" in key and "enum" in key["not"]:
        return key["not"]["enum"]
    probe = KEYS[of].get(path)
    return [probe.sample] if isinstance(probe, Refused) else []


def accepted_values(key):
    return [value for value in key["enum"] if value not in key.get("not", {}).get("enum", [])]


def example(of):
    return tomllib.loads(EXAMPLES[of].read_text())


def value_at(tree, path):
    """What the manual shows; for what it only speaks of, anything."""
    for name in path.split("."):
        tree = tree.get(name, {}) if isinstance(tree, dict) else {}
    return tree or ["x"]


def undeclared(table, values, at=""):
    """The keys of an example that the schema's table does not have. What waits for its feature is refused as a whole."""
    found = []
    for name, value in values.items():
        key = table["properties"].get(name)
        if key is None:
            found += [at + name] if table.get("additionalProperties") is False else []
            continue
        held = inner(key)
        if held is None:
            continue
        if held is key.get("additionalProperties"):
            for entry, settings in value.items():
                found += undeclared(held, settings, f"{at}{name}.{entry}.")
        else:
            for each in value if isinstance(value, list) else [value]:
                found += undeclared(held, each, f"{at}{name}.")
    return found


# --- the hosts ------------------------------------------------------------------------------------------------------------------------------


class World:
    """A host with the two agents of every probe of some kind, the endpoints they ask, and what can be seen of it all."""

    def __init__(self, test, probes):
        self.web = test.enter(Web())
        self.host = test.enter(Host(test.folder))
        self.endpoints = {name: self.endpoint(test, name, **options) for name, options in {
            "main": {"bodies": "yes", "tool": "fs__read_file", "arguments": json.dumps({"path": str(test.folder / "data" / "long.txt")})},
            "slow": {"delay": 2000}, "failing": {"fail": "*=500"}, "locked": {"key": "sk-the-right-key"}}.items()}
        self.slow = self.endpoints["slow"]
        folder = test.folder
        for name in ("agents", "agents/empty", "data"):
            (folder / name).mkdir()
        (folder / "data" / "long.txt").write_text(LONG_TEXT)
        (folder / "agents" / "object.json").write_text('{"type": "object"}')
        (folder / "script.toml").write_text(self.filled(SCRIPT))
        self.config = {"host.state_dir": "state", "api.listen": f"127.0.0.1:{self.host.port}", "stores.other": {"plugin": "sqlite", "path": "other"},
                       "providers.main": {"plugin": "openai", "base_url": "$main"}, "providers.failing": {"plugin": "openai", "base_url": "$failing"},
                       "providers.played": {"plugin": "script", "file": "script.toml"}, "toolsets.system": {}, "toolsets.fs": {"roots": ["data", "agents/empty"]},
                       "providers.costly": {"plugin": "script", "file": "script.toml", "prices": {"m": {"output": 1000000}}},
                       "toolsets.web": {"plugin": "http", "allow_private": True, "methods": ["GET", "POST"]}}
        for (of, key), probe in probes.items():
            for value, agent in zip((probe.one, probe.other), self.agents(of, key)):
                self.add(key, probe, value, agent)
        (folder / "agentd.toml").write_text(self.filled(flat_toml(self.config)))

    def endpoint(self, test, name, **options):
        folder = test.folder / name
        folder.mkdir()
        return test.enter(Endpoint(folder, **options))

    def filled(self, text):
        for name, endpoint in self.endpoints.items():
            text = text.replace(f"${name}", endpoint.url)
        return text.replace("$web", self.web.url)

    @staticmethod
    def agents(of, key):
        name = re.sub(r"[^a-z0-9_]+", "-", f"{of}-{key}")
        return f"{name}-one", f"{name}-other"

    def add(self, key, probe, value, agent):
        manifest = dict(probe.base)
        if isinstance(probe, Agents):
            manifest.update(value if isinstance(value, Together) else {key: value})
        else:
            kind, name = key.split(".*.")[0], key.split(".")[2]
            self.config[f"{kind}.{agent}"] = {**probe.settings, name: value}
            manifest.update({"model.provider": agent} if kind == "providers" else {"tools.allow": [f"{agent}.*"]})
        (self.host.folder / "agents" / f"{agent}.toml").write_text(flat_toml(manifest))

    def start(self):
        return self.host.start(GOOD_KEY="sk-the-right-key", BAD_KEY="sk-another-key")

    def ended(self, run_id):
        def look():
            run = self.host.get(f"/v1/runs/{run_id}?wait=20")
            return run["status"] in FINAL and run
        return until(f"run {run_id} ends", look)

    def run(self, agent):
        return self.ended(self.host.submit(agent))

    def steps(self, run_id):
        return self.host.get(f"/v1/runs/{run_id}/steps")["steps"]

    def events(self, run_id):
        return self.host.get(f"/v1/events?run={run_id}&limit=1000")["events"]

    def bodies(self, run_id):
        return [json.loads(line["body"]) for line in self.endpoints["main"].journal("asked") if line["call_id"].startswith(run_id)]


class TwoHosts:
    """Two hosts, each with one of the values of every key that is seen so, and a run of each that is over."""

    def __init__(self, test, probes):
        self.web = test.enter(Web())
        self.both = []
        for which in (0, 1):
            folder = test.folder / f"host{which}"
            for name in ("agents", "more"):
                (folder / name).mkdir(parents=True)
            self.both.append(test.enter(Host(folder)))
        for which, host in enumerate(self.both):
            config = {"stores.copies.path": "copies", "stores.others": {"plugin": "jsonl", "path": "others"}, "stores.record": {"plugin": "sqlite", "path": "ledger"},
                      "stores.known": {"plugin": "sqlite", "path": "memory"}, "providers.played": {"plugin": "script", "file": "script.toml", "prices": {"m": {"output": 1}}},
                      "toolsets.system": {}, "toolsets.web": {"plugin": "http", "allow_private": True, "methods": ["GET", "POST"]}}
            config |= {key.replace("*", "copies"): (probe.one, probe.other)[which] for (_, key), probe in probes.items()}
            text = flat_toml(config).replace("$port0", str(self.both[0].port)).replace("$port1", str(self.both[1].port))
            (host.folder / "agentd.toml").write_text(text)
            (host.folder / "script.toml").write_text(SCRIPT.replace("$web", self.web.url))
            for file in ("agents/worker.toml", "more/helper.toml"):
                (host.folder / file).write_text(flat_toml(plays("@say", description=host.folder.name)))

    def start(self):
        for host in self.both:
            host.start(wait=False)
        for host in self.both:
            host.wait_ready()
            host.wait_run(host.submit("worker"))
            until("events are copied", (host.folder / "copies").exists)

    def ports_of(self, host):
        return [port for port in (each.port for each in self.both) if self.name_at(port) == host.folder.name]

    def name_at(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/v1/agents/worker")
        body = json.loads(connection.getresponse().read())
        connection.close()
        return body["description"]

    @functools.cached_property
    def ended_by_themselves(self):
        """Whether each is gone soon after SIGTERM, a tool call of it being held. The last things that are seen of them."""
        for host in self.both:
            host.submit("worker", query="@fetch")
        until("both make the call", lambda: self.web.held == 2)
        for host in reversed(self.both):
            host.process.send_signal(signal.SIGTERM)
        try:
            self.both[0].process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        return {host.port: host.process.poll() is not None for host in self.both}


def of_kind(*kinds, restarts=False):
    return {(of, key): probe for of, keys in KEYS.items() for key, probe in keys.items() if isinstance(probe, kinds) and getattr(probe, "restarts", False) == restarts}


class Keys(AgentdTest):
    def told_apart(self, seen):
        """seen: {(of, key): (what the one value shows, what the other shows)}, an exception being something that could not be looked at."""
        for (of, key), pair in seen.items():
            with self.subTest(f"{of} {key}"):
                for value in pair:
                    if isinstance(value, Exception):
                        raise AssertionError(f"{key} of the {of} cannot be seen: {value}") from None
                self.assertNotEqual(pair[0], pair[1], f"{key} of the {of} changes nothing")

    def look(self, probes, at):
        """at(probe, which one): all at once, since they wait more than they work."""
        def one(probe, which):
            try:
                return at(probe, which)
            except Exception as problem:
                return problem
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            found = {where: [pool.submit(one, where, which) for which in (0, 1)] for where in probes}
            return {where: tuple(each.result() for each in pair) for where, pair in found.items()}

    def test_have_a_probe_each(self):
        for of, probes in KEYS.items():
            keys = dict(each_key(of))
            self.assertGreater(len(keys), 20)
            for path, key in keys.items():
                with self.subTest(f"{of} {path}"):
                    if is_refused(key):
                        continue
                    self.assertTrue(path in probes, "nobody looks at this key")
                    if isinstance(probes[path], Elsewhere):
                        self.assertRegex((SOURCE / "tests" / "e2e" / probes[path].test).read_text(), rf"\b{path.split('.')[-1]}\b")
                        continue
                    is_partly = key["description"].endswith(" Not every value is supported yet.")
                    self.assertEqual(bool(refused_values(of, path, key)), is_partly, "values that are refused go with keys that say so")
                    only_one = is_partly and len(accepted_values(key)) == 1
                    self.assertEqual(isinstance(probes[path], Refused), only_one, "what is accepted besides the default is not looked at")
            self.assertEqual(set(probes) - {path for path, key in keys.items() if not is_refused(key)}, set(), "there is no such key")

    def test_of_agents_and_entries_change_what_happens(self):
        probes = of_kind(Agents, Entries)
        world = World(self, probes)
        world.start()
        self.told_apart(self.look(probes, lambda where, which: probes[where].see(world, world.agents(*where)[which])))

    def test_that_only_a_crash_shows_change_what_happens(self):
        probes = of_kind(Agents, restarts=True)
        world = World(self, probes)
        world.start()
        under_way = {}
        for where, probe in probes.items():
            for agent in world.agents(*where):
                under_way[agent] = world.host.submit(agent)
        facts = [agent for agent in under_way if "recall" in agent]
        for agent in facts:
            world.ended(under_way[agent])
        until("every other call is being made", lambda: world.web.held == len(under_way) - len(facts))
        world.host.kill()
        with sqlite3.connect(world.host.state / "memory.db") as db:
            db.execute("UPDATE entries SET type=2")  # what was said is a fact to keep now
        db.close()
        world.web.let_go.set()
        world.start()
        for agent, run_id in under_way.items():
            if agent not in facts:
                world.ended(run_id)
        world.run = lambda agent: world.ended(world.host.submit(agent) if agent in facts else under_way[agent])
        self.told_apart(self.look(probes, lambda where, which: probes[where].see(world, world.agents(*where)[which])))


    def test_of_the_host_change_what_it_does(self):
        probes = of_kind(Hosts)
        hosts = TwoHosts(self, probes)
        hosts.start()
        last = ("config", "host.drain_timeout")
        self.told_apart({where: tuple(probes[where].see(hosts, host) for host in hosts.both) for where in sorted(probes, key=lambda where: where == last)})

    def check(self, config, manifest=""):
        """The lines of `agentd check` over one agent, and its exit code."""
        host = Host(tempfile.mkdtemp(dir=self.folder))
        (host.folder / "agents").mkdir()
        (host.folder / "agentd.toml").write_text(config)
        (host.folder / "agents" / "agent.toml").write_text(manifest or flat_toml({"task.native": "disk_report"}))
        done = host.cli("check", "--config", "agentd.toml", "--state", "state", check=False)
        return done.stdout.splitlines(), done.returncode

    def test_that_a_check_shows_change_its_verdict(self):
        judged = {}
        for (of, key), probe in of_kind(Checks).items():
            judged[of, key] = tuple(self.check(flat_toml({key.replace("*", "fs"): value}))[1] for value in (probe.one, probe.other))
        self.told_apart(judged)

    def test_that_wait_for_their_feature_are_refused_at_their_place(self):
        samples = {of: {} for of in KEYS}
        for of, keys in samples.items():
            for path, key in each_key(of):
                if is_refused(key):
                    keys[path] = value_at(example(of), path)
                for value in refused_values(of, path, key) if not isinstance(KEYS[of].get(path), Elsewhere) else []:
                    keys[path.replace("*", "main", 1)] = value
        lines, code = self.check(flat_toml(samples["config"]), flat_toml(samples["manifest"]))
        self.assertEqual(code, 2)
        for of, file in (("manifest", "agents/agent.toml"), ("config", "agentd.toml")):
            self.assertTrue(samples[of])
            for number, path in enumerate(samples[of], 1):
                with self.subTest(f"{of} {path}"):
                    name = path.split(".")[-1]
                    about = [line for line in lines if re.search(rf"(^|/){re.escape(file)}:{number}:\d+: ", line)]
                    self.assertTrue(any(re.search(rf'"{name}".* is not supported yet', line) for line in about), f"{about or lines}")

    def test_that_wait_for_their_feature_may_say_that_nothing_is_asked_of_it(self):
        asking_nothing = {of: {path.replace("*", "main", 1): accepted_values(key)[0] for path, key in each_key(of) if isinstance(KEYS[of].get(path), Refused)} for of in KEYS}
        config = {"providers.main.plugin": "openai", "providers.main.base_url": "http://127.0.0.1:9/v1", **asking_nothing["config"]}
        lines, code = self.check(flat_toml(config), flat_toml({"task.native": "disk_report", **asking_nothing["manifest"]}))
        self.assertEqual(code, 0, lines)

    def test_that_the_manual_shows_are_declared_where_it_shows_them(self):
        for of in KEYS:
            self.assertEqual(undeclared(schema(of), example(of)), [])


if __name__ == "__main__":
    unittest.main()
