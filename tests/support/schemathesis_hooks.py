"""Hooks of schemathesis: JSON Lines are lists, an element a line, and nobody waits long for a run's end."""
import json

import schemathesis

LONGEST_WAIT = 1  # seconds
LARGEST = 2**63 - 1


def within_64_bits(value):
    """JSON has integers of any size, and a schema of free form cannot say that those beyond 64 bits are refused."""
    if isinstance(value, dict):
        return {key: within_64_bits(each) for key, each in value.items()}
    if isinstance(value, list):
        return [within_64_bits(each) for each in value]
    return max(-LARGEST, min(value, LARGEST)) if type(value) is int else value


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
    if isinstance(case.body, (dict, list)):
        case.body = within_64_bits(case.body)
