"""How well agents find what they remember: the labelled set through a real host and real stores, by words, and by words and meaning.

A host has no switch for meaning alone: that ranking is worked out here, from the very vectors that the host is given.
"""
import contextlib
import json
import unittest
import urllib.parse

import labelled_set
from agentd import AgentdTest, openai
from known_embeddings import KnownEmbeddings
from labelled_set import LIMIT
from rankings import DEPTH, Scores, fused, nearest, table

AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "What is known?"
"""
EMBEDDING = '[embedding]\nprovider = "openai"\nmodel = "known"\n'
STORE = '[stores.kept]\n{}\n[memory]\nstore = "kept"\n'


class RecallQuality(AgentdTest):
    # What was measured over all classes, less what other ties may cost.
    WORDS_AT_LEAST = {"recall@5": 0.63, "MRR": 0.54}
    BOTH_AT_LEAST = {"recall@5": 0.87, "MRR": 0.76}

    @classmethod
    def setUpClass(cls):
        if cls is RecallQuality:
            raise unittest.SkipTest("abstract")
        cls.memories, cls.queries, vectors = labelled_set.memories(), labelled_set.queries(), labelled_set.vectors()
        cls.near = [nearest(vectors, cls.memories, query.text) for query in cls.queries]
        cls.endpoint = KnownEmbeddings(vectors)
        cls.enterClassContext(cls.endpoint)

    def store(self, number):
        """A new one each time, as its [stores.NAME] says it."""
        raise NotImplementedError

    @contextlib.contextmanager
    def remembering(self, number, embedding):
        host = self.host(openai(self.endpoint) + embedding + STORE.format(self.store(number)), keeper=AGENT)
        host.start()
        for memory in self.memories:
            status, body = host.request("POST", "/v1/memory/keeper", {"text": memory.text, "type": memory.type, "key": memory.key})
            said = json.loads(body)
            self.assertEqual((status, said.get("text"), said.get("by_words_alone")), (201, memory.text, None), body)
        yield host
        self.assertEqual(host.stop(), 0)

    def ask(self, host, limit):
        """For each query what was found: [(key, score)]."""
        answers = []
        for query in self.queries:
            answer = host.get(f"/v1/memory/keeper?query={urllib.parse.quote(query.text)}&limit={limit}")
            self.assertNotIn("by_words_alone", answer)
            answers.append([(entry["id"].removeprefix("note:"), entry["score"]) for entry in answer["entries"]])
        return answers

    def expect_fused(self, by_words, both):
        """Equals may stand in either order, so scores are compared."""
        for query, words, near, found in zip(self.queries, by_words, self.near, both, strict=True):
            with self.subTest(query.text):
                expected = fused([key for key, _ in words], near[:LIMIT * DEPTH])
                for (key, score), best in zip(found, sorted(expected.values(), reverse=True)):
                    self.assertAlmostEqual(score, best, 9)
                    self.assertAlmostEqual(score, expected[key], 9, key)
                self.assertEqual(len(found), min(LIMIT, len(expected)))

    def test_both_find_more_than_either(self):
        with self.remembering(1, "") as host:
            by_words = self.ask(host, LIMIT * DEPTH)
        with self.remembering(2, EMBEDDING) as host:
            both = self.ask(host, LIMIT)
        self.assertEqual(self.endpoint.refused, [])
        keys_of = lambda answers: [[key for key, _ in answer] for answer in answers]
        ways = {"full text": Scores(self.queries, keys_of(by_words)), "vectors": Scores(self.queries, self.near), "both": Scores(self.queries, keys_of(both))}
        print("\n" + table(type(self).__name__, ways), flush=True)
        words, meaning, hybrid = ways.values()
        for scores, floor in ((words, self.WORDS_AT_LEAST), (hybrid, self.BOTH_AT_LEAST)):
            self.assertGreaterEqual(scores.recall(), floor["recall@5"])
            self.assertGreaterEqual(scores.mrr(), floor["MRR"])
        self.assertGreaterEqual(hybrid.recall(), words.recall())
        self.assertGreaterEqual(hybrid.recall(), meaning.recall() - 0.02)
        self.expect_fused(by_words, both)
