"""TOML from Python values, a line per dotted key: {"task.query": "Look"} is `task.query = "Look"`."""
import datetime
import json

ABSENT = object()  # a key with this value is left out


def value(of):
    if isinstance(of, datetime.datetime):
        return of.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(of, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {value(inner)}" for key, inner in of.items()) + " }"
    if isinstance(of, list):
        return "[" + ", ".join(map(value, of)) + "]"
    return json.dumps(of)


def flat_toml(keys):
    return "".join(f"{key} = {value(of)}\n" for key, of in keys.items() if of is not ABSENT)
