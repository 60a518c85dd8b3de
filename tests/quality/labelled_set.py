"""What agents remember and what is asked of it, with the right answers; the vectors of both, and what each class of queries means."""
import dataclasses
import hashlib
import json
import pathlib
import re
import unicodedata

HERE = pathlib.Path(__file__).parent
LIMIT = 5  # entries of an answer

# Words that say nothing of what is looked for: they do not count as shared between a query and a memory.
EMPTY_WORDS = frozenset("""
a about above after again all already also am an and any anyone anything are as at be because been before being below between both but by can could did do does doing down during
each either every everyone few for from further get gets go goes had has have having he her here hers him his how i if in into is it its itself just let like longer many may me might
more most much must my no nobody nor not nothing now of off on once one only or other our out over own per s say says shall she should so some somebody something such t than that the
their them then there these they this those through to too under until up us very was we were what when whenever where which while who whom whose why will with without would yet you your
""".split())


@dataclasses.dataclass(frozen=True)
class Memory:
    key: str
    type: str
    text: str


@dataclasses.dataclass(frozen=True)
class Query:
    kind: str  # its class
    right: tuple  # keys of memories
    text: str


def rows(name):
    lines = (HERE / name).read_text(encoding="utf-8").split("\n")
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def memories():
    return [Memory(*row) for row in rows("memories.tsv")]


def queries():
    return [Query(kind, tuple(right.split(",")), text) for kind, right, text in rows("queries.tsv")]


def texts():
    """Of all memories, then of all queries: the order of the vectors."""
    return [memory.text for memory in memories()] + [query.text for query in queries()]


def digest(texts):
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def vectors():
    """{text: its vector as whole numbers from -127 to 127}: a direction, of no particular length."""
    about = json.loads((HERE / "vectors.json").read_text())
    all_texts, dimensions = texts(), about["dimensions"]
    if about["texts"] != digest(all_texts):
        raise ValueError("vectors.i8 was made of other texts: run tests/quality/embed.py again")
    numbers = memoryview((HERE / "vectors.i8").read_bytes()).cast("b")
    return {text: list(numbers[i * dimensions:(i + 1) * dimensions]) for i, text in enumerate(all_texts)}


def words(text):
    """The words that carry meaning."""
    return {word for word in re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()) if word not in EMPTY_WORDS and len(word) > 1}


def in_other_forms(asked, kept):
    """Words of a query that begin as one of the memory does and are not among them."""
    beginnings = {word[:4] for word in kept}
    return {word for word in asked - kept if word[:4] in beginnings}
