"""The labelled set is what it says: no text twice, every label true, and few queries made of nothing but a memory's own words."""
import collections
import difflib
import re
import unittest

from labelled_set import EMPTY_WORDS, in_other_forms, memories, queries, vectors, words

MEMORIES = {memory.key: memory for memory in memories()}
WORDS = {memory.key: words(memory.text) for memory in MEMORIES.values()}


def shared(query):
    """The words that the query shares with the one right memory that has most of them, and how many another memory shares at most."""
    asked = words(query.text)
    return max((asked & WORDS[key] for key in query.right), key=len), max(len(asked & kept) for key, kept in WORDS.items() if key not in query.right)


def is_written_in(query):
    return all(words(query.text) <= WORDS[key] for key in query.right)


def is_english(query):
    """Of queries that may be in another language; the words left out are some other language's, too."""
    return bool(set(re.findall(r"\w+", query.text.lower())) & EMPTY_WORDS - {"a", "am", "an", "do", "in", "me", "no", "on", "per", "was"})


def is_of_english(query):
    return ":" not in query.right[0]


RULES = {
    "exact": is_written_in,
    "words": lambda query: shared(query)[0] and not is_written_in(query),
    "paraphrase": lambda query: not shared(query)[0],
    "inflection": lambda query: len(in_other_forms(words(query.text), WORDS[query.right[0]])) > len(shared(query)[0]),
    "identifier": lambda query: re.search(r"\d|\w[._]\w", query.text),
    "name": lambda query: re.search(r"[A-Z]", query.text[1:]) or query.text[0].isupper(),
    "near_miss": lambda query: shared(query)[1] > 0,
    "distractor": lambda query: shared(query)[1] > len(shared(query)[0]),
    "several": lambda query: 2 <= len(query.right) <= 5,
    "typo": lambda query: len(words(query.text) - set().union(*WORDS.values())) > 0,
    "language": lambda query: not is_english(query) and not is_of_english(query),
    "crosslingual": lambda query: is_english(query) != is_of_english(query),
}


class LabelledSet(unittest.TestCase):
    def test_it_is_large_enough(self):
        self.assertGreaterEqual(len(MEMORIES), 400)
        self.assertGreaterEqual(len(queries()), 200)
        self.assertEqual({query.kind for query in queries()}, set(RULES))

    def test_nothing_stands_twice(self):
        self.assertEqual(len(MEMORIES), len(memories()), "keys")
        for what, texts in (("memory", [memory.text for memory in memories()]), ("query", [query.text for query in queries()])):
            for i, text in enumerate(texts):
                for other in texts[:i]:
                    matcher = difflib.SequenceMatcher(None, text.lower(), other.lower(), autojunk=False)
                    if matcher.real_quick_ratio() > 0.85 and matcher.quick_ratio() > 0.85:
                        self.assertLess(matcher.ratio(), 0.85, f"{what}: {text!r} and {other!r}")

    def test_every_label_is_true(self):
        for query in queries():
            with self.subTest(query.text):
                self.assertLessEqual(set(query.right), set(MEMORIES))
                self.assertTrue(RULES[query.kind](query), f"is no {query.kind}")

    def test_few_queries_are_a_memory_s_own_words(self):
        written = collections.Counter(query.kind for query in queries() if is_written_in(query))
        all_of = collections.Counter(query.kind for query in queries())
        print(f"\n{'class':14}{'queries':>8}{'share':>8}{'all their words in the memory':>32}")
        for kind in [*RULES, None]:
            count, own = (all_of[kind], written[kind]) if kind else (all_of.total(), written.total())
            print(f"{kind or 'all':14}{count:8}{count / all_of.total():8.1%}{own:32}")
        self.assertLess(sum(count for kind, count in written.items() if kind not in ("exact", "identifier")) / all_of.total(), 0.05)

    def test_vectors_are_of_these_texts(self):
        found = vectors()
        self.assertTrue(all(any(vector) for vector in found.values()))


if __name__ == "__main__":
    unittest.main()
