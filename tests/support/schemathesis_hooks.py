"""Hooks of schemathesis: JSON Lines are lists, an element a line, and nobody waits long for a run's end."""
import json

import schemathesis

LONGEST_WAIT = 1  # seconds


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def to_lines(_, value):
    elements = value if isinstance(value, list) else [value]
    return "".join(json.dumps(element) + "\n" for element in elements).encode()


@schemathesis.deserializer("application/jsonl")
def from_lines(_, response):
    return [json.loads(line) for line in response.text.splitlines()]


@schemathesis.serializer("application/toml")
def to_toml(_, value):
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_call(_, case, kwargs):
    for asked in (case.body, case.query):
        if isinstance(asked, dict) and isinstance(asked.get("wait"), (int, float)):
            asked["wait"] = min(asked["wait"], LONGEST_WAIT)
